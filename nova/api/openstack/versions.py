"""Microversions: their numbers, ranges, headers and documents."""

import dataclasses
import re
from collections.abc import Mapping
from typing import NamedTuple

from nova import exception

STANDARD_HEADER = "OpenStack-API-Version"
LEGACY_HEADER = "X-OpenStack-Nova-API-Version"
SERVICE_TYPE = "compute"

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


# What requests to the old mounts speak: no microversions, and forgiving about bodies.
LEGACY = Version(2, 0)
MINIMUM = Version(2, 1)
MAXIMUM = Version(2, 104)


class Range:
    """A closed range of versions.

    An open beginning takes in the legacy version, an open end reaches to the newest.
    """

    __slots__ = ("since", "until")

    def __init__(self, since: str | None = None, until: str | None = None) -> None:
        self.since = parse(since) if since else LEGACY
        self.until = parse(until) if until else None

    def __contains__(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def __str__(self) -> str:
        return f"{max(self.since, MINIMUM)}-{self.until or ''}"

    @property
    def limited(self) -> bool:
        """Tell whether some microversion is not in it."""
        return self.since > MINIMUM or self.until is not None

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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the version documents say of one version of the API."""

    id: str
    mount: str
    status: str
    updated: str
    media_version: str
    newest: Version | None = None

    def summary(self, base: str) -> dict[str, object]:
        """Return what lists of versions show."""
        return {
            "id": self.id,
            "status": self.status,
            "version": str(self.newest or ""),
            "min_version": str(MINIMUM) if self.newest else "",
            "updated": self.updated,
            "links": [self._self_link(base)],
        }

    def document(self, base: str) -> dict[str, object]:
        """Return the version's own document."""
        described = {
            "rel": "describedby",
            "type": "text/html",
            "href": "https://docs.openstack.org/api-ref/compute/",
        }
        links = [self._self_link(base), described]
        return {**self.summary(base), "links": links, "media-types": self.media_types}

    def choice(self, base: str, path: str) -> dict[str, object]:
        """Return where this version would have a path."""
        return {
            "id": self.id,
            "status": self.status,
            "links": [{"rel": "self", "href": f"{base}{self.mount}{path}"}],
            "media-types": self.media_types,
        }

    @property
    def media_types(self) -> list[dict[str, str]]:
        """The types of bodies."""
        kind = f"application/vnd.openstack.compute+json;version={self.media_version}"
        return [{"base": "application/json", "type": kind}]

    def _self_link(self, base: str) -> dict[str, str]:
        return {"rel": "self", "href": f"{base}{self.mount}/"}


DOCUMENTS: Mapping[str, Document] = {
    "v2.0": Document(
        id="v2.0",
        mount="/v2",
        status="DEPRECATED",
        updated="2025-07-04T12:00:00Z",
        media_version="2",
    ),
    "v2.1": Document(
        id="v2.1",
        mount="/v2.1",
        status="CURRENT",
        updated="2013-07-23T11:33:21Z",
        media_version="2.1",
        newest=MAXIMUM,
    ),
}
# Where the API is found, and what is spoken there.  Source: api-conventions sections 10 and 11.
MOUNTS: Mapping[str, str] = {"/v2.1": "v2.1", "/v2": "v2.0", "/v1.1": "v2.0"}
CURRENT_MOUNT = "/v2.1"


def is_legacy(mount: str) -> bool:
    """Tell whether requests to a mount know no microversions."""
    return DOCUMENTS[MOUNTS[mount]].newest is None


def list_document(base: str) -> dict[str, object]:
    """Return the document at the root of the service."""
    return {"versions": [document.summary(base) for document in DOCUMENTS.values()]}


def version_document(base: str, mount: str, version_id: str | None) -> dict[str, object] | None:
    """Return the document of a version asked for by id at a mount; None: there is none.

    Old mounts have the document of the old version only, whatever is asked for.
    """
    wanted = MOUNTS[mount] if version_id is None or is_legacy(mount) else version_id
    found = DOCUMENTS.get(wanted)
    return None if found is None else {"version": found.document(base)}


def choices_document(base: str, path: str) -> dict[str, object]:
    """Return the document that says where else a path outside the mounts may be."""
    return {"choices": [document.choice(base, path) for document in DOCUMENTS.values()]}
