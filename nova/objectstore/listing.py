"""Lists of objects, page by page, in both versions of S3's and with versions that are none.

Source: AWS, S3 API reference, ListObjects, ListObjectsV2, ListObjectVersions.
"""

import base64
import binascii
from collections.abc import Callable, Iterator
from urllib.parse import quote
from xml.etree.ElementTree import Element

from nova.objectstore import xml
from nova.objectstore.acls import owner_element
from nova.objectstore.call import Call, Response
from nova.objectstore.errors import refuse
from nova.objectstore.records import Bucket, ObjectInfo, Page
from nova.objectstore.request import Request
from nova.objectstore.xml import element

MAX_KEYS = 1000

_Text = Callable[[str], str]


def list_objects(call: Call) -> Response:
    """GET bucket, with list-type=2 or without."""
    bucket = call.listable_bucket()
    if call.request.parameter("list-type") == "2":
        return _version_2(call, bucket)
    return _version_1(call, bucket)


def list_versions(call: Call) -> Response:
    """GET bucket?versions: every object has one version, which has no name."""
    bucket = call.listable_bucket()
    request, text = call.request, encoding(call.request)
    marker = request.parameter("key-marker") or ""
    page = _page(call, bucket, marker)
    versions = (
        element(
            "Version",
            *_described(info, text),
            element("VersionId", "null"),
            element("IsLatest", True),
            owner_element(bucket.project_id),
        )
        for info in page.objects
    )
    return Response.of_document(
        element(
            "ListVersionsResult",
            element("Name", bucket.name),
            *_asked(request, text),
            element("KeyMarker", text(marker)),
            element("VersionIdMarker"),
            *([element("NextKeyMarker", text(page.next_marker))] if page.next_marker else ()),
            *([element("NextVersionIdMarker", "null")] if page.next_marker else ()),
            element("IsTruncated", bool(page.next_marker)),
            *versions,
            *_prefixes(page, text),
        )
    )


def _version_1(call: Call, bucket: Bucket) -> Response:
    request, text = call.request, encoding(call.request)
    marker = request.parameter("marker") or ""
    page = _page(call, bucket, marker)
    is_terse = request.parameter("terse") == "1"
    return Response.of_document(
        element(
            "ListBucketResult",
            element("Name", bucket.name),
            *_asked(request, text),
            element("Marker", text(marker)),
            *([element("NextMarker", text(page.next_marker))] if page.next_marker else ()),
            element("IsTruncated", bool(page.next_marker)),
            *(_contents(info, text, bucket, is_terse=is_terse) for info in page.objects),
            *_prefixes(page, text),
        )
    )


def _version_2(call: Call, bucket: Bucket) -> Response:
    request, text = call.request, encoding(call.request)
    token, start = request.parameter("continuation-token"), request.parameter("start-after")
    page = _page(call, bucket, _of_token(token) if token is not None else start or "")
    with_owner = request.parameter("fetch-owner") == "true"
    more = [element("NextContinuationToken", _token(page.next_marker))] if page.next_marker else []
    return Response.of_document(
        element(
            "ListBucketResult",
            element("Name", bucket.name),
            *_asked(request, text),
            *([element("ContinuationToken", token)] if token is not None else ()),
            *([element("StartAfter", text(start))] if start is not None else ()),
            element("KeyCount", len(page.objects) + len(page.common_prefixes)),
            element("IsTruncated", bool(page.next_marker)),
            *more,
            *(_contents(info, text, bucket, with_owner=with_owner) for info in page.objects),
            *_prefixes(page, text),
        )
    )


def encoding(request: Request) -> _Text:
    """Return how keys are written.  Raises: Refusal."""
    found = request.parameter("encoding-type")
    if found is None:
        return str
    if found != "url":
        raise refuse("InvalidArgument", "Invalid Encoding Method specified in Request")
    return lambda text: quote(text, safe="/")


def max_keys(request: Request, name: str = "max-keys") -> int:
    """Return how many entries a page may have.  Raises: Refusal."""
    text = request.parameter(name)
    if text is None:
        return MAX_KEYS
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise refuse("InvalidArgument", f"Provided {name} not an integer or within integer range")
    return min(int(text), MAX_KEYS)


def _page(call: Call, bucket: Bucket, marker: str) -> Page:
    request = call.request
    return call.store.list_objects(
        bucket.name,
        prefix=request.parameter("prefix") or "",
        delimiter=request.parameter("delimiter") or "",
        marker=marker,
        limit=max_keys(request),
    )


def _asked(request: Request, text: _Text) -> Iterator[Element]:
    """Yield what the request said about the page."""
    yield element("Prefix", text(request.parameter("prefix") or ""))
    delimiter = request.parameter("delimiter")
    if delimiter:
        yield element("Delimiter", text(delimiter))
    yield element("MaxKeys", max_keys(request))
    found = request.parameter("encoding-type")
    if found:
        yield element("EncodingType", found)


def _contents(
    info: ObjectInfo,
    text: _Text,
    bucket: Bucket,
    *,
    is_terse: bool = False,
    with_owner: bool = True,
) -> Element:
    if is_terse:
        return element("Contents", element("Key", text(info.key)))
    owner = [owner_element(bucket.project_id)] if with_owner else []
    return element("Contents", *_described(info, text), *owner)


def _described(info: ObjectInfo, text: _Text) -> Iterator[Element]:
    yield element("Key", text(info.key))
    yield element("LastModified", xml.timestamp(info.modified_at))
    yield element("ETag", f'"{info.etag}"')
    yield element("Size", info.size_bytes)
    yield element("StorageClass", "STANDARD")


def _prefixes(page: Page, text: _Text) -> Iterator[Element]:
    for prefix in page.common_prefixes:
        yield element("CommonPrefixes", element("Prefix", text(prefix)))


def _token(marker: str) -> str:
    return base64.urlsafe_b64encode(marker.encode()).decode()


def _of_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise refuse("InvalidArgument", "The continuation token provided is incorrect") from None
