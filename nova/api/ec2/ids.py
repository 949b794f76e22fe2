"""Ids as EC2 writes them: a prefix, a hyphen and a number in hexadecimal digits.

An id is the number of a row, and says nothing of whose it is: whoever looks one up limits
the look-up to what the caller may see, so that a foreign id is one that does not exist.
Source: ec2-api, section 4.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping

from nova import exception

INSTANCE = "i"
MACHINE, KERNEL, RAMDISK = "ami", "aki", "ari"
IMAGES = (MACHINE, KERNEL, RAMDISK)
GROUP = "sg"
ALLOCATION = "eipalloc"
ASSOCIATION = "eipassoc"
KEYPAIR = "key"
RESERVATION = "r"
VOLUME = "vol"
SNAPSHOT = "snap"

_NUMBER = re.compile(r"[0-9a-fA-F]{1,17}\Z", re.ASCII)
# What the databases' numbers of rows can hold.
_HIGHEST = 2**31 - 1


def compose(prefix: str, number: int) -> str:
    """Return the id of a number."""
    return f"{prefix}-{number:08x}"


def number_of(prefix: str, text: str, *, others: tuple[str, ...] = ()) -> int:
    """Return the number of an id with a prefix, or with one of the other prefixes.

    A number that no row can have is a number, of something that does not exist.
    Raises: Ec2IdMalformed.
    """
    found, hyphen, digits = text.rpartition("-")
    if not hyphen or found not in (prefix, *others) or not _NUMBER.match(digits):
        raise exception.Ec2IdMalformed(kind=prefix, given=text)
    number = int(digits, 16)
    return number if number <= _HIGHEST else 0


def image_prefix(container_format: str | None) -> str:
    """Return the prefix of an image's id."""
    return {"aki": KERNEL, "ari": RAMDISK}.get(container_format or "", MACHINE)


@contextlib.contextmanager
def instances_named(shown: Mapping[str, str]) -> Iterator[None]:
    """Let errors about instances name them by their EC2 ids, which are given by uuid."""
    with _named("instance_uuid", shown):
        yield


@contextlib.contextmanager
def image_named(image_id: str, ec2_id: str) -> Iterator[None]:
    """Let errors about an image name it by its EC2 id."""
    with _named("image_id", {image_id: ec2_id}):
        yield


@contextlib.contextmanager
def _named(what: str, shown: Mapping[str, str]) -> Iterator[None]:
    try:
        yield
    except exception.NovaException as error:
        if error.kwargs.get(what) not in shown:
            raise
        raise type(error)(**{**error.kwargs, what: shown[error.kwargs[what]]}) from error
