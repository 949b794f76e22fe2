"""The body of a request: its pieces, checked against everything that was said about them."""

import base64
import binascii
import dataclasses
import hashlib
from collections.abc import Iterator

from nova.objectstore.checksums import ALGORITHMS, Digest, text_of
from nova.objectstore.chunked import PIECE_BYTES, ChunkedReader
from nova.objectstore.claim import (
    SIGNED_CHUNKS_TRAILER,
    STREAMING,
    UNSIGNED,
    UNSIGNED_TRAILER,
    Claim,
)
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.request import Request, Stream

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024

_PREFIX = "x-amz-checksum-"
_NO_ALGORITHM = ("algorithm", "mode", "type")
_WITH_TRAILER = (UNSIGNED_TRAILER, SIGNED_CHUNKS_TRAILER)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """A sum in base64, as clients send it and get it back."""

    algorithm: str
    value: str

    @property
    def header(self) -> str:
        """The name of its header."""
        return _PREFIX + self.algorithm


class Payload:
    """The bytes that a request brings; checksum is known once pieces() has ended.

    length: bytes of the content, None when only the end will tell.
    """

    def __init__(self, request: Request, claim: Claim | None) -> None:
        self._request = request
        self._claimed = UNSIGNED if claim is None else claim.payload
        encodings = request.headers.get("content-encoding", "").split(",")
        self._is_framed = self._claimed in STREAMING or "aws-chunked" in map(str.strip, encodings)
        self.length = self._announced_length()
        self._md5 = _expected_md5(request.headers.get("content-md5"))
        self._algorithm, self._sum = _announced(request, self._claimed)
        self.checksum: Checksum | None = None

    def _announced_length(self) -> int | None:
        if not self._is_framed:
            return self._request.length
        text = self._request.headers.get("x-amz-decoded-content-length")
        if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
            raise refuse(
                "MissingContentLength", "A body in chunks needs x-amz-decoded-content-length."
            )
        return int(text)

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, and fail in the end if it is not what was announced.

        Raises: Refusal.
        """
        sums = self._sums()
        framed = ChunkedReader(_Whole(self._request.stream)) if self._is_framed else None
        size = 0
        for piece in framed.pieces() if framed else self._plain():
            size += len(piece)
            if self.length is not None and size > self.length:
                raise _incomplete()
            for one in sums.values():
                one.update(piece)
            yield piece
        if self.length is not None and size != self.length:
            raise _incomplete()
        self._compare(sums, framed.trailers if framed else {})

    def document(self) -> bytes:
        """Return a body that must be small.  Raises: Refusal."""
        found = b""
        for piece in self.pieces():
            found += piece
            if len(found) > MAX_DOCUMENT_BYTES:
                raise refuse("MalformedXML", "The document is too large.")
        return found

    def _plain(self) -> Iterator[bytes]:
        left, stream = self.length, _Whole(self._request.stream)
        while left is None or left:
            size = PIECE_BYTES if left is None else min(left, PIECE_BYTES)
            piece = stream.read(size)
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece

    def _sums(self) -> dict[str, Digest]:
        sums: dict[str, Digest] = {}
        if self._md5 is not None:
            sums["md5"] = hashlib.md5(usedforsecurity=False)
        if self._claimed not in STREAMING and self._claimed != UNSIGNED:
            sums["payload"] = hashlib.sha256()
        if self._algorithm is not None:
            sums["checksum"] = ALGORITHMS[self._algorithm]()
        return sums

    def _compare(self, sums: dict[str, Digest], trailers: dict[str, str]) -> None:
        if "payload" in sums and sums["payload"].digest().hex() != self._claimed:
            raise refuse(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        if "md5" in sums and sums["md5"].digest() != self._md5:
            raise refuse(
                "BadDigest", "The Content-MD5 you specified did not match what we received."
            )
        if self._algorithm is None:
            return
        name = _PREFIX + self._algorithm
        expected = self._sum or trailers.get(name)
        if expected is None:
            raise refuse("MalformedTrailerError", f"The trailing header {name} is missing.")
        found = text_of(sums["checksum"])
        if found != expected:
            raise refuse("BadDigest", f"The {name} you specified did not match what we received.")
        self.checksum = Checksum(algorithm=self._algorithm, value=found)


class _Whole:
    """A stream whose breaks are told in the words of S3."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Read as the stream does.  Raises: Refusal."""
        try:
            return self._stream.read(size)
        except (OSError, ValueError) as error:
            raise _incomplete() from error


def _incomplete() -> Refusal:
    return refuse(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    )


def _expected_md5(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != 16:
        raise refuse("InvalidDigest", "The Content-MD5 you specified was invalid.")
    return found


def _announced(request: Request, claimed: str) -> tuple[str | None, str | None]:
    """Return the algorithm of the checksum, and the sum if it does not trail the body."""
    found = [
        (name.removeprefix(_PREFIX), value)
        for name, value in request.headers.items()
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _NO_ALGORITHM
    ]
    trailer = request.headers.get("x-amz-trailer", "").strip().lower()
    if trailer.startswith(_PREFIX):
        found.append((trailer.removeprefix(_PREFIX), ""))
    elif claimed in _WITH_TRAILER:
        raise refuse("MalformedTrailerError", "x-amz-trailer must name a checksum.")
    if len(found) > 1:
        raise refuse("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    if not found:
        return None, None
    algorithm, value = found[0]
    if algorithm not in ALGORITHMS:
        raise refuse("InvalidRequest", f"There is no checksum algorithm {algorithm[:20]}.")
    return algorithm, value or None
