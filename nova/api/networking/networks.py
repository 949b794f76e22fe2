"""/v2.0/networks: the networks of nova-network, and its pools of floating addresses.

A pool is an external network without subnets.  Source: client-calls section 5 (Mapping).
"""

import dataclasses
import datetime

from nova import exception
from nova.api.networking.collections import FIELDS, Document, is_true, query_of, shown, whole
from nova.api.networking.words import (
    Wish,
    is_uuid,
    moment,
    only,
    project_of,
    resource,
    unchanged,
    wrapped,
)
from nova.api.openstack.call import Call
from nova.api.openstack.networks import delete_network
from nova.api.openstack.schema import Key, ListOf
from nova.api.openstack.schema_types import (
    BOOL,
    INTEGER_OR_NULL,
    STRING,
    STRING_OR_NULL,
    TEXT255,
)
from nova.api.openstack.views import Field, View
from nova.objects.addresses import subnet_uuid
from nova.objects.floating_ip import pool_uuid
from nova.objects.network import Network, NewNetwork
from nova.policy import ADMIN

_PROVIDER = "networking:networks:provider"
_SHARE = "networking:networks:share"
UNNAMED = "network"

networks = resource("networks", provider=ADMIN, share=ADMIN)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What clients call a network: one that servers are in, or a pool of floating addresses."""

    id: str
    name: str
    project_id: str = ""
    subnets: tuple[str, ...] = ()
    shared: bool = False
    external: bool = False
    mtu: int | None = None
    vlan: int | None = None
    interface: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


SHOWN = View(
    Segment,
    "network",
    Field("id"),
    Field("name"),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("admin_state_up", lambda segment, call: True),
    Field("status", lambda segment, call: "ACTIVE"),
    Field("subnets", lambda segment, call: list(segment.subnets)),
    Field("shared"),
    Field("router:external", "external"),
    Field("mtu"),
    Field(
        "provider:network_type",
        lambda segment, call: "flat" if segment.vlan is None else "vlan",
        policy=_PROVIDER,
    ),
    Field("provider:physical_network", "interface", policy=_PROVIDER),
    Field("provider:segmentation_id", "vlan", policy=_PROVIDER),
    Field("port_security_enabled", lambda segment, call: True),
    Field("availability_zone_hints", lambda segment, call: []),
    Field("availability_zones", lambda segment, call: []),
    Field("is_default", lambda segment, call: False),
    Field("description", lambda segment, call: ""),
    Field("tags", lambda segment, call: []),
    Field("created_at", lambda segment, call: moment(segment.created_at)),
    Field("updated_at", lambda segment, call: moment(segment.updated_at)),
)

_KEYS = (
    Key("name", TEXT255),
    Key("description", STRING_OR_NULL),
    Key("admin_state_up", BOOL),
    Key("shared", BOOL),
    Key("router:external", BOOL),
    Key("is_default", BOOL),
    Key("port_security_enabled", BOOL),
    Key("mtu", INTEGER_OR_NULL),
    Key("tenant_id", STRING),
    Key("project_id", STRING),
    Key("tags", ListOf(STRING)),
    Key("availability_zone_hints", ListOf(STRING)),
    Key("dns_domain", STRING_OR_NULL),
    Key("qos_policy_id", STRING_OR_NULL),
    Key("provider:network_type", STRING),
    Key("provider:physical_network", STRING),
    Key("provider:segmentation_id", INTEGER_OR_NULL),
)
BODY = wrapped("network", *_KEYS)


def segment_of(network: Network) -> Segment:
    """Return a network of nova-network as clients see it."""
    ranges = ((4, network.cidr), (6, network.cidr_v6))
    return Segment(
        id=network.uuid,
        name=network.label,
        project_id=network.project_id or "",
        subnets=tuple(subnet_uuid(network.uuid, version) for version, cidr in ranges if cidr),
        shared=network.project_id is None,
        mtu=network.mtu,
        vlan=network.vlan,
        interface=network.bridge_interface,
        created_at=network.created_at,
        updated_at=network.updated_at,
    )


def pool_segment(name: str) -> Segment:
    """Return a pool of floating addresses as clients see it."""
    return Segment(id=pool_uuid(name), name=name, external=True)


def find_pool(call: Call, network_id: str) -> str:
    """Return the name of a pool.  Raises: NetworkNotFound."""
    for name in call.conductor.floating_ips.list_pools(call.context):
        if pool_uuid(name) == network_id:
            return name
    raise exception.NetworkNotFound(network_id=network_id)


@networks.route("GET /networks", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the networks that the project may use, and the pools."""
    external = call.query.get("router:external")
    found: list[Segment] = []
    if external is None or not is_true(external):
        own = call.conductor.networks.list_networks(call.context, call.scope.project_id)
        found += map(segment_of, own)
    if external is None or is_true(external):
        found += map(pool_segment, call.conductor.floating_ips.list_pools(call.context))
    return whole(call, "networks", SHOWN.items(found, call))


