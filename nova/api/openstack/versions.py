"""Microversions: their numbers, ranges, headers and documents."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from nova import exception

STANDARD_HEADER = "OpenStack-API-Version"
LEGACY_HEADER = "X-OpenStack-Nova-API-Version"
SERVICE_TYPE = "compute"
ID = "v2.1"
MOUNT = f"/{ID}"
UPDATED = "2013-07-23T11:33:21Z"

_FORM = re.compile(r"^([1-9]\d{0,3})\.([1-9]\d{0,3}|0)\Z", re.ASCII)


class Version(NamedTuple):
    """A microversion; compares by number, not by text."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def parse(text: str) -> Version:
    """Return the version that a text names.

    Raises: ApiVersionInvalid.
    """
    found = _FORM.match(text)
    if found is None:
        raise exception.ApiVersionInvalid(version=text[:20])
    return Version(int(found[1]), int(found[2]))


MINIMUM = Version(2, 1)
MAXIMUM = Version(2, 96)


class Range:
    """A closed range of versions; an open end reaches to the newest."""

    __slots__ = ("since", "until")

    def __init__(self, since: str | None = None, until: str | None = None) -> None:
        self.since = parse(since) if since else MINIMUM
        self.until = parse(until) if until else None

    def __contains__(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def __str__(self) -> str:
        return f"{self.since}-{self.until or ''}"

    def overlaps(self, other: "Range") -> bool:
        """Tell whether some version is in both."""
        return (self.until is None or other.since <= self.until) and (
            other.until is None or self.since <= other.until
        )


def negotiate(standard: str | None, legacy: str | None) -> Version:
    """Return the version that the two request headers ask for, 2.1 when neither does.

    Raises: ApiVersionInvalid, ApiVersionNotSupported.
    """
    text = _for_this_service(standard) or (legacy or "").strip()
    if not text:
        return MINIMUM
    if text == "latest":
        return MAXIMUM
    version = parse(text)
    if not MINIMUM <= version <= MAXIMUM:
        raise exception.ApiVersionNotSupported(
            version=str(version), minimum=str(MINIMUM), maximum=str(MAXIMUM)
        )
    return version


def _for_this_service(header: str | None) -> str:
    """Return the version for compute out of a header that may list several services."""
    for entry in (header or "").split(","):
        words = entry.split()
        if words and words[0].lower() == SERVICE_TYPE:
            if len(words) != 2:
                raise exception.ApiVersionInvalid(version=entry.strip()[:20])
            return words[1]
    return ""


def response_headers(version: Version | None) -> Mapping[str, str]:
    """Return the headers that tell the version used."""
    headers = {"Vary": f"{STANDARD_HEADER}, {LEGACY_HEADER}"}
    if version is not None:
        headers[STANDARD_HEADER] = f"{SERVICE_TYPE} {version}"
        headers[LEGACY_HEADER] = str(version)
    return headers


def _summary(base: str) -> dict[str, object]:
    return {
        "id": ID,
        "status": "CURRENT",
        "version": str(MAXIMUM),
        "min_version": str(MINIMUM),
        "updated": UPDATED,
        "links": [{"rel": "self", "href": f"{base}{MOUNT}/"}],
    }


_MEDIA_TYPES = [
    {
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }
]


def list_document(base: str) -> dict[str, object]:
    """Return the document at the root of the service."""
    return {"versions": [_summary(base)]}


def version_document(base: str) -> dict[str, object]:
    """Return the document of version 2.1."""
    links = [
        {"rel": "self", "href": f"{base}{MOUNT}/"},
        {
            "rel": "describedby",
            "type": "text/html",
            "href": "https://docs.openstack.org/api-ref/compute/",
        },
    ]
    return {"version": {**_summary(base), "links": links, "media-types": _MEDIA_TYPES}}


def choices_document(base: str, path: str) -> dict[str, object]:
    """Return the document that says where else a path outside the mounts may be."""
    return {
        "choices": [
            {
                "id": ID,
                "status": "CURRENT",
                "links": [{"rel": "self", "href": f"{base}{MOUNT}{path}"}],
                "media-types": _MEDIA_TYPES,
            }
        ]
    }
