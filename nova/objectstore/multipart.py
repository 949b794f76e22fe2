"""Uploads in parts.

Source: AWS, S3 API reference, CreateMultipartUpload and the actions it names.
"""

import re

from nova.objectstore import listing, ranges, xml
from nova.objectstore.acls import canned, owner_element
from nova.objectstore.call import Call, Response, empty
from nova.objectstore.errors import refuse
from nova.objectstore.objects import attributes_of, check_length, source_of
from nova.objectstore.xml import element

MAX_PARTS = 10_000

_NUMBER = re.compile(r"[0-9]{1,5}")


def create_upload(call: Call) -> Response:
    """POST object?uploads."""
    bucket = call.writable_bucket()
    attributes = attributes_of(call, canned(call.request))
    upload_id = call.store.uploads.create(bucket.name, call.request.key, attributes)
    return Response.of_document(
        element(
            "InitiateMultipartUploadResult",
            element("Bucket", bucket.name),
            element("Key", call.request.key),
            element("UploadId", upload_id),
        )
    )


def put_part(call: Call) -> Response:
    """PUT object?partNumber=&uploadId=, from the body or from an object."""
    bucket = call.writable_bucket()
    number = _part_number(call.request.parameter("partNumber"))
    if call.request.header("x-amz-copy-source") is not None:
        return _copy_part(call, bucket.name, number)
    check_length(call)
    part = call.store.uploads.put_part(
        bucket.name, call.request.key, _upload_id(call), number, call.payload
    )
    checksum = call.payload.checksum
    headers = {"ETag": f'"{part.etag}"'}
    if checksum is not None:
        headers[checksum.header] = checksum.value
    return empty(headers=headers)


def complete_upload(call: Call) -> Response:
    """POST object?uploadId=."""
    bucket = call.writable_bucket()
    parts = [
        (_part_number(xml.required(one, "PartNumber")), xml.required(one, "ETag").strip('"'))
        for one in call.document("CompleteMultipartUpload").findall("Part")
    ]
    if not parts:
        raise refuse("MalformedXML", "You must specify at least one part")
    info = call.store.uploads.complete(bucket.name, call.request.key, _upload_id(call), parts)
    return Response.of_document(
        element(
            "CompleteMultipartUploadResult",
            element("Location", f"/{bucket.name}/{call.request.key}"),
            element("Bucket", bucket.name),
            element("Key", call.request.key),
            element("ETag", f'"{info.etag}"'),
        )
    )


def abort_upload(call: Call) -> Response:
    """DELETE object?uploadId=."""
    bucket = call.writable_bucket()
    call.store.uploads.abort(bucket.name, call.request.key, _upload_id(call))
    return empty(204)


def list_parts(call: Call) -> Response:
    """GET object?uploadId=."""
    bucket, request = call.own_bucket(), call.request
    text = listing.encoding(request)
    limit = listing.max_keys(request, "max-parts")
    marker = _marker(request.parameter("part-number-marker"))
    found = call.store.uploads.list_parts(bucket.name, request.key, _upload_id(call))
    later = [part for part in found if part.number > marker]
    shown = later[:limit]
    return Response.of_document(
        element(
            "ListPartsResult",
            element("Bucket", bucket.name),
            element("Key", text(request.key)),
            element("UploadId", _upload_id(call)),
            owner_element(bucket.project_id, "Initiator"),
            owner_element(bucket.project_id),
            element("StorageClass", "STANDARD"),
            element("PartNumberMarker", marker),
            element("NextPartNumberMarker", shown[-1].number if shown else marker),
            element("MaxParts", limit),
            element("IsTruncated", len(later) > len(shown)),
            *(
                element(
                    "Part",
                    element("PartNumber", part.number),
                    element("LastModified", xml.timestamp(part.modified_at)),
                    element("ETag", f'"{part.etag}"'),
                    element("Size", part.size_bytes),
                )
                for part in shown
            ),
        )
    )


def list_uploads(call: Call) -> Response:
    """GET bucket?uploads."""
    bucket, request = call.own_bucket(), call.request
    text = listing.encoding(request)
    limit = listing.max_keys(request, "max-uploads")
    prefix = request.parameter("prefix") or ""
    key_marker = request.parameter("key-marker") or ""
    id_marker = request.parameter("upload-id-marker") or ""
    found = [
        one
        for one in call.store.uploads.list_all(bucket.name)
        if one.key.startswith(prefix)
        and (one.key > key_marker or (one.key == key_marker and one.upload_id > id_marker > ""))
    ]
    shown = found[:limit]
    more = len(found) > len(shown)
    return Response.of_document(
        element(
            "ListMultipartUploadsResult",
            element("Bucket", bucket.name),
            element("KeyMarker", text(key_marker)),
            element("UploadIdMarker", id_marker),
            *([element("NextKeyMarker", text(shown[-1].key))] if more and shown else ()),
            *([element("NextUploadIdMarker", shown[-1].upload_id)] if more and shown else ()),
            element("Prefix", text(prefix)),
            element("MaxUploads", limit),
            element("IsTruncated", more),
            *(
                element(
                    "Upload",
                    element("Key", text(one.key)),
                    element("UploadId", one.upload_id),
                    owner_element(bucket.project_id, "Initiator"),
                    owner_element(bucket.project_id),
                    element("StorageClass", "STANDARD"),
                    element("Initiated", xml.timestamp(one.created_at)),
                )
                for one in shown
            ),
        )
    )


def _copy_part(call: Call, bucket: str, number: int) -> Response:
    source = source_of(call)
    wanted = call.request.header("x-amz-copy-source-range")
    first, last = 0, source.size_bytes - 1
    if wanted is not None:
        first, last = ranges.copied_range(wanted, source.size_bytes)
    pieces = call.store.read(source, first, last - first + 1)
    part = call.store.uploads.copy_part(pieces, bucket, call.request.key, _upload_id(call), number)
    return Response.of_document(
        element(
            "CopyPartResult",
            element("LastModified", xml.timestamp(part.modified_at)),
            element("ETag", f'"{part.etag}"'),
        )
    )


def _upload_id(call: Call) -> str:
    return call.request.parameter("uploadId") or ""


def _part_number(text: str | None) -> int:
    if text is None or not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MAX_PARTS:
        raise refuse(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive",
        )
    return int(text)


def _marker(text: str | None) -> int:
    if not text:
        return 0
    if not _NUMBER.fullmatch(text):
        raise refuse("InvalidArgument", "part-number-marker must be an integer")
    return int(text)
