"""/v2.0/networks: the networks of nova-network, and its pools of floating addresses.

A pool is an external network without subnets.  Source: client-calls section 5 (Mapping).
"""

import dataclasses
import datetime

from nova import exception
from nova.api.networking.collections import FIELDS, Document, query_of, shown, whole
from nova.api.networking.words import (
    OWNER_KEYS,
    Wish,
    is_derived,
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
    *OWNER_KEYS,
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


@networks.route("GET /networks", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the networks that the project may use, and the pools."""
    return whole(call, "networks", SHOWN.items(_all(call), call))


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
    wish, network_id = dict(call.body["network"]), _network_id(call)
    name = wish.pop("name", None)
    if not name or wish or is_derived(network_id):
        segment = _find(call, network_id)
        document = SHOWN.item(segment, call)
        unchanged(wish, document)
        if name is None or name == segment.name:
            return {"network": document}
        if segment.external or not name:
            raise exception.NetworkingUnsupported(what="that name; pools, and no name, are fixed")
    found = call.conductor.networks.rename(call.context, call.scope, network_id, name)
    return SHOWN.render(segment_of(found), call)


@networks.route("DELETE /networks/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Delete a network that nothing is in, with its range."""
    network_id = _network_id(call)
    if is_derived(network_id) and _find(call, network_id).external:
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
    return SHOWN.item(_find(call, _network_id(call)), call)


def _network_id(call: Call) -> str:
    """Return the id of the path; a name is none.  Raises: NetworkNotFound."""
    network_id = call.args["id"]
    if not is_uuid(network_id):
        raise exception.NetworkNotFound(network_id=network_id)
    return network_id.lower()


def _all(call: Call) -> list[Segment]:
    found = call.conductor.networks.list_with_pools(call.context, call.scope.project_id)
    return [*map(segment_of, found.networks), *map(pool_segment, found.pools)]


def _find(call: Call, network_id: str) -> Segment:
    """Return a network of the caller's, or a pool.  Raises: NetworkNotFound."""
    if not is_derived(network_id):
        found = call.conductor.networks.get(call.context, network_id, call.scope.project_id)
        return segment_of(found)
    for segment in _all(call):
        if segment.id == network_id:
            return segment
    raise exception.NetworkNotFound(network_id=network_id)
