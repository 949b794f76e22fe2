"""/v2.0/quotas: the limits of the Compute API that are about networking."""

from nova import exception
from nova.api.networking.words import OWNER_KEYS, resource, wrapped
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json, Key
from nova.api.openstack.schema_types import BOOL
from nova.api.openstack.values import boolean
from nova.objects.quota import UNLIMITED, NetworkingQuota, QuotaSet
from nova.policy import ADMIN, ANY

quotas = resource("quotas", list=ADMIN, default=ANY, update=ADMIN, delete=ADMIN)

_RESOURCES = {
    "port": "fixed_ips",
    "floatingip": "floating_ips",
    "security_group": "security_groups",
    "security_group_rule": "security_group_rules",
}
# Networks have one limit for all projects; each may have two ranges.  There are no routers.
_FIXED = ("network", "subnet", "router")
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
    *OWNER_KEYS,
)


def _limits(found: QuotaSet, networks: int) -> dict[str, int]:
    limits = {name: found.limit(own) for name, own in _RESOURCES.items()}
    return limits | _fixed(networks)


def _fixed(networks: int) -> dict[str, int]:
    """Return the limits that nobody sets by project, of which that of networks is an option."""
    return {"network": networks, "subnet": UNLIMITED, "router": 0}


@quotas.route("GET /quotas", policy="list")
def index(call: Call) -> dict[str, object]:
    """List nothing: which projects have limits of their own is asked project by project."""
    return {"quotas": []}


@quotas.route("GET /quotas/{id}", policy="show")
def show(call: Call) -> dict[str, object]:
    """Show the limits of a project."""
    found = _read(call)
    return {"quota": _limits(found.quota_set, found.network_limit)}


@quotas.route("GET /quotas/{id}/default", policy="default")
def default(call: Call) -> dict[str, object]:
    """Show the limits of projects that have none of their own."""
    found = call.conductor.quotas.get_networking(call.context)
    return {"quota": _limits(found.quota_set, found.network_limit)}


@quotas.route("GET /quotas/{id}/details", policy="show")
def details(call: Call) -> dict[str, object]:
    """Show the limits of a project with what it uses."""
    found = _read(call)
    used = {name: found.quota_set.in_use(own) for name, own in _RESOURCES.items()}
    used |= {"network": found.networks, "subnet": found.ranges, "router": 0}
    return {
        "quota": {
            name: {"limit": limit, "used": used[name], "reserved": 0}
            for name, limit in _limits(found.quota_set, found.network_limit).items()
        }
    }


@quotas.route("PUT /quotas/{id}", policy="update", body=UPDATE)
def update(call: Call) -> dict[str, object]:
    """Set limits of a project; with check_limit not below what it uses."""
    wish = call.body["quota"]
    project_id = call.args["id"]
    networks = call.conductor.quotas.get_networking(call.context, project_id).network_limit
    for name, limit in _fixed(networks).items():
        if int(wish.get(name, limit)) != limit:
            raise exception.NetworkingUnsupported(what=f"a limit of {name}s")
    limits = {own: int(wish[name]) for name, own in _RESOURCES.items() if name in wish}
    checked = boolean("check_limit", wish.get("check_limit", False))
    found = call.conductor.quotas.update(call.context, project_id, limits, force=not checked)
    return {"quota": _limits(found, networks)}


@quotas.route("DELETE /quotas/{id}", policy="delete", ok=204)
def delete(call: Call) -> None:
    """Go back to the default limits."""
    call.conductor.quotas.delete(call.context, call.args["id"])


def _read(call: Call) -> NetworkingQuota:
    call.authorize(project_id=call.args["id"])
    return call.conductor.quotas.get_networking(call.context, call.args["id"])
