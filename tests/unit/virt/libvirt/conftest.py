"""The libvirt driver on libvirt's test hypervisor, as a fixture."""

import pytest

from tests.fixtures.libvirt_driver import (
    GuestPrograms,
    LibvirtCase,
    libvirt_events,  # noqa: F401
)
from tests.fixtures.time import frozen_clock  # noqa: F401


@pytest.fixture
def disk_programs(monkeypatch):
    stub = GuestPrograms()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


@pytest.fixture
def libvirt_case(tmp_path, disk_programs, frozen_clock, libvirt_events):  # noqa: F811
    case = LibvirtCase(str(tmp_path), frozen_clock.advance)
    case.driver.init_host("compute1", lambda event: None)
    yield case
    case.close()
