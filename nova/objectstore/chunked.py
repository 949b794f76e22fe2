"""The framing aws-chunked: pieces of a body with their sizes, then trailing headers.

Signatures of the pieces can be checked by nobody but holders of the secret, and Keystone
checks the first signature only; so pieces count as unsigned, like UNSIGNED-PAYLOAD, and the
checksum that trails them is what they are compared with.
Source: AWS, "Signature calculations for the Authorization header: transferring payload in
multiple chunks" of the S3 API reference.
"""

import re
from collections.abc import Iterator

from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.request import Stream

PIECE_BYTES = 128 * 1024
MAX_LINE_BYTES = 4096
MAX_TRAILERS = 20

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(;[^\r\n]*)?")
_TRAILER = re.compile(rb"([A-Za-z0-9-]+):[ \t]*([^\x00-\x1f]*)")


class ChunkedReader:
    """Takes the framing off; trailers are there once all pieces were read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""
        self.trailers: dict[str, str] = {}

    def pieces(self) -> Iterator[bytes]:
        """Yield the content.  Raises: Refusal."""
        while size := self._size():
            while size:
                piece = self._take(min(size, PIECE_BYTES))
                size -= len(piece)
                yield piece
            if self._line():
                raise _malformed("a chunk is longer than it says")
        self._read_trailers()

    def _size(self) -> int:
        found = _SIZE.fullmatch(self._line())
        if found is None:
            raise _malformed("the size of a chunk can not be read")
        return int(found[1], 16)

    def _read_trailers(self) -> None:
        """Take the headers up to an empty line or the end, which clients may leave out."""
        while (line := self._line(may_end=True)) and len(self.trailers) < MAX_TRAILERS:
            found = _TRAILER.fullmatch(line)
            if found is None:
                raise _malformed("a trailing header can not be read")
            self.trailers[found[1].decode().lower()] = found[2].decode("latin-1").strip()
        if self._buffer or self._stream.read(1):
            raise _malformed("bytes follow after the last chunk")

    def _take(self, size: int) -> bytes:
        """Return some bytes, at most so many."""
        if not self._buffer:
            self._fill()
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def _line(self, *, may_end: bool = False) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise _malformed("a line is too long")
            if not self._fill(may_end=may_end):
                return b""
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def _fill(self, *, may_end: bool = False) -> bool:
        piece = self._stream.read(PIECE_BYTES)
        if not piece and (not may_end or self._buffer):
            raise refuse("IncompleteBody", "The body ended before the last chunk.")
        self._buffer += piece
        return bool(piece)


def _malformed(reason: str) -> Refusal:
    return refuse("InvalidRequest", f"The aws-chunked body is malformed: {reason}.")
