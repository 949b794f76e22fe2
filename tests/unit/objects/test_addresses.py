"""IPv6 addresses that follow from others."""

import pytest

from nova.objects.addresses import guest_address_v6

MAC = "fa:16:3e:01:02:03"


@pytest.mark.parametrize(
    ("backend", "address"),
    [
        ("rfc2462", "fd00:1::f816:3eff:fe01:203"),
        ("account_identifier", "fd00:1::fe05:bcdc:ff01:203"),
    ],
)
def test_guest_address(backend: str, address: str) -> None:
    """The first four bytes of sha1("one") are fe05bcdc."""
    assert guest_address_v6(backend, "fd00:1::/64", MAC, "one") == address


def test_projects_have_addresses_of_their_own() -> None:
    found = {guest_address_v6("account_identifier", "fd00::/64", MAC, one) for one in "abc"}
    assert len(found) == 3
