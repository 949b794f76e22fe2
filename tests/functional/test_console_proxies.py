"""The WebSocket proxies over real sockets, with consoles and tokens of the test's own."""

import base64
import contextlib
import datetime
import logging
import socket
import ssl
import threading
import time

import pytest

from nova import clock
from nova.console.limits import Caps
from nova.console.pages import PageKind
from nova.console.settings import SessionRules
from nova.exception import DatabaseUnavailable
from nova.objects.console import ConsoleConnection, ConsoleType
from tests.fixtures.certificates import Authority
from tests.fixtures.consoles import PATIENCE_S, Browser, FakeConsole, echo

pytestmark = pytest.mark.loopback

FOREIGN = "Origin: http://evil.test"
INSTANCE_2 = "6f1c1b1e-0000-4000-8000-000000000002"


@pytest.fixture
def site(new_console_site):
    """Return a VNC proxy whose console sends back what it gets."""
    return new_console_site()


def passes(browser, data=b"hello"):
    browser.send(data)
    return browser.receive(len(data)) == data


# --- Sessions


def test_valid_token_reaches_its_console(site):
    browser = site.websocket(f"/?token={site.token()}")
    assert browser.headers["sec-websocket-protocol"] == "binary"
    assert passes(browser)


def test_page_of_a_valid_token_names_the_server(site):
    status, headers, body = site.request(f"/vnc_auto.html?path=%3Ftoken%3D{site.token()}")
    assert status == 200 and "web-1" in body.decode()
    assert headers["content-type"] == "text/html; charset=utf-8"


def test_large_messages_pass_both_ways_unchanged(site):
    browser = site.websocket(f"/?token={site.token()}")
    data = bytes(range(256)) * 8000
    sender = threading.Thread(
        target=lambda: [browser.send(data[at : at + 64000]) for at in range(0, len(data), 64000)]
    )
    sender.start()
    assert browser.receive(len(data)) == data
    sender.join()


def test_base64_is_spoken_with_old_clients(site):
    browser = site.websocket(f"/?token={site.token()}", protocol="base64")
    assert browser.headers["sec-websocket-protocol"] == "base64"
    browser.send(base64.b64encode(b"\x00\xff"), opcode=1)
    assert browser.frame() == (1, base64.b64encode(b"\x00\xff"))


@pytest.mark.parametrize("offered", ["base64, binary", "binary,base64"])
def test_binary_is_preferred(site, offered):
    browser = site.websocket(f"/?token={site.token()}", protocol=offered)
    assert browser.headers["sec-websocket-protocol"] == "binary"


def test_no_protocol_offered_none_answered(site):
    browser = site.websocket(f"/?token={site.token()}", protocol=None)
    assert "sec-websocket-protocol" not in browser.headers and passes(browser)


def test_message_in_fragments_and_pings(site):
    browser = site.websocket(f"/?token={site.token()}")
    browser.send(b"ab", fin=False)
    browser.send(b"alive", opcode=9)
    browser.send(b"cd", opcode=0)
    assert browser.frame() == (10, b"alive")
    assert browser.receive(4) == b"abcd"


def test_console_that_closes_ends_the_session(new_console_site):
    site = new_console_site(talk=lambda sock: sock.sendall(b"bye"))
    browser = site.websocket(f"/?token={site.token()}")
    assert browser.receive(3) == b"bye" and browser.close_code() == 1000


def test_browser_that_leaves_ends_the_connection_to_the_console(new_console_site):
    ended = threading.Event()

    def talk(sock):
        echo(sock)
        ended.set()

    site = new_console_site(talk=talk)
    browser = site.websocket(f"/?token={site.token()}")
    assert passes(browser)
    browser.sock.close()
    assert ended.wait(PATIENCE_S)


def test_console_that_can_not_be_reached_is_said_so(site):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    to = ConsoleConnection(host="127.0.0.1", port=port)
    status, _, body = site.websocket(f"/?token={site.token(connection=to)}")
    assert status == 503 and b"<html" in body


@pytest.mark.parametrize("trouble", [DatabaseUnavailable(reason="away"), KeyError("oh")])
def test_tokens_that_can_not_be_checked_are_said_so(site, trouble):
    site.book.trouble = trouble
    status, _, body = site.request("/vnc_auto.html?token=x")
    assert status == 503 and body.startswith(b"<!DOCTYPE html>") and b"away" not in body


