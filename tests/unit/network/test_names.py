"""Names before they reach files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.network.names import is_device_name, is_domain, qualified, safe_hostname, safe_tag


@given(st.text(), st.ip_addresses(v=4).map(str))
def test_net_15_any_name_becomes_a_label(name: str, address: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", safe_hostname(name, address))


@given(st.text())
def test_net_15_any_label_becomes_a_tag(label: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", safe_tag(label))


def test_long_name_keeps_both_ends() -> None:
    assert safe_hostname("ab" + "c" * 40 + "d" * 60, "10.0.0.1") == "ab-" + "d" * 60


def test_empty_name_is_made_of_the_address() -> None:
    assert safe_hostname("--", "10.0.0.1") == "host-10-0-0-1"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "br0 x", "-x", "a" * 16, "x\n"])
def test_hst_03_not_a_device(name: str) -> None:
    assert not is_device_name(name)


def test_device() -> None:
    assert is_device_name("br100") and is_device_name("eth0.100")


@pytest.mark.parametrize("name", ["", ".", "a..b", "-a", "a_b", "a b", "a\n", "a" * 64])
def test_not_a_domain(name: str) -> None:
    assert not is_domain(name)


def test_domain() -> None:
    assert is_domain("cloud.example") and qualified("a", "b.c") == "a.b.c"
    assert qualified("a", "") == "a"
