"""Actions lock and unlock.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object
from nova.api.openstack.schema_types import ANYTHING, NULL
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range
from nova.policy import ADMIN, MEMBER

lock_server = Resource(
    "os-lock-server", rules={"lock": MEMBER, "unlock": MEMBER, "unlock:unlock_override": ADMIN}
)

_UNLOCK_OVERRIDE = "os-lock-server:unlock:unlock_override"
_WITH_REASON = Range("2.73")
_REASON: Json = {"type": "string", "minLength": 1, "maxLength": 255}

LOCK = Object(
    Key("lock", ANYTHING, required=True, until="2.72"),
    Key(
        "lock",
        AnyOf(NULL, Object(Key("locked_reason", _REASON))),
        required=True,
        since="2.73",
    ),
)
UNLOCK = Object(Key("unlock", ANYTHING, required=True))


@lock_server.route("POST /servers/{id}/action lock", policy="lock", ok=202, body=LOCK)
def lock(call: Call) -> None:
    """Lock a server against its owner's actions, and keep the reason if one is given."""
    given = call.body["lock"] if call.version in _WITH_REASON else None
    reason = given.get("locked_reason") if given else None
    call.conductor.instances.lock(call.context, call.scope, server_uuid(call, "id"), reason)


@lock_server.route("POST /servers/{id}/action unlock", policy="unlock", ok=202, body=UNLOCK)
def unlock(call: Call) -> None:
    """Unlock a server; what an administrator locked, an administrator unlocks."""
    override = call.allows(_UNLOCK_OVERRIDE)
    call.conductor.instances.unlock(call.context, call.scope, server_uuid(call, "id"), override)