def test_tokens_that_are_checked_until_the_time_is_over_are_said_so(new_console_site):
    site = new_console_site(handshake_timeout_s=0.5)

    def check_token(context, token):
        time.sleep(0.7)
        raise DatabaseUnavailable(reason="away")

    site.book.check_token = check_token
    assert site.request("/vnc_auto.html?token=x")[0] == 503


# --- Refusals


@pytest.fixture(params=["page", "socket"])
def ask(request):
    """Return the function that asks a site in one of both ways: (status, headers, body)."""
    if request.param == "socket":
        return lambda site, query, headers=(): site.websocket(f"/{query}", headers)
    return lambda site, query, headers=(): site.request(f"/vnc_auto.html{query}", headers=headers)


def is_refused(answer, status=403):
    if isinstance(answer, Browser):
        return False
    assert b"Traceback" not in answer[2] and answer[2].startswith(b"<!DOCTYPE html>")
    return answer[0] == status


def test_con_02_wrong_token_gets_a_clean_page(site, ask):
    site.token("good")
    assert is_refused(ask(site, "?token=goof"))
    assert is_refused(ask(site, ""))


def test_con_02_expired_token_gets_a_clean_page(site, ask):
    site.token("old", expires=clock.utcnow() - datetime.timedelta(seconds=1))
    assert is_refused(ask(site, "?token=old"))


def test_con_01_revoked_token_gets_a_clean_page(site, ask):
    token = site.token()
    site.book.delete_tokens_for_instance(None, site.book.targets[token].instance_uuid)
    assert is_refused(ask(site, f"?token={token}"))


def test_token_of_another_kind_of_console_is_refused(site, ask):
    site.token("spice", console_type=ConsoleType.SPICE_HTML5)
    assert is_refused(ask(site, "?token=spice"))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.test",
        "null",
        "HTTP://EVIL.TEST",
        "http://cloud.test.",
        "http://cloud.test:8080",
        "http://www.cloud.test",
        "https://cloud.test",
        "",
    ],
)
def test_con_03_foreign_origin_gets_a_clean_page(site, ask, origin):
    assert is_refused(ask(site, f"?token={site.token()}", [f"Origin: {origin}"]))


def test_con_03_own_origin_passes(site):
    assert passes(site.websocket(f"/?token={site.token()}", ["Origin: http://cloud.test"]))


def test_con_03_host_named_by_the_request_does_not_make_an_origin_good(site):
    sock = site.connect()
    sock.sendall(
        b"GET /vnc_auto.html?token=%b HTTP/1.1\r\nHost: evil.test\r\n%b\r\n\r\n"
        % (site.token().encode(), FOREIGN.encode())
    )
    assert sock.recv(12) == b"HTTP/1.1 403"


def test_con_04_requests_teach_nothing(site):
    handler = site.handler
    token = site.token()
    before = repr(vars(handler)["_rules"])
    for number in range(10_000):
        query = f"/?token={token}"
        sock, other = socket.socketpair()
        host = f"h{number}.evil.test"
        other.sendall(
            f"GET {query} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode()
        )
        with sock, other:
            handler.handle(site.connection(sock))
            assert other.recv(12) == b"HTTP/1.1 403"
    assert repr(vars(handler)["_rules"]) == before and site.limits.counted == 0
    assert is_refused(site.websocket(query, ["Origin: http://h1.evil.test"]))


ENCODED = [
    "//evil.test",
    "//evil.test/",
    "///evil.test",
    "////evil.test/%2e%2e",
    "//evil.test/%2f..",
    "/%2fevil.test",
    "/%2Fevil.test/",
    "/%2f%2fevil.test",
    "%2f%2fevil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\\\\evil.test/",
    "/%5cevil.test",
    "/%5c%5cevil.test",
    "/%5C/evil.test",
    "/.//evil.test",
    "/..//evil.test",
    "/./evil.test",
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "/viewer/../../etc/passwd",
    "/viewer/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/viewer//core/rfb.js",
    "/viewer/core/rfb.js/..",
    "/%252fevil.test",
    "/%09/evil.test",
    "/%00",
    "/vnc_auto.html%00.js",
    "/;@evil.test",
    "/@evil.test",
    "http://evil.test/",
    "https:evil.test",
    "evil.test",
    "*",
    "/\xc0\xaf/evil.test",
    "/%c0%af/evil.test",
    "/%u2215evil.test",
]


