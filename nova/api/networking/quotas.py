"""/v2.0/quotas: the limits of the Compute API that are about networking."""

from nova import exception
from nova.api.networking.words import resource, wrapped
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json, Key
from nova.api.openstack.schema_types import BOOL, STRING
from nova.api.openstack.values import boolean
from nova.objects.quota import UNLIMITED, QuotaSet
from nova.policy import ADMIN, ANY

quotas = resource("quotas", list=ADMIN, default=ANY, update=ADMIN, delete=ADMIN)

_RESOURCES = {
    "port": "fixed_ips",
    "floatingip": "floating_ips",
    "security_group": "security_groups",
    "security_group_rule": "security_group_rules",
}
# Nothing counts networks, which administrators make; there are no routers.
_FIXED = {"network": UNLIMITED, "subnet": UNLIMITED, "router": 0}
_NUMBER: Json = {
    "type": ["integer", "string"],
    "pattern": r"^-?[0-9]{1,10}\Z",
    "minimum": -1,
    "maximum": 2**31 - 1,
}
UPDATE = wrapped(
    "quota",
    *(Key(name, _NUMBER) for name in (*_RESOURCES, *_FIXED)),
    Key("check_limit", BOOL),
    Key("force", BOOL),
    Key("tenant_id", STRING),
    Key("project_id", STRING),
)


def _limits(found: QuotaSet) -> dict[str, int]:
    return _FIXED | {name: found.limit(own) for name, own in _RESOURCES.items()}


@quotas.route("GET /quotas", policy="list")
def index(call: Call) -> dict[str, object]:
    """List nothing: which projects have limits of their own is asked project by project."""
    return {"quotas": []}


@quotas.route("GET /quotas/{id}", policy="show")
def show(call: Call) -> dict[str, object]:
    """Show the limits of a project."""
    return {"quota": _limits(_read(call))}


@quotas.route("GET /quotas/{id}/default", policy="default")
def default(call: Call) -> dict[str, object]:
    """Show the limits of projects that have none of their own."""
    return {"quota": _limits(call.conductor.quotas.get_defaults(call.context))}


@quotas.route("GET /quotas/{id}/details", policy="show")
def details(call: Call) -> dict[str, object]:
    """Show the limits of a project with what it uses."""
    project_id = call.args["id"]
    found = _read(call)
    used = {name: found.in_use(own) for name, own in _RESOURCES.items()}
    own = [
        network
        for network in call.conductor.networks.list_networks(call.context, project_id)
        if network.project_id == project_id
    ]
    ranges = [cidr for network in own for cidr in (network.cidr, network.cidr_v6) if cidr]
    used |= {"network": len(own), "subnet": len(ranges), "router": 0}
    return {
        "quota": {
            name: {"limit": limit, "used": used[name], "reserved": 0}
            for name, limit in _limits(found).items()
        }
    }


@quotas.route("PUT /quotas/{id}", policy="update", body=UPDATE)
def update(call: Call) -> dict[str, object]:
    """Set limits of a project; with check_limit not below what it uses."""
    wish = call.body["quota"]
    for name, limit in _FIXED.items():
        if int(wish.get(name, limit)) != limit:
            raise exception.NetworkingUnsupported(what=f"a limit of {name}s")
    limits = {own: int(wish[name]) for name, own in _RESOURCES.items() if name in wish}
    checked = boolean("check_limit", wish.get("check_limit", False))
    found = call.conductor.quotas.update(call.context, call.args["id"], limits, force=not checked)
    return {"quota": _limits(found)}


@quotas.route("DELETE /quotas/{id}", policy="delete", ok=204)
def delete(call: Call) -> None:
    """Go back to the default limits."""
    call.conductor.quotas.delete(call.context, call.args["id"])


def _read(call: Call) -> QuotaSet:
    call.authorize(project_id=call.args["id"])
    return call.conductor.quotas.get(call.context, call.args["id"])
