"""/v2.0/subnets: the ranges of a network, one for each address family.

They have no record of their own; their ids follow from the network's.
"""

import dataclasses
import datetime
import ipaddress

from nova import exception
from nova.api.networking.collections import FIELDS, Document, query_of, shown, whole
from nova.api.networking.words import OWNER_KEYS, Wish, moment, only, resource, unchanged, wrapped
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, ListOf, Object
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
from nova.objects.network import Network, NewNetwork

subnets = resource("subnets")

# Each address is a row.
LARGEST = 16


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

_KEYS = (
    Key("name", TEXT255),
    Key("ip_version", INTEGER),
    Key("gateway_ip", STRING_OR_NULL),
    Key("enable_dhcp", BOOL),
    Key("allocation_pools", ListOf(Object(Key("start", STRING), Key("end", STRING)))),
    Key("dns_nameservers", ListOf(STRING)),
    Key("host_routes", ListOf(ANYTHING)),
    Key("ipv6_address_mode", STRING_OR_NULL),
    Key("ipv6_ra_mode", STRING_OR_NULL),
    Key("subnetpool_id", STRING_OR_NULL),
    Key("service_types", ListOf(STRING)),
    Key("description", STRING_OR_NULL),
    Key("tags", ListOf(STRING)),
    *OWNER_KEYS,
)
CREATE = wrapped(
    "subnet",
    Key("network_id", UUID, required=True),
    Key("cidr", STRING, required=True),
    *_KEYS,
)
UPDATE = wrapped("subnet", Key("network_id", UUID), Key("cidr", STRING), *_KEYS)


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
        name=network.subnet_name or network.label,
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
        name=network.subnet_name_v6 or f"{network.label}-v6",
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


@subnets.route("POST /subnets", policy="create", body=CREATE, ok=201, errors=(404, 409))
def create(call: Call) -> dict[str, object]:
    """Give a network its IPv4 or its IPv6 range."""
    wish = call.body["subnet"]
    _check(wish)
    made = call.conductor.networks.add_range(
        call.context, call.scope, wish["network_id"], _new(wish), wish.get("name") or ""
    )
    version = wish.get("ip_version", 4)
    (found,) = (subnet for subnet in subnets_of(made) if subnet.ip_version == version)
    return SHOWN.render(found, call)


@subnets.route("PUT /subnets/{id}", policy="update", body=UPDATE)
def update(call: Call) -> dict[str, object]:
    """Rename a range; nothing else can be changed."""
    wish, subnet_id = dict(call.body["subnet"]), call.args["id"]
    name = wish.pop("name", None)
    if wish or not name:
        subnet = _find(call)
        unchanged(wish, SHOWN.item(subnet, call))
        if not name:
            return SHOWN.render(subnet, call)
    network = call.conductor.networks.rename_range(call.context, call.scope, subnet_id, name)
    (found,) = (subnet for subnet in subnets_of(network) if subnet.id == subnet_id)
    return SHOWN.render(found, call)


@subnets.route("DELETE /subnets/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Take a range from a network in which nobody has anything."""
    call.conductor.networks.remove_range(call.context, call.scope, call.args["id"])


def _check(wish: Wish) -> None:
    """Refuse what ranges of nova-network can not be.  Raises: NetworkingUnsupported."""
    six = wish.get("ip_version", 4) == 6
    only(
        wish,
        ip_version=(4, 6),
        enable_dhcp=(True,) if six else (True, False),
        host_routes=([],),
        ipv6_address_mode=(None, "slaac") if six else (None,),
        ipv6_ra_mode=(None, "slaac") if six else (None,),
        subnetpool_id=(None,),
        service_types=([],),
        description=("", None),
        tags=([],),
    )
    if "gateway_ip" in wish and wish["gateway_ip"] is None:
        raise exception.NetworkingUnsupported(what="a subnet without a gateway")
    if len(wish.get("allocation_pools", [])) > (0 if six else 1):
        raise exception.NetworkingUnsupported(what="more than one IPv4 pool, or one of IPv6")


def _new(wish: Wish) -> NewNetwork:
    """Return the range that a request asks for.

    Raises: SubnetInvalid, NetworkingUnsupported.
    """
    version, servers = wish.get("ip_version", 4), wish.get("dns_nameservers", [])
    try:
        cidr = ipaddress.ip_network(wish["cidr"])
    except ValueError as error:
        raise exception.SubnetInvalid(reason="cidr is not a range of addresses.") from error
    if cidr.version != version:
        raise exception.SubnetInvalid(reason=f"{cidr} does not go with ip_version {version}.")
    if len(servers) > 2:
        raise exception.NetworkingUnsupported(what="more than two name servers")
    dns1, dns2 = [*servers, None, None][:2]
    new = NewNetwork(label="", dns1=dns1, dns2=dns2, enable_dhcp=wish.get("enable_dhcp", True))
    if version == 6:
        return dataclasses.replace(new, cidr_v6=str(cidr), gateway_v6=wish.get("gateway_ip"))
    if cidr.prefixlen < LARGEST:
        raise exception.NetworkingUnsupported(what=f"a range that is larger than a /{LARGEST}")
    pool: Wish = next(iter(wish.get("allocation_pools", [])), {})
    return dataclasses.replace(
        new,
        cidr=str(cidr),
        network_size=cidr.num_addresses,
        # Without a pool the conductor would choose the same; with one, its first address.
        gateway=wish.get("gateway_ip") or str(cidr.network_address + 1),
        allowed_start=pool.get("start"),
        allowed_end=pool.get("end"),
    )


def _all(call: Call) -> list[Subnet]:
    found = call.conductor.networks.list_networks(call.context, call.scope.project_id)
    return [subnet for network in found for subnet in subnets_of(network)]


def _document(call: Call) -> Document:
    return SHOWN.item(_find(call), call)


def _find(call: Call) -> Subnet:
    for subnet in _all(call):
        if subnet.id == call.args["id"]:
            return subnet
    raise exception.SubnetNotFound(subnet_id=call.args["id"])