@pytest.mark.parametrize("path", ENCODED)
def test_con_05_no_path_leads_elsewhere(site, path):
    assert len(ENCODED) >= 30
    for method in ("GET", "HEAD"):
        status, headers, _ = site.request(path, method)
        assert status in (400, 404) and "location" not in headers


@pytest.mark.parametrize("path", ["/viewer", "/viewer/", "/viewer/core/", "/page/"])
def test_con_05_folders_are_not_listed(site, path):
    assert site.request(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(site, method):
    status, headers, _ = site.request("/vnc_auto.html", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_con_06_token_is_in_no_log(site, caplog):
    caplog.set_level(logging.DEBUG)
    token = site.token("feedface-cafe-4000-8000-0123456789ab")
    assert passes(site.websocket(f"/?token={token}"))
    site.request(f"/vnc_auto.html?path=%3Ftoken%3D{token}")
    site.request("/vnc_auto.html", headers=[f"Cookie: token={token}"])
    is_refused(site.websocket(f"/?token={token}", [FOREIGN]))
    site.request(f"//evil?token={token}")
    site.request(f"/nothing?token={token}", "POST")
    assert token not in caplog.text and "novnc console of instance" in caplog.text


def every_kind_of_answer(site):
    token = site.token()
    yield site.request(f"/vnc_auto.html?token={token}")
    yield site.request("/vnc_auto.html?token=wrong")
    yield site.request(f"/vnc_auto.html?token={token}", headers=[FOREIGN])
    yield site.request("/viewer/core/rfb.js")
    yield site.request("/nothing")
    yield site.request("//evil.test")
    yield site.request("/vnc_auto.html", "POST")
    yield site.websocket("/?token=wrong")


def test_con_06_no_referrer_and_no_cookie(site):
    for _, headers, body in every_kind_of_answer(site):
        assert headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in headers and site.token().encode() not in body


def test_con_11_every_answer_is_hardened(site):
    for _, headers, _ in every_kind_of_answer(site):
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_con_11_allowed_origins_may_frame(new_console_site):
    site = new_console_site(rules=SessionRules(allowed_origins=("panel.test",)))
    _, headers, _ = site.request(f"/vnc_auto.html?token={site.token()}")
    assert "frame-ancestors panel.test" in headers["content-security-policy"]


def test_file_is_sent_once(site):
    status, headers, body = site.request("/viewer/core/rfb.js")
    assert status == 200 and body and headers["content-type"].startswith("text/javascript")
    again = site.request("/viewer/core/rfb.js", headers=[f"If-None-Match: {headers['etag']}"])
    assert (again[0], again[2]) == (304, b"")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [("/vnc_auto.html?token=good", 200), ("/vnc_auto.html?token=bad", 403), ("/none", 404)],
)
def test_head_has_no_body(site, address, wanted):
    site.token("good")
    status, headers, body = site.request(address, "HEAD")
    assert status == wanted and int(headers["content-length"]) > 0 and body == b""


# --- Limits


def opened(site, token):
    found = site.websocket(f"/?token={token}")
    return isinstance(found, Browser) and passes(found)


def test_con_07_sessions_of_one_server_leave_room_for_others(new_console_site):
    site = new_console_site(caps=Caps(per_instance=3))
    token, other = site.token("t1"), site.token("t2", instance_uuid=INSTANCE_2)
    assert all(opened(site, token) for _ in range(3))
    assert is_refused(site.websocket(f"/?token={token}"), 429)
    assert opened(site, other)


def test_con_07_sessions_of_one_token(new_console_site):
    site = new_console_site(caps=Caps(per_token=2))
    token, other = site.token("t1"), site.token("t2")
    assert all(opened(site, token) for _ in range(2))
    assert is_refused(site.websocket(f"/?token={token}"), 429)
    assert opened(site, other)
    site.clients[0].close()
    site.wait_until(lambda: opened(site, token))


def test_con_07_sessions_in_all(new_console_site):
    site = new_console_site(caps=Caps(sessions=2))
    assert all(opened(site, site.token()) for _ in range(2))
    assert is_refused(site.websocket(f"/?token={site.token('t2', instance_uuid=INSTANCE_2)}"), 429)


def test_con_07_connections_of_one_address(new_console_site):
    site = new_console_site(caps=Caps(per_source=5))
    held = [site.connect() for _ in range(5)]
    site.wait_until(lambda: site.limits.counted == 2)
    assert site.connect().recv(1) == b""
    held[0].close()
    site.wait_until(lambda: opened_or_cut(site))


def test_con_07_proxy_goes_on_after_the_host_had_no_thread_left(site, monkeypatch, caplog):
    start = threading.Thread.start
    left = [False, True]

    def start_if_left(thread):
        if thread.name == "console" and not left.pop(0):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_left)
    assert site.connect().recv(1) == b""
    assert opened(site, site.token())
    assert "No connection can be accepted: can't start new thread" in caplog.text


