"""servers/{server_id}/migrations: moves of running servers that are under way.

Servers do not move while they run in this release, so that there never is one.
Source: compute-api-routes (Server migrations).
"""

from typing import NoReturn

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import NO_ITEMS, NULL
from nova.api.openstack.server_ids import server_uuid
from nova.exception import InstanceInvalidState, MigrationNotFound
from nova.objects.instance import Instance
from nova.policy import ADMIN, MANAGER

server_migrations = Resource(
    "servers:migrations",
    rules={
        "index": MANAGER,
        "index:host": ADMIN,
        "show": ADMIN,
        "delete": MANAGER,
        "force_complete": MANAGER,
    },
)

FORCE_COMPLETE = Object(Key("force_complete", NULL, required=True))


@server_migrations.route(
    "GET /servers/{server_id}/migrations",
    policy="index",
    since="2.23",
    answer=named("migrations", NO_ITEMS),
)
def index(call: Call) -> dict[str, object]:
    """List a server's live migrations that are under way."""
    _server(call)
    return {"migrations": []}


@server_migrations.route("GET /servers/{server_id}/migrations/{id}", policy="show", since="2.23")
def show(call: Call) -> NoReturn:
    """Show a live migration that is under way."""
    _server(call)
    raise MigrationNotFound(migration_id=call.args["id"][:80])


@server_migrations.route(
    "DELETE /servers/{server_id}/migrations/{id}", policy="delete", since="2.24", ok=202, errors=409
)
def delete(call: Call) -> NoReturn:
    """End a live migration; the server stays where it is."""
    raise _not_migrating(_server(call), "abort live migration")


@server_migrations.route(
    "POST /servers/{server_id}/migrations/{id}/action force_complete",
    policy="force_complete",
    since="2.22",
    ok=202,
    body=FORCE_COMPLETE,
    errors=409,
)
def force_complete(call: Call) -> NoReturn:
    """Let a live migration come to its end, whatever the guest does."""
    raise _not_migrating(_server(call), "force_complete")


def _server(call: Call) -> Instance:
    return call.conductor.instances.get(call.context, call.scope, server_uuid(call))


def _not_migrating(server: Instance, action: str) -> InstanceInvalidState:
    return InstanceInvalidState(
        action=action,
        instance_uuid=server.uuid,
        attribute="task_state",
        state=str(server.task_state),
    )
