"""HST-03: values that a hostile caller may hand over."""

import pathlib
from collections.abc import Callable

import pytest

from nova.privileged import checks
from nova.privileged.address_order import AddressPlan, plan_addresses


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.interface_name, "../../etc"),
        (checks.interface_name, "-h"),
        (checks.interface_name, "a" * 16),
        (checks.interface_name, "br0\n"),
        (checks.interface_name, ".."),
        (checks.interface_name, 7),
        (checks.ipv4_address, "10.0.0.1/8"),
        (checks.ipv4_address, 167772161),
        (checks.ipv4_address, "::1"),
        (checks.ipv4_interface, "10.0.0.1"),
        (checks.ipv4_interface, "10.0.0.1/33"),
        (checks.mac_address, "fa:16:3e:00:00:05\n"),
        (checks.mac_address, "--help"),
    ],
)
def test_hst_03_value_is_refused(check: Callable[[object], object], value: object) -> None:
    with pytest.raises(ValueError):
        check(value)


@pytest.mark.parametrize("value", [True, 0, 11, "5", 5.0])
def test_hst_03_number_out_of_bounds(value: object) -> None:
    with pytest.raises(ValueError):
        checks.number_between(value, 1, 10)  # type: ignore[arg-type]


def test_sound_values() -> None:
    assert checks.interface_name("br100") == "br100"
    assert checks.ipv4_address("10.0.0.1") == "10.0.0.1"
    assert str(checks.ipv4_interface("10.0.0.1/8")) == "10.0.0.1/8"
    assert checks.mac_address("FA:16:3E:00:00:05") == "fa:16:3e:00:00:05"
    assert checks.number_between(10, 1, 10) == 10


def test_hst_03_path_must_be_directly_inside_and_no_link(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "networks"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    (tmp_path / "elsewhere").symlink_to(folder)
    assert checks.path_inside(f"{folder}/nova-br1.pid", str(folder))
    for path in ("../x", "link", "a/b", "..", "", "x\0y"):
        with pytest.raises(ValueError):
            checks.path_inside(f"{folder}/{path}", str(folder))


@pytest.mark.parametrize(
    ("present", "wanted", "former", "plan"),
    [
        ([], ["a"], [], AddressPlan(add=("a",))),
        (["a"], ["a"], [], AddressPlan()),
        (["a", "x"], ["a"], [], AddressPlan()),
        (["x"], ["a"], [], AddressPlan(remove=("x",), add=("a", "x"))),
        (["a", "b"], ["b"], ["a"], AddressPlan(remove=("a", "b"), add=("b",))),
        (["a", "x"], [], ["a"], AddressPlan(remove=("a", "x"), add=("x",))),
        (["a"], ["a", "b"], ["a"], AddressPlan(add=("b",))),
    ],
)
def test_wanted_addresses_come_first(
    present: list[str], wanted: list[str], former: list[str], plan: AddressPlan
) -> None:
    assert plan_addresses(present, wanted, former) == plan