def opened_or_cut(site):
    try:
        return opened(site, site.token())
    except OSError:
        return False


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HTTP", b"GET / HTTP/1.1\r\nA: b\r\n"], ids=["none", "line", "head"]
)
def test_con_07_half_open_handshake_times_out(new_console_site, begin):
    site = new_console_site(handshake_timeout_s=0.3)
    sock = site.connect()
    sock.sendall(begin)
    assert sock.recv(1) == b""


def test_con_07_idle_session_times_out(new_console_site):
    site = new_console_site(rules=SessionRules(idle_timeout_s=0.3))
    browser = site.websocket(f"/?token={site.token()}")
    assert passes(browser) and browser.close_code() == 1011


def test_con_07_session_ends_when_its_link_expires(new_console_site):
    site = new_console_site(rules=SessionRules(ends_at_expiry=True))
    expires = clock.utcnow() + datetime.timedelta(seconds=1)
    browser = site.websocket(f"/?token={site.token(expires=expires)}")
    assert passes(browser) and browser.close_code() == 1008


def test_con_07_message_without_end_is_refused(site):
    browser = site.websocket(f"/?token={site.token()}")
    browser.sock.sendall(b"\x82\xff" + (1 << 40).to_bytes(8) + b"mask")
    with pytest.raises(OSError):
        while True:
            browser.sock.sendall(bytes(65536))


@pytest.mark.parametrize("opcode", [2, 9, 10])
def test_con_07_browser_that_goes_on_after_the_goodbye_holds_no_session(new_console_site, opcode):
    site = new_console_site(talk=lambda sock: sock.sendall(b"bye"))
    browser = site.websocket(f"/?token={site.token()}")
    assert browser.receive(3) == b"bye" and browser.close_code() == 1000
    with pytest.raises(OSError):
        for _ in range(int(PATIENCE_S / 0.1)):
            browser.send(b"x", opcode=opcode)
            time.sleep(0.1)


@pytest.mark.parametrize(
    "frame",
    [b"\x82\x01a", b"\x81\x80mask", b"\x83\x80mask", b"\x80\x80mask", b"\x09\x80mask"],
    ids=["unmasked", "text", "unknown", "continued", "ping in fragments"],
)
def test_con_07_browser_that_breaks_the_protocol_has_no_session_any_more(site, frame):
    browser = site.websocket(f"/?token={site.token()}")
    browser.sock.sendall(frame)
    assert browser.close_code() in (1002, 1003)
    with pytest.raises(ConnectionResetError):
        browser.frame()


def test_con_07_answers_to_pings_do_not_pile_up(new_console_site):
    stuck = threading.Event()
    site = new_console_site(
        talk=lambda sock: (sock.sendall(bytes(1 << 24)), stuck.wait(PATIENCE_S))
    )
    browser = site.websocket(f"/?token={site.token()}")
    browser.sock.settimeout(1)
    with contextlib.suppress(TimeoutError):
        for _ in range(2000):
            browser.send(b"p" * 125, opcode=9)
    stuck.set()
    pongs = 0
    with contextlib.suppress(OSError):
        while True:
            pongs += browser.frame()[0] == 10
    assert pongs < 100


def test_malformed_handshakes_are_refused(site):
    lines = [
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13",
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short",
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: {'A' * 22}==",
    ]
    for one in lines:
        assert is_refused(site.request(f"/?token={site.token()}", headers=[one]), 400)


# --- Where sessions lead


