"""/v2.0/extensions: the parts of the Networking API that are there."""

from nova import exception
from nova.api.networking.words import read_only
from nova.api.openstack.call import Call
from nova.policy import ANY

extensions = read_only("extensions", ANY)

_UPDATED = "2026-01-01T00:00:00-00:00"
# (alias, name, what it brings).  Source: client-calls section 5.
_ALL = (
    ("security-group", "security-group", "Security groups and their rules."),
    ("external-net", "Neutron external network", "Pools of floating addresses as networks."),
    ("router", "Neutron L3 Router", "Floating addresses; there are no routers."),
    ("quotas", "Quota management support", "Limits of projects."),
    ("quota_details", "Quota details management support", "Limits with what is used."),
    ("network-ip-availability", "Network IP Availability", "Addresses that are in use."),
    ("provider", "Provider Network", "VLAN and interface of a network, for administrators."),
    ("binding", "Port Binding", "Host of a port, for administrators."),
    ("port-security", "Port Security", "Ports are guarded, always."),
    ("net-mtu", "Network MTU", "MTU of a network."),
    ("project-id", "project_id field enabled", "The owner is told as project_id, too."),
    ("pagination", "Pagination support", "Lists by pages."),
    ("sorting", "Sorting support", "Lists in an order."),
)


def _document(alias: str, name: str, description: str) -> dict[str, object]:
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "updated": _UPDATED,
        "links": [],
    }


@extensions.route("GET /extensions", policy="list")
def index(call: Call) -> dict[str, object]:
    """List the extensions."""
    return {"extensions": [_document(*entry) for entry in _ALL]}


@extensions.route("GET /extensions/{alias}", policy="show")
def show(call: Call) -> dict[str, object]:
    """Show an extension."""
    for entry in _ALL:
        if entry[0] == call.args["alias"]:
            return {"extension": _document(*entry)}
    raise exception.ExtensionNotFound(alias=call.args["alias"])
