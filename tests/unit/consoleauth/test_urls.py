"""Addresses that carry tokens; consoles, section 3.2."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from nova.consoleauth.urls import with_token
from nova.objects.console import ConsoleType

OTHERS = [one for one in ConsoleType if one is not ConsoleType.NOVNC]


def parts_of(base, console_type=ConsoleType.NOVNC):
    """Return the address without its query, and the pairs of the query."""
    url = with_token(base, console_type, "T-1_x")
    parts = urlsplit(url)
    return parts._replace(query="").geturl(), parse_qsl(parts.query, keep_blank_values=True)


def test_novnc_has_the_token_in_the_path_of_its_socket():
    url = with_token("http://h:6080/vnc_auto.html", ConsoleType.NOVNC, "T-1_x")
    assert url == "http://h:6080/vnc_auto.html?path=%3Ftoken%3DT-1_x"


def test_path_of_the_base_stays_before_the_token():
    assert parts_of("http://h/vnc.html?path=sub/ws")[1] == [("path", "sub/ws?token=T-1_x")]


def test_query_in_the_path_of_the_base_is_gone_on_with():
    base = "http://h/vnc.html?path=ws%3Fcell%3D1"
    assert parts_of(base)[1] == [("path", "ws?cell=1&token=T-1_x")]


@pytest.mark.parametrize("console_type", ConsoleType)
def test_query_of_the_base_stays_with_names_that_repeat(console_type):
    base = "https://h/page?show=a&show=b&empty="
    address, pairs = parts_of(base, console_type)
    assert address == "https://h/page"
    assert pairs[:-1] == [("show", "a"), ("show", "b"), ("empty", "")]


def test_last_path_of_a_base_counts():
    assert parts_of("http://h/?path=a&x=1&path=b")[1] == [("x", "1"), ("path", "b?token=T-1_x")]


@pytest.mark.parametrize("console_type", OTHERS)
def test_other_types_have_the_token_in_their_query(console_type):
    assert with_token("ws://h:6083/", console_type, "T-1_x") == "ws://h:6083/?token=T-1_x"
