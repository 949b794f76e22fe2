"""What a signature claims, whichever version it has, and the rules about its age."""

import dataclasses
import datetime

from nova.objectstore.errors import Refusal, refuse

UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING = frozenset({UNSIGNED_TRAILER, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER})

MAX_SKEW = datetime.timedelta(minutes=15)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The holder of an access key asks for what is signed; who knows the secret can tell.

    payload: SHA-256 of the body, or one of the words above.
    also: another string that clients sign for the same request.
    """

    access: str
    signature: str
    string_to_sign: str
    payload: str = UNSIGNED
    is_presigned: bool = False
    also: str | None = None

    @property
    def covers_payload(self) -> bool:
        """Tell whether the signature speaks of the bytes of the body."""
        return self.payload not in STREAMING and self.payload != UNSIGNED


def check_age(signed_at: datetime.datetime, now: datetime.datetime) -> None:
    """Refuse a request that was signed too long ago, or will be.  Raises: Refusal."""
    if abs(now - signed_at) > MAX_SKEW:
        raise refuse(
            "RequestTimeTooSkewed",
            "The difference between the time of the request and the server's is too large.",
        )


def expired() -> Refusal:
    """Return the refusal of a URL whose time is over."""
    return refuse("AccessDenied", "Request has expired")
