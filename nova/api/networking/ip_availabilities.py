"""/v2.0/network-ip-availabilities: how many addresses of a network are in use."""

from typing import Any

from nova import exception
from nova.api.networking.collections import FIELDS, query_of, shown, whole
from nova.api.networking.words import read_only
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Param, Query
from nova.api.openstack.schema_types import TEXT255
from nova.api.openstack.views import Field, View
from nova.objects.addresses import subnet_uuid
from nova.objects.port import NetworkUse
from nova.policy import ADMIN

availabilities = read_only("network-ip-availabilities", ADMIN)


def _subnets(use: NetworkUse, call: Call) -> list[dict[str, Any]]:
    """Return the range that addresses are counted of: IPv6 ones follow from the interfaces."""
    if use.network.cidr is None:
        return []
    return [
        {
            "subnet_id": subnet_uuid(use.network.uuid, 4),
            "subnet_name": use.network.label,
            "ip_version": 4,
            "cidr": use.network.cidr,
            "total_ips": use.total,
            "used_ips": use.used,
        }
    ]


SHOWN = View(
    NetworkUse,
    "network_ip_availability",
    Field("network_id", "network.uuid"),
    Field("network_name", "network.label"),
    Field("tenant_id", lambda use, call: use.network.project_id or ""),
    Field("project_id", lambda use, call: use.network.project_id or ""),
    Field("total_ips", "total"),
    Field("used_ips", "used"),
    Field("subnet_ip_availability", _subnets),
)
_QUERY = Query(*query_of(SHOWN).params, Param("ip_version", TEXT255))


@availabilities.route("GET /network-ip-availabilities", policy="list", query=_QUERY)
def index(call: Call) -> dict[str, object]:
    """List the networks with their addresses."""
    found = call.conductor.ports.list_use(call.context, call.scope.project_id)
    if "6" in call.query.all("ip_version"):
        # As many as there are MAC addresses: nobody counts them.
        found = ()
    return whole(call, "network_ip_availabilities", SHOWN.items(found, call), "network_id")


@availabilities.route("GET /network-ip-availabilities/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    for use in call.conductor.ports.list_use(call.context, call.scope.project_id):
        if use.network.uuid == call.args["id"]:
            return {"network_ip_availability": shown(call, SHOWN.item(use, call))}
    raise exception.NetworkNotFound(network_id=call.args["id"])
