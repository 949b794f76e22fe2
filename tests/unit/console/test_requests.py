import pytest

from nova.console.requests import parse
from nova.http_framing import BadFraming


def test_head_of_a_request():
    found = parse(b"GET /a/b?c=d?e HTTP/1.1\r\nHost: x\r\nCookie: a=1\r\nCOOKIE: b=2\r\n\r\n", b"y")
    assert (found.method, found.path, found.query, found.rest) == ("GET", "/a/b", "c=d?e", b"y")
    assert found.headers == {"host": "x", "cookie": "a=1, b=2"}


@pytest.mark.parametrize(
    "head",
    [
        b"GET\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / \r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\r\n\r\n",
    ],
)
def test_malformed_heads_are_refused(head):
    with pytest.raises(BadFraming):
        parse(head)
