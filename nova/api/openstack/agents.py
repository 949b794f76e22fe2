"""os-agents: builds of guest agents, as administrators announce them.

Source: compute-api-routes (Services, hypervisors, hosts, agents).
"""

import dataclasses

from nova import exception
from nova.api.openstack.answers import items, named, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import STRING, TEXT255
from nova.api.openstack.views import Field, View
from nova.objects.agent import AgentBuild, AgentChange
from nova.policy import ADMIN

agents = Resource("os-agents", rules=dict.fromkeys(("list", "create", "update", "delete"), ADMIN))

_VERSION: Json = {**TEXT255, "pattern": r"^[a-zA-Z0-9-._ ]*\Z"}
_URL: Json = {**TEXT255, "pattern": r"^[a-zA-Z][a-zA-Z0-9+.-]*:[!-~]+\Z"}
_HASH: Json = {**TEXT255, "pattern": r"^[a-fA-F0-9]*\Z"}
_CHANGING = (
    Key("version", _VERSION, required=True),
    Key("url", _URL, required=True),
    Key("md5hash", _HASH, required=True),
)
CREATE = Object(
    Key(
        "agent",
        Object(
            Key("hypervisor", TEXT255, required=True),
            Key("os", TEXT255, required=True),
            Key("architecture", TEXT255, required=True),
            *_CHANGING,
        ),
        required=True,
    )
)
UPDATE = Object(Key("para", Object(*_CHANGING), required=True))
LIST = Query(Param("hypervisor", repeat=True))

SHOWN = View(
    AgentBuild,
    "agent",
    Field("agent_id", "id"),
    Field("hypervisor"),
    Field("os"),
    Field("architecture"),
    Field("version"),
    Field("url"),
    Field("md5hash"),
)
CHANGED = named(
    "agent",
    Object(
        Key("agent_id", STRING, required=True),
        *(Key(name, STRING, required=True) for name in ("version", "url", "md5hash")),
    ),
)


@agents.route("GET /os-agents", policy="list", query=LIST, answer=items("agents", SHOWN))
def index(call: Call) -> dict[str, object]:
    """List builds."""
    found = call.conductor.agents.list_builds(call.context, call.query.get("hypervisor"))
    return {"agents": SHOWN.items(found, call)}


@agents.route("POST /os-agents", policy="create", body=CREATE, errors=409, answer=one(SHOWN))
def create(call: Call) -> dict[str, object]:
    """Announce a build."""
    made = call.conductor.agents.create(call.context, AgentBuild(**call.body["agent"]))
    return SHOWN.render(made, call)


@agents.route("PUT /os-agents/{id}", policy="update", body=UPDATE, answer=CHANGED)
def update(call: Call) -> dict[str, object]:
    """Announce a newer build for the same guests."""
    change = AgentChange(**call.body["para"])
    call.conductor.agents.update(call.context, _build_id(call), change)
    return {"agent": {"agent_id": call.args["id"], **dataclasses.asdict(change)}}


@agents.route("DELETE /os-agents/{id}", policy="delete")
def delete(call: Call) -> None:
    """Forget a build."""
    call.conductor.agents.delete(call.context, _build_id(call))


def _build_id(call: Call) -> int:
    """Return the number in the path.  Raises: InvalidInput, AgentBuildNotFound."""
    text = call.args["id"]
    if not (text.isascii() and text.isdigit()):
        raise exception.InvalidInput(reason="the id of an agent build is an integer.")
    if len(text) > 9:
        raise exception.AgentBuildNotFound(build_id=text[:32])
    return int(text)
