"""Actions shelve, shelveOffload, unshelve: a server is put away in an image, and comes back.

Source: compute-api-routes (Actions).
"""

from nova.api.core import snapshots
from nova.api.openstack.call import Call
from nova.api.openstack.create_image import begin as begin_snapshot
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object
from nova.api.openstack.schema_types import ANYTHING, NAME, NULL, STRING
from nova.api.openstack.server_begin import begin
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range
from nova.objects.action_request import ActionRequest, UnshelveRequest
from nova.objects.unset import UNSET
from nova.policy import ADMIN, MEMBER

shelve_server = Resource(
    "os-shelve",
    rules={
        "shelve": MEMBER,
        "shelve_offload": ADMIN,
        "unshelve": MEMBER,
        "unshelve_to_host": ADMIN,
    },
)

_TO_HOST = "os-shelve:unshelve_to_host"
_PLACED = Range("2.77")
_NAME_OR_NULL: Json = {**NAME, "type": ["string", "null"]}
_TO_ZONE = Object(Key("availability_zone", NAME, required=True))
_TO_PLACE = Object(Key("availability_zone", _NAME_OR_NULL), Key("host", STRING))

SHELVE = Object(Key("shelve", ANYTHING, required=True))
OFFLOAD = Object(Key("shelveOffload", ANYTHING, required=True))
UNSHELVE = Object(
    Key("unshelve", ANYTHING, required=True, until="2.76"),
    Key("unshelve", AnyOf(_TO_ZONE, NULL), required=True, since="2.77", until="2.90"),
    Key("unshelve", AnyOf(_TO_PLACE, NULL), required=True, since="2.91"),
)


@shelve_server.route(
    "POST /servers/{id}/action shelve", policy="shelve", ok=202, body=SHELVE, errors=409
)
def shelve(call: Call) -> None:
    """Stop a server and keep its disk as an image."""
    begin_snapshot(
        call,
        snapshots.SnapshotWish(
            action="shelve", not_inherited=call.settings.non_inheritable_image_properties
        ),
    )


@shelve_server.route(
    "POST /servers/{id}/action shelveOffload",
    policy="shelve_offload",
    ok=202,
    body=OFFLOAD,
    errors=409,
)
def offload(call: Call) -> None:
    """Remove a shelved server from its host."""
    begin(call, "shelveOffload")


@shelve_server.route(
    "POST /servers/{id}/action unshelve", policy="unshelve", ok=202, body=UNSHELVE, errors=409
)
def unshelve(call: Call) -> None:
    """Bring a shelved server back."""
    call.conductor.instances.begin_action(
        call.context,
        call.scope,
        server_uuid(call, "id"),
        "unshelve",
        request=ActionRequest(unshelve=_wish(call)),
    )


def _wish(call: Call) -> UnshelveRequest | None:
    """Return where the server shall go, None for anywhere.  Raises: PolicyNotAuthorized."""
    wanted = call.body["unshelve"]
    if call.version not in _PLACED or not wanted:
        return None
    host = wanted.get("host")
    if host is not None:
        call.authorize(_TO_HOST)
    return UnshelveRequest(availability_zone=wanted.get("availability_zone", UNSET), host=host)
