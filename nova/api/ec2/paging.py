"""Pages of long answers: MaxResults, and NextToken that says where the next one begins."""

import base64
import binascii
import json

from nova.api.ec2 import xml
from nova.api.ec2.params import TEXT, Param, integer, invalid

MAX_RESULTS = 1000
_LONGEST_TOKEN = 1024

PAGE = (
    Param("MaxResults", type=integer(1, 2**31 - 1)),
    Param("NextToken", type=TEXT),
)


def token_of(action: str, marker: str) -> str:
    """Return the token of the page behind a marker."""
    return base64.urlsafe_b64encode(json.dumps([action, marker]).encode()).decode()


def marker_of(action: str, token: str | None) -> str | None:
    """Return the marker that a token of the same action stands for.

    A token says where to go on, and lets nobody at anything that he could not ask for.
    Raises: Ec2ParameterInvalid.
    """
    if not token:
        return None
    try:
        found = json.loads(base64.b64decode(token[:_LONGEST_TOKEN], altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise invalid("NextToken", "it was not given out here") from error
    if not isinstance(found, list) or [type(part) for part in found] != [str, str]:
        raise invalid("NextToken", "it was not given out here")
    if found[0] != action:
        raise invalid("NextToken", "it belongs to another action")
    marker: str = found[1]
    if not xml.can_hold(marker):
        raise invalid("NextToken", "it was not given out here")
    return marker


def size_of(max_results: int | None) -> int:
    """Return how many things a page may have."""
    return min(max_results or MAX_RESULTS, MAX_RESULTS)
