"""Actions migrate, os-migrateLive and evacuate: moves to other hosts.

No server changes its host in this release.  Requests are checked as they will be: policy,
state, lock and host; then the answer is that there is no valid host.
Source: compute-api-routes (migrate, os-migrateLive, evacuate).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object
from nova.api.openstack.schema_types import ANYTHING, BOOL, FQDN, NULL, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range
from nova.exception import (
    ComputeHostNotFound,
    InstanceHostDown,
    InstanceInvalidState,
    InstanceIsLocked,
    InstanceNotReady,
    InvalidInput,
    NoRoomForServer,
)
from nova.objects.instance import Instance
from nova.objects.lifecycle import VmState
from nova.policy import ADMIN, MANAGER

migrate_server = Resource(
    "os-migrate-server",
    rules={
        "migrate": MANAGER,
        "migrate:host": ADMIN,
        "migrate_live": MANAGER,
        "migrate_live:host": ADMIN,
    },
)
evacuate_server = Resource("os-evacuate", rules={"": ADMIN})

_HOST_OR_NULL: Json = {**FQDN, "type": ["string", "null"]}
MIGRATE = Object(
    Key("migrate", ANYTHING, required=True, until="2.55"),
    Key("migrate", AnyOf(Object(Key("host", _HOST_OR_NULL)), NULL), required=True, since="2.56"),
)
_AUTO_OR_BOOL: Json = {"enum": ["auto", *BOOL["enum"]]}  # type: ignore[misc]
MIGRATE_LIVE = Object(
    Key(
        "os-migrateLive",
        Object(
            Key("host", _HOST_OR_NULL, required=True),
            Key("block_migration", BOOL, required=True, until="2.24"),
            Key("block_migration", _AUTO_OR_BOOL, required=True, since="2.25"),
            Key("disk_over_commit", BOOL, required=True, until="2.24"),
            Key("force", BOOL, since="2.30", until="2.67"),
        ),
        required=True,
    )
)
EVACUATE = Object(
    Key(
        "evacuate",
        Object(
            Key("host", FQDN),
            Key("onSharedStorage", BOOL, required=True, until="2.13"),
            Key("adminPass", STRING),
            Key("force", BOOL, since="2.29", until="2.67"),
        ),
        required=True,
    )
)

_HOST_NAMED = Range("2.56")
_COLD = frozenset({VmState.ACTIVE, VmState.STOPPED})
_LIVE = frozenset({VmState.ACTIVE, VmState.PAUSED})
_EVACUATED = frozenset({VmState.ACTIVE, VmState.STOPPED, VmState.ERROR})


@migrate_server.route(
    "POST /servers/{id}/action migrate", policy="migrate", ok=202, body=MIGRATE, errors=409
)
def migrate(call: Call) -> None:
    """Move a server to another host while it is off; none is ready for that."""
    wanted = call.body["migrate"]
    host = wanted.get("host") if wanted and call.version in _HOST_NAMED else None
    if host is not None:
        call.authorize("os-migrate-server:migrate:host")
    server = _movable(call, "migrate", _COLD)
    if call.services.host_states.of(server.host) == "DOWN":
        raise InstanceHostDown(instance_uuid=server.uuid)
    raise _no_host(host)


@migrate_server.route(
    "POST /servers/{id}/action os-migrateLive",
    policy="migrate_live",
    ok=202,
    body=MIGRATE_LIVE,
    errors=409,
)
def migrate_live(call: Call) -> None:
    """Move a server to another host while it runs; none is ready for that."""
    host = call.body["os-migrateLive"]["host"]
    if host is not None:
        call.authorize("os-migrate-server:migrate_live:host")
    _movable(call, "os-migrateLive", _LIVE)
    raise _no_host(host)


@evacuate_server.route(
    "POST /servers/{id}/action evacuate", policy="", ok=200, body=EVACUATE, errors=409
)
def evacuate(call: Call) -> None:
    """Build a server of a dead host elsewhere; no other host is ready for that."""
    host = call.body["evacuate"].get("host")
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    _check_state(server, "evacuate", _EVACUATED)
    states = call.services.host_states
    if host is not None and states.of(host) == "UNKNOWN":
        raise ComputeHostNotFound(host=host)
    if host is not None and host == server.host:
        raise InvalidInput(reason="The target host can not be the host that the server is on.")
    if states.of(server.host) != "DOWN":
        raise InvalidInput(reason=f"Compute service of {server.host} is still in use.")
    raise _no_host(host)


def _movable(call: Call, action: str, vm_states: frozenset[VmState]) -> Instance:
    """Return a server that could be moved if there were another host.

    Raises: InstanceNotFound, InstanceIsLocked, InstanceInvalidState, InstanceNotReady.
    """
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    if server.locked_by is not None and not call.context.is_admin:
        raise InstanceIsLocked(instance_uuid=server.uuid)
    _check_state(server, action, vm_states)
    if server.task_state is not None:
        raise _wrong_state(server, action, "task_state", server.task_state)
    return server


def _check_state(server: Instance, action: str, vm_states: frozenset[VmState]) -> None:
    if server.vm_state not in vm_states:
        raise _wrong_state(server, action, "vm_state", server.vm_state)
    if server.host is None:
        raise InstanceNotReady(instance_uuid=server.uuid)


def _wrong_state(
    server: Instance, action: str, attribute: str, state: object
) -> InstanceInvalidState:
    return InstanceInvalidState(
        action=action, instance_uuid=server.uuid, attribute=attribute, state=str(state)
    )


def _no_host(host: str | None) -> NoRoomForServer:
    """Return the error that ends every move."""
    which = "No other host can take the server." if host is None else f"{host} can not take it."
    return NoRoomForServer(reason=which)
