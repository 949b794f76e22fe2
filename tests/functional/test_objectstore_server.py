"""The object store behind the real HTTP server on loopback: when bodies come, and when not."""

import contextlib
import http.client
import socket

import pytest

from nova.cmd.compose.http import make_server
from nova.wsgi import HttpSettings, listen
from tests.fixtures.s3_site import S3Site
from tests.fixtures.s3_wire import HOST

pytestmark = pytest.mark.loopback


@pytest.fixture
def site(conf, tmp_path):
    return S3Site(conf, tmp_path)


@pytest.fixture
def owner(site):
    wire = site.wire("owner", "demo", "member", "reader")
    assert wire.send("PUT", "/box").status == 200
    return wire


@pytest.fixture
def port(site):
    settings = HttpSettings(name="test", host="127.0.0.1", port=0, body_bytes_per_s=8192)
    listener = listen(settings)
    server = make_server(settings, site.app, listener)
    server.start()
    yield listener.getsockname()[1]
    server.stop(5)


def head(request, **headers):
    lines = [f"{request.method} /box/a HTTP/1.1"]
    found = {**dict(request.headers.items()), **headers}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in found.items()]
    return "\r\n".join([*lines, "", ""]).encode()


@contextlib.contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        yield connection, connection.makefile("rb")


def test_body_is_asked_for_once_the_signature_is_known_to_be_good(owner, port):
    request = owner.sign("PUT", "/box/a", b"hello")
    with connected(port) as (connection, answers):
        connection.sendall(head(request, Content_Length=5, Expect="100-continue"))
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answers.readline() == b"\r\n"
        connection.sendall(b"hello")
        assert answers.readline().startswith(b"HTTP/1.1 200")
    assert owner.send("GET", "/box/a").body == b"hello"


def test_body_of_a_stranger_is_not_asked_for(owner, site, port):
    request = site.anybody().sign("PUT", "/box/a", b"hello")
    with connected(port) as (connection, answers):
        connection.sendall(head(request, Content_Length=5, Expect="100-continue"))
        assert answers.readline().startswith(b"HTTP/1.1 403")
        assert b"AccessDenied" in answers.read()


def test_connection_lives_on_after_a_body_that_nobody_wanted(owner, port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("PUT", "/box/a", bytes(1 << 20))
    answer = connection.getresponse()
    assert (answer.status, b"AccessDenied" in answer.read()) == (403, True)
    request = owner.sign("GET", "/box")
    connection.request("GET", "/box", headers={**dict(request.headers.items()), "Host": HOST})
    assert connection.getresponse().status == 200
    connection.close()


def test_body_in_chunks_of_http_and_of_amazon_is_decoded_twice(owner, port):
    framed = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    headers = {
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": "5",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    request = owner.sign("PUT", "/box/a", b"", headers)
    body = b"7\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (framed[:7], len(framed) - 7, framed[7:])
    with connected(port) as (connection, answers):
        connection.sendall(head(request, Transfer_Encoding="chunked") + body)
        assert answers.readline().startswith(b"HTTP/1.1 200")
    assert owner.send("GET", "/box/a").body == b"hello"


def test_broken_upload_leaves_nothing(owner, site, port, tmp_path):
    request = owner.sign("PUT", "/box/a", b"hello")
    with connected(port) as (connection, answers):
        connection.sendall(head(request, Content_Length=5) + b"hel")
        connection.shutdown(socket.SHUT_WR)
        assert b"IncompleteBody" in answers.read()
    assert owner.send("GET", "/box/a").code == "NoSuchKey"
    assert list((tmp_path / "buckets" / "box" / "data").iterdir()) == []
