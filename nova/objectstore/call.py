"""A request on its way to what answers it: who asks, what may be done, and the answer."""

import dataclasses
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from nova.context import RequestContext
from nova.objectstore import xml
from nova.objectstore.claim import Claim
from nova.objectstore.errors import Refusal, refuse
from nova.objectstore.payload import Payload
from nova.objectstore.records import Bucket, ObjectInfo
from nova.objectstore.request import Request
from nova.objectstore.store import Store
from nova.policy import Policy

PUBLIC_READ = "public-read"

_READER = "project_reader_or_admin"
_MEMBER = "project_member_or_admin"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered."""

    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: Iterable[bytes] = ()

    @classmethod
    def of_document(cls, root: Element, headers: Mapping[str, str] | None = None) -> "Response":
        """Return the answer that is a document."""
        body = xml.render(root)
        return cls(
            headers={
                **(headers or {}),
                "Content-Type": xml.CONTENT_TYPE,
                "Content-Length": str(len(body)),
            },
            body=[body],
        )


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    length = {} if status == 204 else {"Content-Length": "0"}
    return Response(status=status, headers={**(headers or {}), **length})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; context: who signed it, None for anybody."""

    request: Request
    context: RequestContext | None
    claim: Claim | None
    payload: Payload
    store: Store
    policy: Policy

    def owner(self, *, writes: bool) -> RequestContext:
        """Return the caller, who must be somebody with a project.  Raises: Refusal."""
        if self.context is None or not self._may(
            _MEMBER if writes else _READER, self.context.project_id
        ):
            raise denied()
        return self.context

    def own_bucket(self) -> Bucket:
        """Return the bucket, which must be the caller's to look at.  Raises: Refusal."""
        return self._bucket(_READER)

    def writable_bucket(self, name: str | None = None) -> Bucket:
        """Return a bucket, which must be the caller's to change.  Raises: Refusal."""
        return self._bucket(_MEMBER, name)

    def listable_bucket(self) -> Bucket:
        """Return the bucket, whose content the caller may see.  Raises: Refusal."""
        bucket = self.store.get_bucket(self.request.bucket)
        if bucket.acl != PUBLIC_READ and not self._may(_READER, bucket.project_id):
            raise denied()
        return bucket

    def readable_object(self, bucket: str | None = None, key: str | None = None) -> ObjectInfo:
        """Return an object that the caller may read.  Raises: Refusal.

        Whether there is one is told to those only who may list the bucket.
        """
        found = self.store.get_bucket(bucket or self.request.bucket)
        is_own = self._may(_READER, found.project_id)
        info = self.store.find_object(found.name, key or self.request.key)
        if info is None:
            if is_own or found.acl == PUBLIC_READ:
                raise refuse("NoSuchKey", "The specified key does not exist.")
            raise denied()
        if not is_own and info.acl != PUBLIC_READ:
            raise denied()
        return info

    def document(self, root: str) -> Element:
        """Return the document that was sent; its signature must cover it.  Raises: Refusal."""
        claim = self.claim
        if claim is not None and not claim.covers_payload and not self._is_vouched_for(claim):
            raise refuse("AccessDenied", "The signature must cover the document.")
        return xml.parse(self.payload.document(), root)

    def _is_vouched_for(self, claim: Claim) -> bool:
        """Tell whether the document is safe by other means.

        A presigned URL gives its holder the right; version 2 never signs more than Content-MD5.
        """
        return claim.is_presigned or not claim.string_to_sign.startswith("AWS4")

    def _bucket(self, rule: str, name: str | None = None) -> Bucket:
        bucket = self.store.get_bucket(name or self.request.bucket)
        if not self._may(rule, bucket.project_id):
            raise denied()
        return bucket

    def _may(self, rule: str, project_id: str | None) -> bool:
        return self.context is not None and self.policy.check(
            self.context, rule, {"project_id": project_id}
        )


def denied() -> Refusal:
    """Return the refusal of a caller who may not."""
    return refuse("AccessDenied", "Access Denied")
