"""Clients that send a byte now and then, against the real HTTP server on loopback."""

import http.client
import socket

import pytest

from nova.cmd.compose.http import make_server
from nova.wsgi import HttpSettings, listen

SLOW = 150


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def serve():
    """Return a function that starts a server with settings; it gives the port."""
    servers = []

    def start(**changes):
        settings = HttpSettings(name="test", host="127.0.0.1", port=0, **changes)
        listener = listen(settings)
        server = make_server(settings, application, listener)
        server.start()
        servers.append(server)
        return listener.getsockname()[1]

    yield start
    for server in servers:
        server.stop(5)


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/", body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def dribble(port, start):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(start)
    return connection


@pytest.mark.loopback
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"GE", id="first line"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nX-A: ", id="headers"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", id="body"),
    ],
)
def test_in_17_slow_request_is_cut_off(serve, start):
    port = serve(header_timeout_s=1, body_timeout_s=1)
    connection = dribble(port, start)
    while connection.recv(4096):
        pass
    connection.close()
    assert post(port, b"fine") == (200, b"fine")


@pytest.mark.loopback
def test_in_17_many_slow_connections_leave_room_for_others(serve):
    port = serve(pool_size=60, header_timeout_s=60, slow_per_source=10)
    slow = [dribble(port, b"GET / HT") for _ in range(SLOW)]
    assert post(port, b"x" * 1000) == (200, b"x" * 1000)
    for connection in slow:
        connection.close()


@pytest.mark.loopback
def test_connection_carries_several_requests(serve):
    port = serve()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in (b"one", b"two" * 9999, b""):
        connection.request("POST", "/", body)
        assert connection.getresponse().read() == body
    connection.close()
