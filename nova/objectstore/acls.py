"""Access control lists: the canned ones private and public-read, in S3's document.

Source: AWS, "Canned ACL" of the S3 user guide.
"""

from xml.etree.ElementTree import Element

from nova.objectstore.call import PUBLIC_READ, Call, Response, empty
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.request import Request
from nova.objectstore.xml import element

PRIVATE = "private"

_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = f"{{{_SCHEMA}}}type"
# Lists that give nothing to others than the owner of the bucket, who has all rights anyway.
_AS_PRIVATE = frozenset({PRIVATE, "bucket-owner-full-control", "bucket-owner-read"})


def canned(request: Request) -> str:
    """Return the list that the headers name.  Raises: Refusal."""
    if request.headers_beginning("x-amz-grant-"):
        raise _unknown()
    name = request.header("x-amz-acl") or PRIVATE
    if name in _AS_PRIVATE:
        return PRIVATE
    if name != PUBLIC_READ:
        raise _unknown()
    return PUBLIC_READ


def show_bucket_acl(call: Call) -> Response:
    """GET bucket?acl."""
    bucket = call.own_bucket()
    return _shown(bucket.project_id, bucket.acl)


def set_bucket_acl(call: Call) -> Response:
    """PUT bucket?acl."""
    bucket = call.writable_bucket()
    call.store.set_bucket_acl(bucket.name, _wanted(call))
    return empty()


def show_object_acl(call: Call) -> Response:
    """GET object?acl."""
    bucket = call.own_bucket()
    return _shown(bucket.project_id, call.readable_object().acl)


def set_object_acl(call: Call) -> Response:
    """PUT object?acl."""
    bucket = call.writable_bucket()
    call.store.set_object_acl(bucket.name, call.request.key, _wanted(call))
    return empty()


def owner_element(project_id: str, name: str = "Owner") -> Element:
    """Return the owner of something, who is a project."""
    return element(name, element("ID", project_id), element("DisplayName", project_id))


def _wanted(call: Call) -> str:
    if call.request.header("x-amz-acl") is not None:
        return canned(call.request)
    granted = [
        (grant.findtext("Grantee/URI"), grant.findtext("Permission"))
        for grant in call.document("AccessControlPolicy").iter("Grant")
    ]
    if not granted:
        raise refuse("MalformedACLError", "The XML you provided does not grant anything.")
    public = [permission for uri, permission in granted if uri == _ALL_USERS]
    others = [uri for uri, _ in granted if uri not in (None, _ALL_USERS)]
    if others or any(permission != "READ" for permission in public):
        raise _unknown()
    return PUBLIC_READ if public else PRIVATE


def _shown(project_id: str, acl: str) -> Response:
    user = owner_element(project_id, "Grantee")
    user.set(_TYPE, "CanonicalUser")
    grants = [element("Grant", user, element("Permission", "FULL_CONTROL"))]
    if acl == PUBLIC_READ:
        everybody = element("Grantee", element("URI", _ALL_USERS))
        everybody.set(_TYPE, "Group")
        grants.append(element("Grant", everybody, element("Permission", "READ")))
    return Response.of_document(
        element(
            "AccessControlPolicy",
            owner_element(project_id),
            element("AccessControlList", *grants),
        )
    )


def _unknown() -> Refusal:
    return refuse("NotImplemented", "Only the access lists private and public-read are here.")
