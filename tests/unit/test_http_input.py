"""Bodies on the server for native threads: in pieces, when they are wanted, and to their end."""

import io

import pytest

from nova.http_input import (
    MAX_UNWANTED_BYTES,
    PIECE_BYTES,
    BoundedChunks,
    ContinuedInput,
    discard,
)


class Counting(io.BytesIO):
    """Knows the largest piece that was asked for."""

    largest = 0

    def read(self, size=-1):
        self.largest = max(self.largest, size)
        return super().read(size)


def test_one_large_chunk_is_read_in_pieces():
    body = bytes(PIECE_BYTES * 5 + 3)
    inner = Counting(b"%x;a=b\r\n%s\r\n0\r\nX-A: b\r\n\r\nGET" % (len(body), body))
    chunks = BoundedChunks(inner)
    found = b"".join(iter(lambda: chunks.read(1000), b""))
    assert found == body
    assert inner.largest <= PIECE_BYTES
    assert inner.read(3) == b"GET"


def test_small_chunks_are_joined():
    chunks = BoundedChunks(io.BytesIO(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"))
    assert chunks.read(100) == b"hello"
    assert chunks.read(100) == b""


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello",
        b"\r\nhello",
        b"5\r\nhel",
        b"5\r\nhelloo\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5" * 5000,
    ],
)
def test_malformed_chunks_are_refused(body):
    with pytest.raises((OSError, ValueError)):
        BoundedChunks(io.BytesIO(body)).read(100)


def test_client_is_told_to_go_on_once_and_when_its_body_is_read():
    told = []
    body = ContinuedInput(io.BytesIO(b"hello\nworld"), lambda: told.append(1))
    assert body.is_awaited and not told
    assert (body.readline(), body.read()) == (b"hello\n", b"world")
    assert told == [1] and not body.is_awaited


def test_rest_of_a_body_is_taken_up_to_a_limit():
    assert discard(io.BytesIO(bytes(1000)))
    assert not discard(io.BytesIO(bytes(MAX_UNWANTED_BYTES + PIECE_BYTES)))
    assert not discard(BoundedChunks(io.BytesIO(b"nonsense")))
