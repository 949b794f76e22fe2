"""Objects: put, get, look at, copy, delete, one or many.

Source: AWS, S3 API reference.
"""

from urllib.parse import unquote
from xml.etree.ElementTree import Element

from nova import exception
from nova.objectstore import http_dates, ranges, xml
from nova.objectstore.acls import canned
from nova.objectstore.call import Call, Response, empty
from nova.objectstore.errors import refuse
from nova.objectstore.faults import fault_of
from nova.objectstore.records import Attributes, ObjectInfo
from nova.objectstore.xml import element

MAX_METADATA_BYTES = 2048
MAX_DELETED = 1000
MAX_PUT_BYTES = 5 * 1024**3

# Headers that are kept with an object and given back.
_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_OVERRIDES = (*_KEPT, "content-type")
_META = "x-amz-meta-"
_DEFAULT_TYPE = "binary/octet-stream"


def get_object(call: Call) -> Response:
    """GET object."""
    info, status, headers, first, length = _looked_at(call)
    return Response(status=status, headers=headers, body=call.store.read(info, first, length))


def head_object(call: Call) -> Response:
    """HEAD object."""
    _, status, headers, _, _ = _looked_at(call)
    return Response(status=status, headers=headers)


def put_object(call: Call) -> Response:
    """PUT object, from the body or from another object."""
    if call.request.header("x-amz-copy-source") is not None:
        return _copy_object(call)
    bucket = call.writable_bucket()
    check_length(call)
    info = call.store.put_object(
        bucket.name,
        call.request.key,
        call.payload,
        attributes_of(call, canned(call.request)),
        lambda there: ranges.check_writing(call.request.header, there.etag if there else None),
    )
    return empty(headers={"ETag": f'"{info.etag}"', **checksum_headers(info)})


def delete_object(call: Call) -> Response:
    """DELETE object; it need not be there."""
    call.store.delete_object(call.writable_bucket().name, call.request.key)
    return empty(204)


def delete_objects(call: Call) -> Response:
    """POST bucket?delete: many objects at once."""
    bucket = call.writable_bucket()
    document = call.document("Delete")
    keys = [xml.required(one, "Key") for one in document.findall("Object")]
    if not 1 <= len(keys) <= MAX_DELETED:
        raise refuse("MalformedXML", f"Between 1 and {MAX_DELETED} objects can be deleted at once.")
    is_quiet = document.findtext("Quiet") == "true"
    answers = [_deleted(call, bucket.name, key) for key in keys]
    shown = [one for one in answers if not is_quiet or one.tag == "Error"]
    return Response.of_document(element("DeleteResult", *shown))


def _deleted(call: Call, bucket: str, key: str) -> Element:
    try:
        call.store.delete_object(bucket, key)
    except exception.NovaException as error:
        fault = fault_of(error)
        return element(
            "Error",
            element("Key", key),
            element("Code", fault.code),
            element("Message", fault.message),
        )
    return element("Deleted", element("Key", key))


def source_of(call: Call) -> ObjectInfo:
    """Return the object that a copy is made of.  Raises: Refusal."""
    text = unquote((call.request.header("x-amz-copy-source") or "").partition("?versionId=")[0])
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise refuse("InvalidArgument", "Copy Source must mention the source bucket and key")
    info = call.readable_object(bucket, key)
    ranges.check_copying(call.request.header, info.etag, info.modified_at)
    return info


def attributes_of(call: Call, acl: str) -> Attributes:
    """Return what is kept with an object besides its bytes.  Raises: Refusal."""
    request = call.request
    metadata = request.headers_beginning(_META)
    if sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA_BYTES:
        raise refuse(
            "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"
        )
    headers = {name: value for name in _KEPT if (value := request.headers.get(name))}
    encodings = [one.strip() for one in headers.pop("content-encoding", "").split(",")]
    encoding = ",".join(one for one in encodings if one and one != "aws-chunked")
    if encoding:
        headers["content-encoding"] = encoding
    return Attributes(
        content_type=request.headers.get("content-type") or _DEFAULT_TYPE,
        headers=headers,
        metadata=metadata,
        acl=acl,
    )