def test_con_09_nothing_but_the_token_names_the_target(site):
    other = FakeConsole(echo)
    query = f"/127.0.0.1/{other.port}?host=127.0.0.1&port={other.port}&token={site.token()}"
    headers = [
        f"X-Forwarded-Host: 127.0.0.1:{other.port}",
        f"Forwarded: host=127.0.0.1:{other.port}",
        f"X-Target: 127.0.0.1:{other.port}",
    ]
    browser = site.websocket(
        f"{query}&path=127.0.0.1:{other.port}",
        headers,
        protocol=f"binary, 127.0.0.1:{other.port}",
    )
    assert passes(browser) and len(site.console.accepted) == 1
    assert other.accepted == []
    other.close()


def test_path_inside_the_target_is_asked_for(new_console_site):
    asked = []

    def talk(sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        asked.append(head)
        sock.sendall(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nRFB")
        echo(sock)

    site = new_console_site(talk=talk)
    to = ConsoleConnection(host="127.0.0.1", port=site.console.port, internal_access_path="/x?y=z")
    browser = site.websocket(f"/?token={site.token(connection=to)}")
    assert browser.receive(3) == b"RFB" and passes(browser)
    assert asked == [b"CONNECT /x?y=z HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize("said", [b"HTTP/1.1 404 No\r\n\r\n", b"x" * 5000, b"HTTP/1.1 200", b""])
def test_path_that_is_refused_inside_the_target(new_console_site, said):
    site = new_console_site(talk=lambda sock: sock.sendall(said))
    to = ConsoleConnection(host="127.0.0.1", port=site.console.port, internal_access_path="/x")
    assert is_refused(site.websocket(f"/?token={site.token(connection=to)}"), 503)


def test_console_that_says_nothing_until_the_time_is_over_is_said_so(new_console_site):
    site = new_console_site(
        talk=lambda sock: sock.recv(100) and sock.recv(1), handshake_timeout_s=0.5
    )
    to = ConsoleConnection(host="127.0.0.1", port=site.console.port, internal_access_path="/x")
    assert is_refused(site.websocket(f"/?token={site.token(connection=to)}"), 503)


# --- Other kinds of consoles, TLS, the end


def test_serial_console_has_its_page_and_its_socket_at_the_root(new_console_site):
    site = new_console_site(console_type=ConsoleType.SERIAL, kind=PageKind.SERIAL)
    token = site.token(access_url="ws://cloud.test/")
    assert b"web-1" in site.request(f"/?token={token}")[2]
    assert passes(site.websocket(f"/?token={token}", ["Origin: http://cloud.test"]))


def test_spice_console_has_its_page(new_console_site):
    site = new_console_site(console_type=ConsoleType.SPICE_HTML5, kind=PageKind.SPICE)
    assert b"web-1" in site.request(f"/spice_auto.html?token={site.token()}")[2]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def server_tls(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("server"))
    return context


def over_tls(site, authority):
    context = ssl.create_default_context(cafile=authority.path)
    sock = context.wrap_socket(site.connect(), server_hostname="127.0.0.1")
    site.clients.append(sock)
    return sock


def test_tls_and_plain_share_a_port(new_console_site, authority, server_tls):
    site = new_console_site(tls=server_tls)
    token = site.token(access_url="https://cloud.test/vnc_auto.html")
    secure = site.websocket(f"/?token={token}", sock=over_tls(site, authority))
    data = bytes(range(256)) * 2000
    for at in range(0, len(data), 16000):
        secure.send(data[at : at + 16000])
        assert secure.receive(len(data[at : at + 16000])) == data[at : at + 16000]
    page = site.request(f"/vnc_auto.html?token={token}", sock=over_tls(site, authority))
    assert page[0] == 200
    assert passes(site.websocket(f"/?token={token}"))


def test_plain_is_refused_where_tls_is_a_must(new_console_site, authority, server_tls):
    site = new_console_site(tls=server_tls, only_tls=True)
    sock = site.connect()
    sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        if not sock.recv(1):
            raise ConnectionResetError
    assert passes(site.websocket(f"/?token={site.token()}", sock=over_tls(site, authority)))


def test_tls_without_a_certificate_is_refused(site, authority):
    with pytest.raises(OSError):
        over_tls(site, authority)


def test_stop_tells_browsers_to_come_back(site):
    browser = site.websocket(f"/?token={site.token()}")
    assert passes(browser)
    ender = threading.Thread(target=site.server.stop, args=(PATIENCE_S,))
    ender.start()
    assert browser.close_code() == 1001
    ender.join()
    with pytest.raises(OSError):
        site.connect()
