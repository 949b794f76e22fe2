"""VNC servers that ask for security, and viewers of xvp, over real sockets."""

import ssl
import struct

import pytest

from nova.console.limits import Caps
from nova.console.rfb_security import RfbSecurity, client_tls
from nova.console.xvp_proxy import XvpProxy
from nova.exception import ConfigurationError
from nova.objects.console import ConsoleConnection, ConsoleType
from tests.fixtures.certificates import Authority
from tests.fixtures.consoles import echo

pytestmark = pytest.mark.loopback

VERSION = b"RFB 003.008\n"
OK = bytes(4)
FAILED = b"Unable to negotiate security with server"


def exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


class VncServer:
    """A server as far as security goes; it notes what the proxy says."""

    def __init__(self, types=(1,), version=VERSION, tls=None, kinds=(260,), ready=1):
        self.types, self.version, self.tls, self.kinds = types, version, tls, kinds
        self.ready = ready
        self.heard = []
        self.client = None

    def talk(self, sock):
        sock.sendall(self.version)
        self.heard.append(exactly(sock, 12))
        sock.sendall(bytes([len(self.types), *self.types]))
        choice = exactly(sock, 1)[0]
        self.heard.append(choice)
        if choice == 19:
            sock = self._vencrypt(sock)
        sock.sendall(OK)
        echo(sock)

    def _vencrypt(self, sock):
        sock.sendall(bytes([0, 2]))
        self.heard.append(exactly(sock, 2))
        sock.sendall(bytes([0, len(self.kinds)]) + struct.pack(f">{len(self.kinds)}I", *self.kinds))
        self.heard.append(struct.unpack(">I", exactly(sock, 4))[0])
        sock.sendall(bytes([self.ready]))
        if not self.ready:
            raise ConnectionResetError
        secure = self.tls.wrap_socket(sock, server_side=True)
        self.client = secure.getpeercert()
        return secure


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def hypervisor_tls(authority):
    """Return TLS of a hypervisor that wants to see certificates."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(authority.issue("hypervisor"))
    return context


@pytest.fixture
def proxy_tls(authority):
    return client_tls(authority.path, authority.issue("proxy"), None)


@pytest.fixture
def vnc(new_console_site):
    """Return the function that opens a session with a VNC server; it gives the browser."""

    def open_session(server, schemes=("none",), tls=None):
        site = new_console_site(talk=server.talk, secure=RfbSecurity(schemes, tls).agree)
        return site.websocket(f"/?token={site.token()}")

    return open_session


def begin(browser, version=VERSION, choice=1):
    assert browser.receive(12) == VERSION
    browser.send(version)
    assert browser.receive(2) == bytes([1, 1])
    browser.send(bytes([choice]))


def is_told_failure(browser, text=FAILED):
    size = len(text)
    return browser.receive(8 + size) == struct.pack(">II", 1, size) + text


def test_server_without_security(vnc):
    server = VncServer()
    browser = vnc(server)
    begin(browser)
    assert browser.receive(4) == OK
    browser.send(b"framebuffer")
    assert browser.receive(11) == b"framebuffer"
    assert server.heard == [VERSION, 1]


def test_con_08_session_is_protected_with_certificates_of_both_sides(
    vnc, hypervisor_tls, proxy_tls
):
    server = VncServer(types=(1, 19), tls=hypervisor_tls, kinds=(256, 260))
    browser = vnc(server, ("vencrypt", "none"), proxy_tls)
    begin(browser)
    assert browser.receive(4) == OK
    data = bytes(range(256)) * 500
    browser.send(data)
    assert browser.receive(len(data)) == data
    assert server.heard == [VERSION, 19, bytes([0, 2]), 260]
    assert server.client["subject"] == ((("commonName", "proxy"),),)


def test_first_scheme_that_the_server_offers_is_taken(vnc, proxy_tls):
    server = VncServer(types=(2, 1))
    browser = vnc(server, ("vencrypt", "none"), proxy_tls)
    begin(browser)
    assert browser.receive(4) == OK and server.heard[-1] == 1


@pytest.mark.parametrize(
    ("server", "schemes"),
    [
        (VncServer(types=(2,)), ("none",)),
        (VncServer(types=(1,)), ("vencrypt",)),
        (VncServer(types=(19,)), ("none",)),
        (VncServer(types=(19,), kinds=(256,)), ("vencrypt",)),
        (VncServer(types=(19,), kinds=()), ("vencrypt",)),
        (VncServer(types=(19,), ready=0), ("vencrypt",)),
    ],
)
def test_no_agreement_is_told_to_the_browser(vnc, proxy_tls, server, schemes):
    browser = vnc(server, schemes, proxy_tls)
    begin(browser)
    assert is_told_failure(browser) and browser.close_code() == 1011


def test_con_08_hypervisor_of_a_foreign_authority_is_refused(vnc, tmp_path, proxy_tls):
    stranger = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    stranger.load_cert_chain(Authority(tmp_path, "stranger").issue("hypervisor"))
    browser = vnc(VncServer(types=(19,), tls=stranger), ("vencrypt",), proxy_tls)
    begin(browser)
    assert is_told_failure(browser) and browser.close_code() == 1011


def test_con_08_proxy_without_certificate_gets_nothing(vnc, authority, hypervisor_tls):
    bare = client_tls(authority.path, None, None)
    browser = vnc(VncServer(types=(19,), tls=hypervisor_tls), ("vencrypt",), bare)
    begin(browser)
    assert browser.close_code() in (1000, 1011)


def test_server_of_an_old_version_is_refused(vnc):
    assert vnc(VncServer(version=b"RFB 003.003\n")).close_code() == 1011


def test_browser_of_an_old_version_is_refused(vnc):
    browser = vnc(VncServer())
    browser.receive(12)
    browser.send(b"RFB 003.003\n")
    assert browser.close_code() == 1011


def test_browser_that_wants_other_security_is_refused(vnc):
    browser = vnc(VncServer())
    begin(browser, choice=16)
    assert is_told_failure(browser, b"Security type 16 was not offered")


def test_reason_of_a_server_that_refuses_is_passed_on(new_console_site):
    def talk(sock):
        sock.sendall(VERSION)
        exactly(sock, 12)
        sock.sendall(bytes([0]) + struct.pack(">I", 4) + b"full")
        echo(sock)

    site = new_console_site(talk=talk, secure=RfbSecurity(("none",)).agree)
    browser = site.websocket(f"/?token={site.token()}")
    browser.receive(12)
    browser.send(VERSION)
    assert browser.receive(9) == bytes([0]) + struct.pack(">I", 4) + b"full"


def test_certificates_that_are_missing_are_said_at_start(tmp_path):
    with pytest.raises(ConfigurationError, match="vencrypt"):
        client_tls(tmp_path / "none.pem", None, None)


# --- xvp


@pytest.fixture
def xvp(new_console_site):
    """Return the function that starts a proxy for xvp."""
    return lambda **changes: new_console_site(
        console_type=ConsoleType.XVPVNC, make=XvpProxy, **changes
    )


def test_xvp_answers_and_then_is_a_plain_stream(xvp):
    site = xvp()
    sock = site.connect()
    sock.sendall(f"GET /console?token={site.token()} HTTP/1.0\r\n\r\nearly".encode())
    assert exactly(sock, 19 + 5) == b"HTTP/1.1 200 OK\r\n\r\nearly"
    data = bytes(range(256)) * 1000
    sock.sendall(data)
    assert exactly(sock, len(data)) == data


def test_xvp_end_of_one_direction_leaves_the_other_open(xvp):
    def talk(sock):
        received = b""
        while piece := sock.recv(100):
            received += piece
        sock.sendall(b"got " + received)

    site = xvp(talk=talk)
    sock = site.connect()
    sock.sendall(f"GET /console?token={site.token()} HTTP/1.1\r\n\r\nall".encode())
    sock.shutdown(1)
    assert exactly(sock, 19 + 7) == b"HTTP/1.1 200 OK\r\n\r\ngot all"
    assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/console", 400, b"Invalid Request"),
        ("/console?token=", 400, b"Invalid Request"),
        ("/console?token=wrong", 401, b"Not Authorized"),
        ("/console?token=novnc", 401, b"Not Authorized"),
        ("/console?token=gone", 400, b"Invalid Request"),
    ],
)
def test_xvp_refusals(xvp, target, status, body):
    site = xvp()
    site.token("novnc", console_type=ConsoleType.NOVNC)
    nowhere = ConsoleConnection(host="127.0.0.1", port=site.console.port, internal_access_path="/x")
    site.token("gone", connection=nowhere)
    site.console.close()
    found = site.request(target)
    assert found[0] == status and found[2] == body
    assert found[1]["content-type"] == "text/html"


def test_con_03_xvp_is_not_for_pages(xvp):
    site = xvp()
    found = site.request(f"/console?token={site.token()}", headers=["Origin: http://cloud.test"])
    assert found[0] == 400


def test_con_07_xvp_has_limits(xvp):
    site = xvp(caps=Caps(per_token=1))
    sock = site.connect()
    sock.sendall(f"GET /console?token={site.token()} HTTP/1.0\r\n\r\nx".encode())
    assert exactly(sock, 20)
    assert site.request(f"/console?token={site.token()}")[0] == 429
