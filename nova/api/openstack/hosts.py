"""os-hosts: compute hosts as administrators see them, for requests up to 2.42.

Source: compute-api-routes (Services, hypervisors, hosts, agents).
"""

from collections.abc import Iterable

from nova import exception
from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import INTEGER, STRING
from nova.api.openstack.services import COMPUTE, HIDDEN, STATUS, status
from nova.objects.host_usage import HostAmounts
from nova.objects.service import ServiceChange
from nova.policy import ADMIN

hosts = Resource(
    "os-hosts",
    rules=dict.fromkeys(("list", "show", "update", "reboot", "shutdown", "start"), ADMIN),
)

_UNTIL = "2.42"
_SWITCH: Json = {
    "type": "string",
    "enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"],
}
UPDATE = Object(Key("status", _SWITCH), Key("maintenance_mode", _SWITCH))
LISTED = Object(
    Key("host_name", STRING, required=True),
    Key("service", STRING, required=True),
    Key("zone", STRING, required=True),
)
RESOURCE = Object(
    Key("host", STRING, required=True),
    Key("project", STRING, required=True),
    Key("cpu", INTEGER, required=True),
    Key("memory_mb", INTEGER, required=True),
    Key("disk_gb", INTEGER, required=True),
)
UPDATED = Object(Key("host", STRING, required=True), Key("status", STATUS, required=True))
LIST = Query(Param("zone", repeat=True))


@hosts.route(
    "GET /os-hosts", policy="list", until=_UNTIL, query=LIST, answer=items("hosts", LISTED)
)
def index(call: Call) -> dict[str, object]:
    """List the services by host."""
    zones = [zone for zone in call.query.all("zone") if zone]
    found = call.conductor.hosts.list_services(call.context)
    return {
        "hosts": [
            {
                "host_name": service.host,
                "service": service.topic,
                "zone": service.availability_zone or "",
            }
            for service in found
            if service.binary not in HIDDEN
            and (not zones or service.availability_zone == zones[-1])
        ]
    }


@hosts.route(
    "GET /os-hosts/{id}",
    policy="show",
    until=_UNTIL,
    answer=items("host", named("resource", RESOURCE)),
)
def show(call: Call) -> dict[str, object]:
    """Show what a compute host has, what is claimed, and the flavors' sums by project."""
    usage = call.conductor.hosts.usage(call.context, call.args["id"])
    rows = [
        _resource(usage.host, "(total)", usage.total),
        _resource(usage.host, "(used_now)", usage.used),
        _resource(usage.host, "(used_max)", _sum(usage.projects.values())),
        *(_resource(usage.host, *row) for row in usage.projects.items()),
    ]
    return {"host": rows}


def _sum(amounts: Iterable[HostAmounts]) -> HostAmounts:
    return sum(amounts, HostAmounts())


def _resource(host: str, project: str, amounts: HostAmounts) -> Json:
    return {
        "resource": {
            "host": host,
            "project": project,
            "cpu": amounts.vcpus,
            "memory_mb": amounts.memory_mb,
            "disk_gb": amounts.disk_gb,
        }
    }


@hosts.route(
    "PUT /os-hosts/{id}", policy="update", until=_UNTIL, body=UPDATE, errors=501, answer=UPDATED
)
def update(call: Call) -> dict[str, object]:
    """Let a compute host take new work, or not."""
    if not call.body:
        raise exception.InvalidInput(reason="give status or maintenance_mode.")
    if "maintenance_mode" in call.body:
        _refuse(call, "maintenance mode")
    change = ServiceChange(disabled=call.body["status"].lower() == "disable")
    try:
        service = call.conductor.hosts.update_service(
            call.context, f"{call.args['id']}/{COMPUTE}", change
        )
    except exception.ServiceNotFound as error:
        raise exception.ComputeHostNotFound(host=call.args["id"]) from error
    return {"host": service.host, "status": status(service)}


@hosts.route("GET /os-hosts/{id}/reboot", policy="reboot", until=_UNTIL, errors=501)
def reboot(call: Call) -> None:
    """Reboot a host."""
    _refuse(call, "reboots of the host")


@hosts.route("GET /os-hosts/{id}/shutdown", policy="shutdown", until=_UNTIL, errors=501)
def shutdown(call: Call) -> None:
    """Shut a host down."""
    _refuse(call, "shutdowns of the host")


@hosts.route("GET /os-hosts/{id}/startup", policy="start", until=_UNTIL, errors=501)
def startup(call: Call) -> None:
    """Start a host."""
    _refuse(call, "starts of the host")


def _refuse(call: Call, what: str) -> None:
    """Say that no hypervisor here can do something to its host.

    Raises: ComputeHostNotFound, NotSupported.
    """
    host = call.args["id"]
    if not call.conductor.hosts.list_services(call.context, host=host, binary=COMPUTE):
        raise exception.ComputeHostNotFound(host=host)
    raise exception.NotSupported(reason=f"The hypervisor has no {what}.")
