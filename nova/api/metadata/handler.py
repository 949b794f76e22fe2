"""Answers guests: finds out who asks, looks the guest up, and serves the documents.

Source: ec2-api, section 8.
"""

import dataclasses
import datetime
import logging
from collections.abc import Callable

from nova import exception
from nova.api.metadata.cache import Entry, GuestCache
from nova.api.metadata.identify import Identity, ProxySettings, identify
from nova.api.metadata.limits import RateLimiter
from nova.api.metadata.request import MetadataRequest, MetadataResponse, Refused, split_path
from nova.api.metadata.vendordata import DynamicVendorData
from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.context import RequestContext, get_admin_context
from nova.metadata import openstack
from nova.metadata.documents import DocumentSettings, ec2_tree, extras, openstack_tree
from nova.metadata.tree import Node, find, listing
from nova.metadata.versions import EC2_VERSIONS, LATEST, OPENSTACK_VERSIONS
from nova.objects.guest_metadata import GuestMetadata

LOG = logging.getLogger(__name__)

MAX_PASSWORD_BYTES = 1020


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HandlerSettings:
    """What the operator sets about serving metadata; rate_limit is per guest and second."""

    documents: DocumentSettings = dataclasses.field(default_factory=DocumentSettings)
    proxy: ProxySettings = dataclasses.field(default_factory=ProxySettings)
    cache_expiration_s: int = 15
    rate_limit: int = 50


class MetadataHandler:
    """Serves the metadata trees to guests."""

    def __init__(
        self,
        conductor: ConductorMetadata,
        settings: HandlerSettings,
        vendor_data: DynamicVendorData,
        monotonic: Callable[[], float],
        today: Callable[[], datetime.date],
    ) -> None:
        self._conductor = conductor
        self._settings = settings
        self._vendor_data = vendor_data
        self._today = today
        self._limiter = RateLimiter(settings.rate_limit, monotonic)
        self.cache = GuestCache(settings.cache_expiration_s, monotonic)

    def handle(self, request: MetadataRequest) -> MetadataResponse:
        """Return the answer to a request."""
        try:
            return self._handle(request)
        except Refused as refusal:
            return refusal.response
        except exception.Unavailable:
            return MetadataResponse(
                status=503, body=b"The metadata service is not available. Please try again."
            )

    def _handle(self, request: MetadataRequest) -> MetadataResponse:
        path = split_path(request.path)
        self._check_rate(request)
        if request.method == "GET":
            top = self._top_listing(path)
            if top is not None:
                return MetadataResponse(status=200, body=top)
        identity = identify(request, self._settings.proxy)
        context = get_admin_context()
        if _is_password(path) and request.method != "GET":
            return self._post_password(context, identity, request)
        if request.method != "GET":
            raise Refused(405, headers={"Allow": "GET"})
        entry = self._look_up(context, identity)
        if entry.guest is None or entry.extras is None:
            raise Refused(404)
        return _answer(path, self._document(path, entry.guest, entry.extras))

    def _check_rate(self, request: MetadataRequest) -> None:
        guest = request.headers.get("x-instance-id") or request.headers.get("x-forwarded-for")
        trusted = self._settings.proxy.shared_secret or self._settings.proxy.trusted_proxies
        if not self._limiter.allow(guest if guest and trusted else request.peer):
            raise Refused(429, "Too many metadata requests.", {"Retry-After": "1"})

    def _top_listing(self, path: tuple[str, ...]) -> bytes | None:
        if path in ((), ("ec2",)):
            return "\n".join((*EC2_VERSIONS, LATEST)).encode()
        if path == ("openstack",):
            today = self._today().isoformat()
            return "\n".join([*(v for v in OPENSTACK_VERSIONS if v <= today), LATEST]).encode()
        return None

    def _look_up(self, context: RequestContext, identity: Identity) -> Entry:
        key = identity.instance_uuid or identity.address or ""
        entry = self.cache.find(key)
        if entry is None:
            generation = self.cache.generation
            guest = self._fetch(context, identity)
            entry = Entry(guest=guest)
            if guest is not None:
                more = self._vendor_data.collect(guest)
                entry = Entry(guest=guest, extras=extras(guest, self._settings.documents, more))
            self.cache.store(key, entry, generation)
        if entry.guest is not None and not _belongs(entry.guest, identity):
            LOG.warning("A proxy named a foreign project for instance %s", identity.instance_uuid)
            raise Refused(404)
        return entry

    def _fetch(self, context: RequestContext, identity: Identity) -> GuestMetadata | None:
        if identity.instance_uuid is not None:
            return self._conductor.find_by_instance(context, identity.instance_uuid)
        return self._conductor.find_by_address(context, identity.address or "")

    def _post_password(
        self, context: RequestContext, identity: Identity, request: MetadataRequest
    ) -> MetadataResponse:
        if request.method != "POST":
            raise Refused(400, "The password can be read with GET and set once with POST.")
        if len(request.body) > MAX_PASSWORD_BYTES:
            raise Refused(400, f"The password is longer than {MAX_PASSWORD_BYTES} bytes.")
        try:
            password = request.body.decode()
        except UnicodeDecodeError as error:
            raise Refused(400, "The password is not UTF-8 text.") from error
        guest = self._look_up(context, identity).guest
        if guest is None:
            raise Refused(404)
        if not self._conductor.set_password(context, guest.instance.uuid, password):
            raise Refused(409, "A password is already set.")
        self.cache.forget((identity.instance_uuid or identity.address or "",))
        return MetadataResponse(status=200)

    def _document(
        self, path: tuple[str, ...], guest: GuestMetadata, additions: openstack.Extras
    ) -> Node | None:
        if path[0] == "openstack":
            root = openstack_tree(guest, path[1], additions)
            rest = path[2:]
            if path[1] == openstack.CONTENT and not rest:
                return None
        else:
            ec2_path = path[1:] if path[0] == "ec2" else path
            root = ec2_tree(guest, ec2_path[0], self._settings.documents)
            rest = ec2_path[1:]
        return None if root is None else find(root, rest)


def _is_password(path: tuple[str, ...]) -> bool:
    return len(path) == 3 and path[0] == "openstack" and path[2] == "password"


def _belongs(guest: GuestMetadata, identity: Identity) -> bool:
    return identity.project_id is None or identity.project_id == guest.instance.project_id


def _answer(path: tuple[str, ...], node: Node | None) -> MetadataResponse:
    if node is None:
        raise Refused(404)
    if isinstance(node, dict):
        return MetadataResponse(status=200, body=listing(node))
    if path[-1].endswith(".json"):
        return MetadataResponse(
            status=200, body=node, content_type="application/json; charset=UTF-8"
        )
    return MetadataResponse(status=200, body=node)
