"""The WebSocket proxies over real sockets, with consoles and tokens of the test's own."""

import pytest

from tests.fixtures.consoles import ConsoleSite

pytestmark = pytest.mark.loopback


@pytest.fixture
def new_site():
    """Return the function that starts proxies; it ends them at the end."""
    made = []

    def make(**changes):
        made.append(ConsoleSite(**changes))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(new_site):
    """Return a VNC proxy whose console sends back what it gets."""
    return new_site()


def test_valid_token_reaches_its_console(site):
    browser = site.websocket(f"/?token={site.token()}")
    assert browser.headers["sec-websocket-protocol"] == "binary"
    browser.send(b"hello")
    assert browser.receive(5) == b"hello"


def test_page_of_a_valid_token_names_the_server(site):
    status, headers, body = site.request(f"/vnc_auto.html?path=%3Ftoken%3D{site.token()}")
    assert status == 200 and "web-1" in body.decode()
    assert headers["content-type"] == "text/html; charset=utf-8"


def test_large_messages_pass_both_ways_unchanged(site):
    browser = site.websocket(f"/?token={site.token()}")
    data = bytes(range(256)) * 2000
    for start in range(0, len(data), 64000):
        browser.send(data[start : start + 64000])
    assert browser.receive(len(data)) == data
