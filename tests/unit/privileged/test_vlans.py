"""VLAN devices, with a kernel that is played by the test."""

import errno
from typing import Any

import pytest
from pyroute2 import NetlinkError

from nova.privileged import guest_bridges, links, vlans
from nova.privileged.context import run_in_process


class Link(dict[str, Any]):
    """A device as netlink tells it."""

    def get_attr(self, name: str) -> Any:
        """Return an attribute."""
        return self.get(name)

    def get_nested(self, *names: str) -> Any:
        """Return an attribute inside others."""
        return self.get(names[-1])


class Kernel:
    """Stands for netlink: devices by index."""

    def __init__(self, *devices: Link) -> None:
        self.devices = {one["index"]: one for one in devices}

    def link_lookup(self, ifname: str) -> list[int]:
        """Return the indexes of devices with a name."""
        return [key for key, one in self.devices.items() if one["IFLA_IFNAME"] == ifname]

    def get_links(self, index: int) -> list[Link]:
        """Return a device."""
        return [self.devices[index]]

    def link(self, operation: str, index: int = 0, **values: Any) -> None:
        """Add, change or delete a device."""
        if operation == "del":
            del self.devices[index]
        elif operation == "add":
            number = max(self.devices, default=1) + 1
            self.devices[number] = vlan(number, values["vlan_id"], values["link"])
            self.devices[number]["IFLA_IFNAME"] = values["ifname"]
        else:
            self.devices[index] |= {
                key if key.startswith("IFLA") else f"IFLA_{key.upper()}": value
                for key, value in values.items()
            }


def vlan(index: int, number: int, card: int, **values: Any) -> Link:
    return Link(
        index=index, IFLA_IFNAME=f"vlan{number}", IFLA_INFO_KIND="vlan", IFLA_LINK=card,
        IFLA_VLAN_ID=number, IFLA_MTU=1500, **values,
    )  # fmt: skip


class KernelOfTwoDaemons(Kernel):
    """Another daemon makes each device just before this one."""

    def link(self, operation: str, index: int = 0, **values: Any) -> None:
        """Add, change or delete a device."""
        super().link(operation, index, **values)
        if operation == "add":
            raise NetlinkError(errno.EEXIST)


def test_vlan_that_the_other_daemon_makes_at_that_moment_is_used() -> None:
    kernel = KernelOfTwoDaemons()
    assert not vlans.make(kernel, 101, 1, "nova-network")
    assert kernel.devices[2]["IFLA_IFNAME"] == "vlan101"


def test_vlan_is_made_once_and_marked() -> None:
    kernel = Kernel()
    assert vlans.make(kernel, 100, 7, "mark") is True
    assert vlans.make(kernel, 100, 7, "mark") is False
    [made] = kernel.devices.values()
    assert (made["IFLA_LINK"], made["IFLA_VLAN_ID"], made["IFLA_IFALIAS"]) == (7, 100, "mark")


def test_net_13_own_vlan_of_another_card_is_made_anew() -> None:
    kernel = Kernel(vlan(3, 100, 6, IFLA_IFALIAS="mark"))
    assert vlans.make(kernel, 100, 7, "mark") is True
    [made] = kernel.devices.values()
    assert made["IFLA_LINK"] == 7


@pytest.mark.parametrize("alias", [None, "other"])
def test_foreign_device_is_not_replaced(alias: str | None) -> None:
    kernel = Kernel(vlan(3, 100, 6, IFLA_IFALIAS=alias))
    with pytest.raises(ValueError, match="vlan100"):
        vlans.make(kernel, 100, 7, "mark")
    assert kernel.devices[3]["IFLA_LINK"] == 6


def test_foreign_vlan_that_fits_is_used() -> None:
    assert vlans.make(Kernel(vlan(3, 100, 7)), 100, 7, "mark") is False


def test_mtu_is_set_where_it_differs() -> None:
    kernel = Kernel(vlan(3, 100, 7))
    assert vlans.set_mtu(kernel, "vlan100", None) is False
    assert vlans.set_mtu(kernel, "vlan100", 1400) is True
    assert vlans.set_mtu(kernel, "vlan100", 1400) is False
    with pytest.raises(ValueError):
        vlans.set_mtu(kernel, "vlan100", 20)


@pytest.mark.parametrize("number", [0, 4095, -1, "100", True])
def test_hst_03_number_of_a_vlan_is_checked(number: Any) -> None:
    run_in_process(True)
    for ensure in (links.ensure_vlan, guest_bridges.ensure_vlan):
        with pytest.raises(ValueError):
            ensure(number, "lo", None)
    run_in_process(False)


def test_hst_03_name_of_a_card_is_checked() -> None:
    run_in_process(True)
    for ensure in (links.ensure_vlan, guest_bridges.ensure_vlan):
        with pytest.raises(ValueError):
            ensure(100, "../x", None)
    run_in_process(False)