def checksum_headers(info: ObjectInfo) -> dict[str, str]:
    """Return the checksum of an object, if it was sent with one."""
    if info.checksum is None:
        return {}
    return {info.checksum.header: info.checksum.value}


def _copy_object(call: Call) -> Response:
    bucket = call.writable_bucket()
    source = source_of(call)
    replaces = call.request.header("x-amz-metadata-directive") == "REPLACE"
    is_itself = (source.bucket, source.key) == (bucket.name, call.request.key)
    if is_itself and not replaces:
        raise refuse(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata",
        )
    acl = canned(call.request)
    attributes = attributes_of(call, acl) if replaces else source.attributes.with_acl(acl)
    info = call.store.copy_object(source, bucket.name, call.request.key, attributes)
    return Response.of_document(
        element(
            "CopyObjectResult",
            element("LastModified", xml.timestamp(info.modified_at)),
            element("ETag", f'"{info.etag}"'),
        )
    )


def check_length(call: Call) -> None:
    """Refuse a body whose end nobody knows, or that is too large.  Raises: Refusal."""
    if call.payload.length is None:
        raise refuse("MissingContentLength", "You must provide the Content-Length HTTP header.")
    if call.payload.length > MAX_PUT_BYTES:
        raise refuse(
            "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."
        )


def _looked_at(call: Call) -> tuple[ObjectInfo, int, dict[str, str], int, int]:
    """Return an object, the status and headers of its answer, and the bytes that are wanted."""
    info, header = call.readable_object(), call.request.header
    ranges.check_reading(header, info.etag, info.modified_at)
    applies = ranges.applies(header, info.etag, info.modified_at)
    wanted = ranges.wanted_range(header("range") if applies else None, info.size_bytes)
    headers = _described(call, info)
    if wanted is None:
        headers["Content-Length"] = str(info.size_bytes)
        return info, 200, headers, 0, info.size_bytes
    first, last = wanted
    headers["Content-Range"] = f"bytes {first}-{last}/{info.size_bytes}"
    headers["Content-Length"] = str(last - first + 1)
    return info, 206, headers, first, last - first + 1


def _described(call: Call, info: ObjectInfo) -> dict[str, str]:
    kept = {"content-type": info.attributes.content_type, **info.attributes.headers}
    kept |= _overrides(call)
    headers = {name.title(): value for name, value in kept.items()}
    headers |= {f"{_META}{name}": value for name, value in info.attributes.metadata.items()}
    headers |= {
        "ETag": f'"{info.etag}"',
        "Last-Modified": http_dates.text_of(info.modified_at),
        "Accept-Ranges": "bytes",
    }
    if _may_run_scripts(headers["Content-Type"]):
        headers["Content-Security-Policy"] = "sandbox"
    has_range = call.request.header("range") is not None
    if call.request.header("x-amz-checksum-mode") == "ENABLED" and not has_range:
        headers |= checksum_headers(info)
    return headers


def _may_run_scripts(content_type: str) -> bool:
    """Tell whether a browser takes this for a page with scripts.

    They would be tenants' scripts on a host of ours, and cookies, a console's token among them,
    belong to a host with all of its ports.
    """
    return any(word in content_type.lower() for word in ("html", "xml"))


def _overrides(call: Call) -> dict[str, str]:
    """Return the headers of the answer that the query asks for.  Raises: Refusal."""
    found = {
        name: value
        for name in _OVERRIDES
        if (value := call.request.parameter(f"response-{name}")) is not None
    }
    if found and call.context is None:
        raise refuse(
            "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    for value in found.values():
        if not value.isprintable() or not value.isascii():
            raise refuse("InvalidArgument", "A header of the answer can not have such a value.")
    return found
