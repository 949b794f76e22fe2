"""Which function answers which request: method, what it is about, and the sub-resource.

Source: AWS, S3 API reference, list of actions.
"""

from collections.abc import Callable, Mapping

from nova.objectstore import acls, buckets, listing, multipart, objects, settings_calls
from nova.objectstore.call import Call, Response
from nova.objectstore.errors import refuse
from nova.objectstore.request import Request

Handler = Callable[[Call], Response]

SERVICE: Mapping[tuple[str, str], Handler] = {
    ("GET", ""): buckets.list_buckets,
}

BUCKET: Mapping[tuple[str, str], Handler] = {
    ("GET", ""): listing.list_objects,
    ("GET", "acl"): acls.show_bucket_acl,
    ("GET", "location"): buckets.show_location,
    ("GET", "uploads"): multipart.list_uploads,
    ("GET", "versions"): listing.list_versions,
    ("HEAD", ""): buckets.head_bucket,
    ("PUT", ""): buckets.create_bucket,
    ("PUT", "acl"): acls.set_bucket_acl,
    ("DELETE", ""): buckets.delete_bucket,
    ("POST", "delete"): objects.delete_objects,
}

OBJECT: Mapping[tuple[str, str], Handler] = {
    ("GET", ""): objects.get_object,
    ("GET", "acl"): acls.show_object_acl,
    ("GET", "uploadId"): multipart.list_parts,
    ("HEAD", ""): objects.head_object,
    ("PUT", ""): objects.put_object,
    ("PUT", "acl"): acls.set_object_acl,
    ("PUT", "uploadId"): multipart.put_part,
    ("POST", "uploads"): multipart.create_upload,
    ("POST", "uploadId"): multipart.complete_upload,
    ("DELETE", ""): objects.delete_object,
    ("DELETE", "uploadId"): multipart.abort_upload,
}

_OF_BUCKETS = frozenset({name for _, name in BUCKET if name} | settings_calls.OF_BUCKETS)
_OF_OBJECTS = frozenset({name for _, name in OBJECT if name} | settings_calls.OF_OBJECTS)


def handler_of(request: Request) -> Handler:
    """Return what answers a request.  Raises: Refusal."""
    if not request.bucket:
        found = SERVICE.get((request.method, ""))
    elif not request.key:
        found = _of_level(request, BUCKET, _OF_BUCKETS, settings_calls.bucket_handler)
    else:
        found = _of_level(request, OBJECT, _OF_OBJECTS, settings_calls.object_handler)
    if found is None:
        raise refuse(
            "MethodNotAllowed", "The specified method is not allowed against this resource."
        )
    return found


def _of_level(
    request: Request,
    routes: Mapping[tuple[str, str], Handler],
    names: frozenset[str],
    other: Callable[[str, str], Handler | None],
) -> Handler | None:
    name = next((key for key, _ in request.query if key in names), "")
    return routes.get((request.method, name)) or (other(request.method, name) if name else None)
