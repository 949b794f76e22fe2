"""/v2.0/subnets: the ranges of a network, one for each address family.

They have no record of their own; their ids follow from the network's.
"""

import dataclasses
import datetime
import ipaddress

from nova import exception
from nova.api.networking.collections import FIELDS, Document, query_of, shown, whole
from nova.api.networking.words import moment, resource, unchanged, wrapped
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, ListOf
from nova.api.openstack.schema_types import (
    ANYTHING,
    BOOL,
    INTEGER,
    STRING,
    STRING_OR_NULL,
    TEXT255,
    UUID,
)
from nova.api.openstack.views import Field, View
from nova.objects.addresses import subnet_uuid
from nova.objects.network import Network
from nova.policy import ADMIN

subnets = resource("subnets", create=ADMIN, update=ADMIN, delete=ADMIN)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """One range of a network."""

    id: str
    name: str
    network_id: str
    project_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    start: str
    end: str
    dns_nameservers: tuple[str, ...]
    created_at: datetime.datetime | None
    updated_at: datetime.datetime | None


def _pools(subnet: Subnet, call: Call) -> list[dict[str, str]]:
    return [{"start": subnet.start, "end": subnet.end}]


def _mode(subnet: Subnet, call: Call) -> str | None:
    return "slaac" if subnet.ip_version == 6 else None


SHOWN = View(
    Subnet,
    "subnet",
    Field("id"),
    Field("name"),
    Field("network_id"),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("ip_version"),
    Field("cidr"),
    Field("gateway_ip"),
    Field("enable_dhcp"),
    Field("allocation_pools", _pools),
    Field("dns_nameservers", lambda subnet, call: list(subnet.dns_nameservers)),
    Field("host_routes", lambda subnet, call: []),
    Field("ipv6_address_mode", _mode),
    Field("ipv6_ra_mode", _mode),
    Field("subnetpool_id", lambda subnet, call: None),
    Field("segment_id", lambda subnet, call: None),
    Field("service_types", lambda subnet, call: []),
    Field("description", lambda subnet, call: ""),
    Field("tags", lambda subnet, call: []),
    Field("created_at", lambda subnet, call: moment(subnet.created_at)),
    Field("updated_at", lambda subnet, call: moment(subnet.updated_at)),
)

BODY = wrapped(
    "subnet",
    Key("name", TEXT255),
    Key("network_id", UUID),
    Key("ip_version", INTEGER),
    Key("cidr", STRING),
    Key("gateway_ip", STRING_OR_NULL),
    Key("enable_dhcp", BOOL),
    Key("allocation_pools", ListOf(ANYTHING)),
    Key("dns_nameservers", ListOf(STRING)),
    Key("host_routes", ListOf(ANYTHING)),
    Key("ipv6_address_mode", STRING_OR_NULL),
    Key("ipv6_ra_mode", STRING_OR_NULL),
    Key("subnetpool_id", STRING_OR_NULL),
    Key("service_types", ListOf(STRING)),
    Key("description", STRING_OR_NULL),
    Key("tags", ListOf(STRING)),
    Key("tenant_id", STRING),
    Key("project_id", STRING),
)


def subnets_of(network: Network) -> list[Subnet]:
    """Return the ranges of a network, IPv4 first."""
    found = []
    if network.cidr:
        found.append(_ipv4(network, network.cidr))
    if network.cidr_v6:
        found.append(_ipv6(network, network.cidr_v6))
    return found


def _ipv4(network: Network, cidr: str) -> Subnet:
    whole_range = ipaddress.IPv4Network(cidr)
    return Subnet(
        **_of_network(network, 4),
        name=network.label,
        cidr=cidr,
        gateway_ip=network.gateway,
        enable_dhcp=network.enable_dhcp,
        start=network.dhcp_start or str(whole_range[1]),
        end=str(whole_range[-2]),
    )


def _ipv6(network: Network, cidr: str) -> Subnet:
    whole_range = ipaddress.IPv6Network(cidr)
    return Subnet(
        **_of_network(network, 6),
        # Another name than that of the IPv4 range, so that each can be named alone.
        name=f"{network.label}-v6",
        cidr=cidr,
        gateway_ip=network.gateway_v6,
        enable_dhcp=True,
        start=str(whole_range[2]),
        end=str(whole_range[-1]),
    )


def _of_network(network: Network, version: int) -> Document:
    servers = [server for server in (network.dns1, network.dns2) if server]
    return {
        "id": subnet_uuid(network.uuid, version),
        "network_id": network.uuid,
        "project_id": network.project_id or "",
        "ip_version": version,
        "dns_nameservers": tuple(
            server for server in servers if ipaddress.ip_address(server).version == version
        ),
        "created_at": network.created_at,
        "updated_at": network.updated_at,
    }


@subnets.route("GET /subnets", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the ranges of the networks that the project may use."""
    return whole(call, "subnets", SHOWN.items(_all(call), call))


@subnets.route("GET /subnets/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    return {"subnet": shown(call, _document(call))}


@subnets.route("POST /subnets", policy="create", body=BODY, ok=201)
def create(call: Call) -> dict[str, object]:
    """Refuse a range: a network of nova-network has one from the beginning."""
    raise exception.NetworkingUnsupported(
        what="a further range in a network; make another network by nova-manage network create "
        "or POST /os-networks of the Compute API"
    )


@subnets.route("PUT /subnets/{id}", policy="update", body=BODY)
def update(call: Call) -> dict[str, object]:
    """Refuse changes; what is said as it is passes."""
    document = _document(call)
    unchanged(call.body["subnet"], document)
    return {"subnet": document}


@subnets.route("DELETE /subnets/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Refuse to take a network its range."""
    _document(call)
    raise exception.NetworkingUnsupported(what="a network without its range; delete the network")


def _all(call: Call) -> list[Subnet]:
    found = call.conductor.networks.list_networks(call.context, call.scope.project_id)
    return [subnet for network in found for subnet in subnets_of(network)]


def _document(call: Call) -> Document:
    for subnet in _all(call):
        if subnet.id == call.args["id"]:
            return SHOWN.item(subnet, call)
    raise exception.SubnetNotFound(subnet_id=call.args["id"])
