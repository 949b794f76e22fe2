"""The proxy's security towards the VNC server of a real QEMU that asks for certificates."""

import os
import shutil
import socket
import struct
import subprocess

import pytest

from nova import clock
from nova.console.ends import StreamEnd
from nova.console.rfb_security import VERSION, RfbSecurity, SecurityFailed, client_tls
from tests.fixtures.certificates import Authority
from tests.fixtures.daemons import wait_for

pytestmark = pytest.mark.integration

QEMU = "qemu-system-x86_64"
PATIENCE_S = 60
NONE_CHOSEN = b"\x01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("vnc")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder)


@pytest.fixture(scope="module")
def hypervisor(folder, authority):
    """Give the socket of a VNC server as libvirt's vnc_tls_x509_verify makes it."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"needs {QEMU}")
    server = authority.issue("hypervisor")
    shutil.copy(authority.path, folder / "ca-cert.pem")
    shutil.copy(server, folder / "server-cert.pem")
    shutil.copy(server, folder / "server-key.pem")
    path = folder / "vnc"
    credentials = f"tls-creds-x509,id=tls,dir={folder},endpoint=server,verify-peer=on"
    command = [QEMU, "-machine", "none", "-nodefaults", "-S", "-display", "none"]
    command += ["-object", credentials, "-vnc", f"unix:{path},tls-creds=tls"]
    with subprocess.Popen(command) as process:
        try:
            wait_for(lambda: os.path.exists(path), "no VNC server", PATIENCE_S)
            yield path
        finally:
            process.terminate()


@pytest.fixture
def connect(hypervisor):
    """Give a function that brings a browser through security, to what it hears afterwards."""
    opened = []

    def agree(authority, certificate=None, schemes=("vencrypt",)):
        deadline = clock.monotonic() + PATIENCE_S
        browser, proxy = socket.socketpair()
        sock = socket.socket(socket.AF_UNIX)
        opened.extend([browser, proxy, sock])
        sock.connect(str(hypervisor))
        browser.sendall(VERSION + NONE_CHOSEN)
        server = StreamEnd(sock, deadline)
        opened.append(server)
        tls = client_tls(str(authority.path), certificate and str(certificate), None)
        RfbSecurity(schemes, tls).agree(StreamEnd(proxy, deadline), server)
        return browser, server

    yield agree
    for one in opened:
        (one.sock if isinstance(one, StreamEnd) else one).close()


def test_con_08_proxy_with_its_certificate_sees_the_screen_over_tls(connect, authority):
    browser, server = connect(authority, authority.issue("proxy"))
    assert browser.recv(100) == VERSION + bytes([1]) + NONE_CHOSEN
    assert server.read_exactly(4) == struct.pack(">I", 0)
    server.send_all(b"\x01")
    width, height = struct.unpack(">HH", server.read_exactly(4))
    assert width and height
    assert server.sock.version() in ("TLSv1.2", "TLSv1.3")


def test_con_08_proxy_without_certificate_is_refused(connect, authority):
    """With TLS 1.3 the refusal comes when the proxy believes that TLS is agreed."""
    with pytest.raises(OSError):
        _, server = connect(authority)
        server.read_exactly(4)


def test_con_08_proxy_with_a_certificate_of_others_is_refused(connect, authority, tmp_path):
    with pytest.raises(OSError):
        _, server = connect(authority, Authority(tmp_path, "others").issue("proxy"))
        server.read_exactly(4)


def test_con_08_hypervisor_of_others_gets_nothing(connect, authority, tmp_path):
    with pytest.raises(OSError, match="certificate verify failed"):
        connect(Authority(tmp_path, "others"), authority.issue("proxy"))


def test_con_08_hypervisor_does_not_let_in_who_wants_no_tls(connect, authority):
    with pytest.raises(SecurityFailed, match="the server offers security"):
        connect(authority, schemes=("none",))
