"""The body of a request on the server for native threads: never more than a piece in memory."""

from collections.abc import Callable
from typing import Any

from cheroot.server import ChunkedRFile

PIECE_BYTES = 128 * 1024
MAX_LINE_BYTES = 4096
# Bytes of a body that nobody wants which are taken before the connection is closed instead.
MAX_UNWANTED_BYTES = 16 * 1024 * 1024


class BoundedChunks(ChunkedRFile):
    """Takes chunks in pieces; the library would hold each of them in memory, of any size.

    Source: RFC 9112 section 7.1.
    """

    def __init__(self, rfile: Any) -> None:
        super().__init__(rfile, 0)
        self._left = 0

    def _fetch(self) -> None:
        if self.closed:
            return
        if not self._left:
            self._left = self._size()
        if not self._left:
            self.closed = True
            while self._line():
                pass
            return
        piece = self.rfile.read(min(self._left, PIECE_BYTES))
        if not piece:
            raise OSError("the body ended within a chunk")
        self._left -= len(piece)
        self.buffer += piece
        if not self._left and self._line():
            raise ValueError("a chunk is longer than it says")

    def _size(self) -> int:
        size = self._line().partition(b";")[0].strip()
        if not size or len(size) > 16 or size.strip(b"0123456789abcdefABCDEF"):
            raise ValueError("the size of a chunk can not be read")
        return int(size, 16)

    def _line(self) -> bytes:
        line: bytes = self.rfile.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\r\n"):
            raise ValueError("a line of the chunks does not end")
        return line[:-2]


class ContinuedInput:
    """A body that is told to come when it is first read (Expect: 100-continue)."""

    def __init__(self, inner: Any, tell: Callable[[], None]) -> None:
        self._inner = inner
        self._tell: Callable[[], None] | None = tell

    @property
    def is_awaited(self) -> bool:
        """Tell whether the client still waits for permission to send."""
        return self._tell is not None

    def read(self, *args: Any) -> bytes:
        """Read as a file does."""
        self._go_on()
        found: bytes = self._inner.read(*args)
        return found

    def readline(self, *args: Any) -> bytes:
        """Read a line as a file does."""
        self._go_on()
        found: bytes = self._inner.readline(*args)
        return found

    def _go_on(self) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def discard(body: Any) -> bool:
    """Take the rest of a body that nobody wants; tell whether that was all of it."""
    taken = 0
    while taken < MAX_UNWANTED_BYTES:
        try:
            piece = body.read(PIECE_BYTES)
        except (OSError, ValueError):
            return False
        if not piece:
            return getattr(body, "remaining", 0) == 0
        taken += len(piece)
    return False