@networks.route("GET /networks/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show a network or a pool."""
    return {"network": shown(call, _document(call))}


@networks.route("POST /networks", policy="create", body=BODY, ok=201)
def create(call: Call) -> dict[str, object]:
    """Make a network; it is served when it has its first subnet."""
    wish = call.body["network"]
    _check(wish)
    if wish.get("shared"):
        call.authorize(_SHARE)
    new = NewNetwork(
        label=wish.get("name") or UNNAMED,
        project_id=None if wish.get("shared") else project_of(call, wish),
        mtu=wish.get("mtu"),
        multi_host=call.settings.multi_host,
        share_address=call.settings.share_dhcp_address,
    )
    made = call.conductor.networks.create_empty(call.context, call.scope, new)
    return SHOWN.render(segment_of(made), call)


@networks.route("PUT /networks/{id}", policy="update", body=BODY)
def update(call: Call) -> dict[str, object]:
    """Rename a network; nothing else can be changed."""
    wish = dict(call.body["network"])
    name = wish.pop("name", None)
    segment = _find(call, call.args["id"])
    document = SHOWN.item(segment, call)
    unchanged(wish, document)
    if name is None or name == segment.name:
        return {"network": document}
    if segment.external or not name:
        raise exception.NetworkingUnsupported(what="that name; pools, and no name, are fixed")
    found = call.conductor.networks.rename(call.context, call.scope, segment.id, name)
    return SHOWN.render(segment_of(found), call)


@networks.route("DELETE /networks/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Delete a network that nothing is in, with its range."""
    segment = _find(call, call.args["id"])
    if segment.external:
        raise exception.NetworkingUnsupported(
            what="deleting a pool; it ends with the last of its floating addresses"
        )
    delete_network(call)


def _check(wish: Wish) -> None:
    """Refuse what networks of nova-network can not be.  Raises: NetworkingUnsupported."""
    only(
        wish,
        admin_state_up=(True,),
        router_external=(False,),
        is_default=(False,),
        port_security_enabled=(True,),
        description=("", None),
        tags=([],),
        availability_zone_hints=([],),
        dns_domain=("", None),
        qos_policy_id=(None,),
        provider_network_type=(),
        provider_physical_network=(),
        provider_segmentation_id=(),
    )


def _document(call: Call) -> Document:
    return SHOWN.item(_find(call, call.args["id"]), call)


def _find(call: Call, network_id: str) -> Segment:
    """Return a network of the caller's, or a pool.  Raises: NetworkNotFound."""
    if not is_uuid(network_id):
        raise exception.NetworkNotFound(network_id=network_id)
    try:
        found = call.conductor.networks.get(call.context, network_id, call.scope.project_id)
    except exception.NetworkNotFound:
        return pool_segment(find_pool(call, network_id))
    return segment_of(found)
