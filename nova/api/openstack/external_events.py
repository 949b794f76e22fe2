"""os-server-external-events: what other services tell about servers.

A changed network is written anew on the server's host.  Interfaces, volumes and accelerators
of other services are not used: their events have no effect, but those who send them learn
whether the server is there.
Source: compute-api-routes (Migrations, events, usage, console tokens).
"""

from collections.abc import Mapping
from typing import Any

from nova.api.openstack.answers import items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Reply, Resource
from nova.api.openstack.schema import Json, Key, ListOf, Object
from nova.api.openstack.schema_types import INTEGER, STRING, TEXT255, UUID
from nova.objects.instance import Scope
from nova.policy import SERVICE

external_events = Resource("os-server-external-events", rules={"create": SERVICE})

_SERVICE_ROLE = "service"
_TAKEN = 200
_CHANGED = "network-changed"
_NETWORK = (
    _CHANGED,
    "network-vif-plugged",
    "network-vif-unplugged",
    "network-vif-deleted",
)
_LATER = (
    ("volume-extended", "2.51"),
    ("power-update", "2.76"),
    ("accelerator-request-bound", "2.82"),
    ("volume-reimaged", "2.93"),
)
_TAGGED = {"volume-extended", "power-update", "accelerator-request-bound"}
_POWER = {"POWER_ON", "POWER_OFF"}


def _name_keys() -> list[Key]:
    """Return the key "name" once for each range of versions that knows the same names."""
    sinces = [since for _name, since in _LATER]
    untils = [f"2.{int(since.partition('.')[2]) - 1}" for since in sinces]
    keys = []
    for index, (since, until) in enumerate(zip([None, *sinces], [*untils, None], strict=True)):
        names = [*_NETWORK, *(name for name, _since in _LATER[:index])]
        keys.append(Key("name", {"enum": names}, required=True, since=since, until=until))
    return keys


_STATUS: Json = {"enum": ["failed", "completed", "in-progress"]}
CREATE = Object(
    Key(
        "events",
        ListOf(
            Object(
                *_name_keys(),
                Key("server_uuid", UUID, required=True),
                Key("status", _STATUS),
                Key("tag", TEXT255),
            ),
            minimum=1,
        ),
        required=True,
    )
)


TAKEN = items(
    "events",
    Object(
        *_name_keys(),
        Key("server_uuid", STRING, required=True),
        Key("status", _STATUS, required=True),
        Key("tag", STRING),
        Key("code", INTEGER, required=True),
    ),
)


@external_events.route(
    "POST /os-server-external-events", policy="create", ok=(200, 207), body=CREATE, answer=TAKEN
)
def create(call: Call) -> Reply:
    """Take events; tell of each whether it can have an effect, and renew changed networks."""
    events = [{"status": "completed", **event} for event in call.body["events"]]
    uuids = tuple(sorted({event["server_uuid"].lower() for event in events}))
    hosts = call.conductor.instances.hosts_of(call.context, _scope(call), uuids)
    taken = [{**event, "code": _code(event, hosts)} for event in events]
    changed = {
        event["server_uuid"].lower()
        for event in taken
        if event["name"] == _CHANGED and event["code"] == _TAKEN
    }
    if changed:
        call.conductor.instances.renew_networks(call.context, _scope(call), tuple(sorted(changed)))
    failed = any(event["code"] != _TAKEN for event in taken)
    return Reply(body={"events": taken}, status=207 if failed else 200)


def _scope(call: Call) -> Scope:
    """Return the servers that may be told about: for services those of all projects."""
    return Scope() if _SERVICE_ROLE in call.context.roles else call.scope


def _code(event: Mapping[str, Any], hosts: Mapping[str, str]) -> int:
    host = hosts.get(event["server_uuid"].lower())
    if host is None:
        return 404
    if not host:
        return 422
    tag = event.get("tag")
    if event["name"] in _TAGGED and not tag:
        return 400
    return 400 if event["name"] == "power-update" and tag not in _POWER else _TAKEN
