"""Buckets: list, create, look at, delete."""

from nova.objectstore import xml
from nova.objectstore.acls import canned, owner_element
from nova.objectstore.call import Call, Response, empty
from nova.objectstore.xml import element


def list_buckets(call: Call) -> Response:
    """GET service: the buckets of the caller's project."""
    owner = call.owner(writes=False)
    project_id = owner.project_id or ""
    return Response.of_document(
        element(
            "ListAllMyBucketsResult",
            owner_element(project_id),
            element(
                "Buckets",
                *(
                    element(
                        "Bucket",
                        element("Name", bucket.name),
                        element("CreationDate", xml.timestamp(bucket.created_at)),
                    )
                    for bucket in call.store.list_buckets(project_id)
                ),
            ),
        )
    )


def create_bucket(call: Call) -> Response:
    """PUT bucket; the body may name a region, which is anybody's choice."""
    owner = call.owner(writes=True)
    if call.payload.length != 0:
        document = call.payload.document()
        if document:
            xml.parse(document, "CreateBucketConfiguration")
    name = call.request.bucket
    call.store.create_bucket(name, owner.project_id or "", canned(call.request))
    return empty(headers={"Location": f"/{name}"})


def head_bucket(call: Call) -> Response:
    """HEAD bucket."""
    call.listable_bucket()
    return empty(headers={"x-amz-bucket-region": "us-east-1"})


def show_location(call: Call) -> Response:
    """GET bucket?location: the region without a name, which all clients take for theirs."""
    call.own_bucket()
    return Response.of_document(element("LocationConstraint"))


def delete_bucket(call: Call) -> Response:
    """DELETE bucket."""
    call.store.delete_bucket(call.writable_bucket().name)
    return empty(204)
