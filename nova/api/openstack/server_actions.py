"""Actions on servers: POST /servers/{id}/action with one key that names the action.

Source: compute-api-routes (Actions).
"""

from nova.api.core import actions
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import ANYTHING, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.exception import InvalidBody
from nova.policy import MEMBER, NAMESPACE

_CONSOLE_OUTPUT = f"{NAMESPACE}:os-console-output"

server_actions = Resource(
    "servers", rules={"start": MEMBER, "stop": MEMBER, "reboot": MEMBER, _CONSOLE_OUTPUT: MEMBER}
)

_LENGTH: Json = {
    "type": ["integer", "string", "null"],
    "pattern": r"^-?[0-9]+\Z",
    "minimum": -1,
    "maximum": 2**31 - 1,
    "maxLength": 10,
}
START = Object(Key("os-start", ANYTHING, required=True))
STOP = Object(Key("os-stop", ANYTHING, required=True))
REBOOT = Object(
    Key(
        "reboot",
        Object(
            Key("type", {"enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}, required=True)
        ),
        required=True,
    )
)
CONSOLE_OUTPUT = Object(Key("os-getConsoleOutput", Object(Key("length", _LENGTH)), required=True))


def _begin(call: Call, action: str) -> None:
    actions.begin(
        call.context, call.conductor.instances, call.scope, server_uuid(call, "id"), action
    )


@server_actions.route(
    "POST /servers/{id}/action os-start", policy="start", ok=202, body=START, errors=409
)
def start(call: Call) -> None:
    """Power a stopped server on."""
    _begin(call, "start")


@server_actions.route(
    "POST /servers/{id}/action os-stop", policy="stop", ok=202, body=STOP, errors=409
)
def stop(call: Call) -> None:
    """Shut a server down."""
    _begin(call, "stop")


@server_actions.route(
    "POST /servers/{id}/action reboot", policy="reboot", ok=202, body=REBOOT, errors=409
)
def reboot(call: Call) -> None:
    """Reboot a server, softly or hard."""
    _begin(call, actions.reboot_action(call.body["reboot"]["type"]))


@server_actions.route(
    "POST /servers/{id}/action os-getConsoleOutput",
    policy=_CONSOLE_OUTPUT,
    body=CONSOLE_OUTPUT,
    errors=(409, 501),
    answer=named("output", STRING),
)
def console_output(call: Call) -> dict[str, object]:
    """Return the newest lines of a server's console."""
    tail_lines = _tail_lines(call.body["os-getConsoleOutput"].get("length"))
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call, "id"))
    text = actions.console_output(call.context, call.services.compute, server, tail_lines)
    return {"output": text}


def _tail_lines(length: int | str | None) -> int | None:
    """Return the number of lines wanted, None for all.

    Raises: InvalidBody.
    """
    lines = -1 if length is None else int(length)
    if lines < -1:
        raise InvalidBody(name="length", value=lines, reason="It must be at least -1.")
    return None if lines == -1 else lines
