"""Links of consoles through a whole cloud: from the API to the page of the proxy."""

from urllib.parse import urlsplit

import pytest

from nova.console.pages import PageKind
from nova.objects.console import ConsoleType

pytestmark = pytest.mark.loopback

PROTOCOLS = {
    ConsoleType.NOVNC: ("vnc", PageKind.VNC),
    ConsoleType.SPICE_HTML5: ("spice", PageKind.SPICE),
    ConsoleType.SERIAL: ("serial", PageKind.SERIAL),
}


@pytest.fixture
def cloud(new_cloud):
    return new_cloud(compute_settings={"console_types": frozenset(ConsoleType)})


@pytest.fixture
def proxy_of(cloud, new_console_site):
    """Return the function that starts a proxy beside the cloud."""

    def start(console_type):
        kind = PROTOCOLS[console_type][1]
        return new_console_site(console_type=console_type, kind=kind, bus=cloud.bus)

    return start


def link(cloud, server, console_type=ConsoleType.NOVNC):
    """Return what follows the host in the address that the API gives."""
    body = {"protocol": PROTOCOLS[console_type][0], "type": console_type.value}
    path = f"/servers/{server.uuid}/remote-consoles"
    answer = cloud.rest.at("2.99").post(path, {"remote_console": body})
    parts = urlsplit(answer.json["remote_console"]["url"])
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("console_type", PROTOCOLS)
def test_link_of_the_api_shows_the_page_of_the_server(cloud, proxy_of, console_type):
    server = cloud.boot(name="<b>web</b>")
    status, _, body = proxy_of(console_type).request(link(cloud, server, console_type))
    assert status == 200 and b"&lt;b&gt;web&lt;/b&gt;" in body


def test_con_01_link_is_dead_after_stop_and_a_new_one_is_not(cloud, proxy_of):
    server, proxy = cloud.boot(), proxy_of(ConsoleType.NOVNC)
    old = link(cloud, server)
    assert proxy.request(old)[0] == 200
    for action in ("os-stop", "os-start"):
        server.act({action: None})
        status, _, body = proxy.request(old)
        assert status == 403 and b"not valid" in body
    assert proxy.request(link(cloud, server))[0] == 200


def test_con_02_link_is_dead_after_its_time(cloud, proxy_of):
    server, proxy = cloud.boot(), proxy_of(ConsoleType.NOVNC)
    old = link(cloud, server)
    cloud.advance(601)
    assert proxy.request(old)[0] == 403


def test_link_of_one_kind_is_not_for_another(cloud, proxy_of):
    query = urlsplit(link(cloud, cloud.boot(), ConsoleType.SERIAL)).query
    assert proxy_of(ConsoleType.NOVNC).request(f"/vnc_auto.html?{query}")[0] == 403
