"""nova-novncproxy against the VNC server of a real QEMU, without a guest."""

import shutil
import socket
import struct
import subprocess

import pytest

from nova.console.rfb_security import RfbSecurity, client_tls
from nova.objects.console import ConsoleConnection
from tests.fixtures.certificates import Authority
from tests.fixtures.consoles import PATIENCE_S, ConsoleSite
from tests.fixtures.daemons import wait_for

QEMU = "qemu-system-x86_64"
VERSION = b"RFB 003.008\n"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which(QEMU) is None, reason="needs QEMU"),
]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def qemu(tmp_path):
    """Return the function that starts QEMU with arguments; it is ended afterwards."""
    made = []

    def start(*arguments):
        command = [QEMU, "-nodefaults", "-display", "none", "-S", "-m", "16", *arguments]
        made.append(subprocess.Popen(command))

    yield start
    for process in made:
        process.terminate()
        process.wait(PATIENCE_S)


def free_port(first):
    for port in range(first, first + 90):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def server_certificates(authority, folder):
    """Give QEMU its certificate by the names that it looks for."""
    folder.mkdir()
    pair = authority.issue("hypervisor")
    shutil.copy(authority.path, folder / "ca-cert.pem")
    shutil.copy(pair, folder / "server-cert.pem")
    shutil.copy(pair, folder / "server-key.pem")
    return folder


@pytest.fixture
def vnc_port(qemu, authority, tmp_path):
    """Return the port of a VNC server that wants TLS with certificates of both sides."""
    folder = server_certificates(authority, tmp_path / "pki")
    port = free_port(5907)
    qemu(
        "-object",
        f"tls-creds-x509,id=tls0,dir={folder},endpoint=server,verify-peer=yes",
        "-vnc",
        f"127.0.0.1:{port - 5900},tls-creds=tls0",
    )
    wait_for(lambda: listens(port), "QEMU does not listen")
    return port


def open_session(site, port):
    to = ConsoleConnection(host="127.0.0.1", port=port)
    return site.websocket(f"/?token={site.token(connection=to)}")


def begin(browser):
    assert browser.receive(12) == VERSION
    browser.send(VERSION)
    assert browser.receive(2) == b"\x01\x01"
    browser.send(b"\x01")


@pytest.fixture
def site_with():
    made = []

    def make(**changes):
        made.append(ConsoleSite(**changes))
        return made[-1]

    yield make
    for site in made:
        site.close()


def test_con_08_vnc_of_qemu_by_tls_with_certificates_of_both_sides(site_with, authority, vnc_port):
    tls = client_tls(authority.path, authority.issue("proxy"), None)
    browser = open_session(site_with(secure=RfbSecurity(("vencrypt",), tls).agree), vnc_port)
    begin(browser)
    assert browser.receive(4) == bytes(4)
    browser.send(b"\x01")
    width, height = struct.unpack(">HH", browser.receive(24)[:4])
    assert width >= 320 and height >= 200


def test_con_08_vnc_of_qemu_refuses_a_proxy_without_its_certificate(
    site_with, authority, vnc_port, tmp_path
):
    stranger = Authority(tmp_path, "stranger").issue("proxy")
    tls = client_tls(authority.path, stranger, None)
    browser = open_session(site_with(secure=RfbSecurity(("vencrypt",), tls).agree), vnc_port)
    begin(browser)
    assert browser.close_code() in (1000, 1011)


def test_con_08_vnc_of_qemu_is_not_reached_in_the_clear(site_with, vnc_port):
    browser = open_session(site_with(secure=RfbSecurity(("none",)).agree), vnc_port)
    begin(browser)
    assert struct.unpack(">II", browser.receive(8)[:8])[0] == 1
