"""Heads of requests that two servers might read differently are refused."""

import io

import pytest

from nova.http_framing import BadFraming, check_request_line, read_head

BAD = {
    "length and encoding": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 3\r\n",
    "length with sign": b"Content-Length: +3\r\n",
    "length list": b"Content-Length: 3, 3\r\n",
    "empty length": b"Content-Length:\r\n",
    "other encoding": b"Transfer-Encoding: identity, chunked\r\n",
    "two encodings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "bare line feed": b"A: b\nC: d\r\n",
    "line feed at the end": b"A: b\n",
    "folded": b"A: b\r\n c\r\n",
    "space before colon": b"Content-Length : 3\r\n",
    "no colon": b"Content-Length\r\n",
    "no name": b": 3\r\n",
    "carriage return inside": b"A: b\rc\r\n",
    "zero byte": b"A: b\x00\r\n",
    "two hosts": b"Host: a\r\nHost: b\r\n",
    "too long": b"A: " + b"x" * 300 + b"\r\n",
    "too many": b"A: b\r\n" * 200,
    "cut off": b"A: b",
}


def head(lines):
    return read_head(io.BytesIO(lines + b"\r\n" if lines.endswith(b"\n") else lines).readline, 256)


@pytest.mark.parametrize("lines", BAD.values(), ids=BAD.keys())
def test_in_15_ambiguous_head_is_refused(lines):
    with pytest.raises(BadFraming):
        head(lines)


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: a\r\n",
        b"Content-Length: 0\r\nX-Auth-Token: a b\r\n",
        b"transfer-encoding: Chunked\r\n",
        b"A: b\r\nA: c\r\n",
        b"A: \xc3\xa4\tb\r\n",
    ],
)
def test_ordinary_head_is_passed_on_as_it_is(lines):
    assert head(lines) == lines + b"\r\n"


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\n", b"GET /\x00 HTTP/1.1\r\n", b"G" * 99])
def test_in_15_request_line_is_checked(line):
    with pytest.raises(BadFraming):
        check_request_line(line, 50)
