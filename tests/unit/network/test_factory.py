"""What is checked before nova-network is put together."""

import pytest

from nova.exception import ConfigurationError
from nova.network.factory import check_bridge_files


def test_files_of_nova_dhcpbridge_must_exist(tmp_path):
    present, missing = tmp_path / "present.conf", tmp_path / "missing.conf"
    present.touch()
    check_bridge_files([str(present)], None)
    for user in (None, "bridge"):
        with pytest.raises(ConfigurationError, match=r"missing\.conf, which dhcpbridge_flagfile"):
            check_bridge_files([str(present), str(missing)], user)
