"""servers/{server_id}/os-instance-actions: what was done to a server, and how it went."""

import hashlib

from nova import clock
from nova.api.openstack.answers import Extended, Items, items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Param, Query
from nova.api.openstack.schema_types import DATE_TIME, NONNEGATIVE, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range
from nova.api.openstack.views import ABSENT, Absent, Field, View
from nova.exception import InvalidQuery
from nova.objects.operation import ActionEvent, ActionQuery, ActionRecord
from nova.policy import ADMIN, READER

instance_actions = Resource(
    "os-instance-actions",
    rules={"list": READER, "show": READER, "events": ADMIN, "events:details": ADMIN},
)

_EVENTS = "os-instance-actions:events"
_EVENT_DETAILS = "os-instance-actions:events:details"
_EVENTS_FOR_OWNERS = Range("2.51")
_OF_DELETED_SERVERS = Range("2.21")
_HOST_IDS = Range("2.62")

PAGE = Query(
    Param("limit", NONNEGATIVE, since="2.58"),
    Param("marker", since="2.58"),
    Param("changes-since", DATE_TIME, since="2.58"),
    Param("changes-before", DATE_TIME, since="2.66"),
    strict_since="2.58",
)


def _host_id(event: ActionEvent, project_id: str | None) -> str:
    if not event.host:
        return ""
    return hashlib.sha224(f"{project_id}{event.host}".encode()).hexdigest()


EVENT = View(
    ActionEvent,
    "event",
    Field("event"),
    Field("start_time", "started_at"),
    Field("finish_time", "finished_at"),
    Field("result"),
    Field("traceback", policy=_EVENTS),
    Field("host", since="2.62", omit_if_none=True, policy=_EVENTS),
    Field("details", since="2.84", policy=_EVENT_DETAILS),
)


def _events(record: ActionRecord, call: Call) -> list[dict[str, object]] | Absent:
    if call.version not in _EVENTS_FOR_OWNERS and not call.allows(_EVENTS):
        return ABSENT
    documents = EVENT.items(record.events, call)
    if call.version in _HOST_IDS:
        for event, document in zip(record.events, documents, strict=True):
            document["hostId"] = _host_id(event, record.project_id)
    return documents


ACTION = View(
    ActionRecord,
    "instanceAction",
    Field("action"),
    Field("instance_uuid"),
    Field("request_id"),
    Field("user_id"),
    Field("project_id"),
    Field("start_time", "started_at"),
    Field("message"),
    Field("updated_at", since="2.58"),
)
ACTION_WITH_EVENTS = ACTION.extended(
    Field("events", _events, type=Items(Extended(EVENT, Key("hostId", STRING, since="2.62"))))
)


def _require_live_server(call: Call, uuid: str) -> None:
    """Hide the actions of deleted servers from versions that did not show them.

    Raises: InstanceNotFound.
    """
    if call.version not in _OF_DELETED_SERVERS:
        call.conductor.instances.get(call.context, call.scope, uuid)


def _query(call: Call) -> ActionQuery:
    since, before = (
        None if text is None else clock.parse(text)
        for text in (call.query.get("changes-since"), call.query.get("changes-before"))
    )
    if since is not None and before is not None and before < since:
        raise InvalidQuery(name="changes-before", reason="It must not be before changes-since.")
    return ActionQuery(
        limit=call.page_limit(),
        marker=call.query.get("marker"),
        changes_since=since,
        changes_before=before,
    )


@instance_actions.route(
    "GET /servers/{server_id}/os-instance-actions",
    policy="list",
    query=PAGE,
    answer=items("instanceActions", ACTION, "links", since="2.58"),
)
def index(call: Call) -> dict[str, object]:
    """List a server's actions, newest first."""
    uuid = server_uuid(call)
    _require_live_server(call, uuid)
    found = call.conductor.instances.page_actions(call.context, call.scope, uuid, _query(call))
    body: dict[str, object] = {"instanceActions": ACTION.items(found, call)}
    more = call.next_link(len(found), found[-1].request_id if found else None, since="2.58")
    if more:
        body["links"] = more
    return body


@instance_actions.route(
    "GET /servers/{server_id}/os-instance-actions/{id}",
    policy="show",
    answer=one(ACTION_WITH_EVENTS),
)
def show(call: Call) -> dict[str, object]:
    """Show an action with its events."""
    uuid = server_uuid(call)
    _require_live_server(call, uuid)
    record = call.conductor.instances.get_action(call.context, call.scope, uuid, call.args["id"])
    return ACTION_WITH_EVENTS.render(record, call)
