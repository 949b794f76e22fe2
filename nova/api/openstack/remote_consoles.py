"""Addresses of consoles: actions up to 2.5, servers/{server_id}/remote-consoles from 2.6.

Source: compute-api-routes (Actions; Server sub-resources), consoles section 3.
"""

from collections.abc import Callable

from nova.api.core.consoles import open_console
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Handler, Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.server_ids import server_uuid
from nova.exception import ConsoleTypeInvalid
from nova.objects.console import ConsoleType
from nova.policy import MEMBER

remote_consoles = Resource("os-remote-consoles", rules={"": MEMBER})

_UNTIL = "2.5"
_URL: Json = {"type": "string", "format": "uri"}
_PROTOCOLS = ["vnc", "spice", "rdp", "serial"]
_TYPES = ["novnc", "xvpvnc", "spice-html5", "rdp-html5", "serial"]
_TYPES_OF: dict[str, tuple[ConsoleType, ...]] = {
    "vnc": (ConsoleType.NOVNC, ConsoleType.XVPVNC),
    "spice": (ConsoleType.SPICE_HTML5, ConsoleType.SPICE_DIRECT),
    "rdp": (ConsoleType.RDP_HTML5,),
    "serial": (ConsoleType.SERIAL,),
    "mks": (ConsoleType.WEBMKS,),
}


def _words(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def _shown(*types: str) -> Object:
    shown = Object(Key("type", _words(*types), required=True), Key("url", _URL, required=True))
    return named("console", shown)


_KEYS = (
    Key("protocol", _words(*_PROTOCOLS), required=True, until="2.7"),
    Key("protocol", _words(*_PROTOCOLS, "mks"), required=True, since="2.8"),
    Key("type", _words(*_TYPES), required=True, until="2.7"),
    Key("type", _words(*_TYPES, "webmks"), required=True, since="2.8", until="2.98"),
    Key("type", _words(*_TYPES, "webmks", "spice-direct"), required=True, since="2.99"),
)
CREATE = Object(Key("remote_console", Object(*_KEYS), required=True))
SHOWN = named("remote_console", Object(*_KEYS, Key("url", _URL, required=True)))
ERRORS = (400, 404, 409, 501)


def _url(call: Call, server_id: str, console_type: ConsoleType) -> str:
    server = call.conductor.instances.get(call.context, call.scope, server_id)
    services = call.services
    return open_console(call.context, services.compute, services.consoleauth, server, console_type)


def _action(name: str, *types: str) -> Callable[[Handler], Handler]:
    """Declare an action that is asked for one of these types."""
    asked = Object(Key("type", _words(*types), required=True))
    return remote_consoles.route(
        f"POST /servers/{{id}}/action {name}",
        policy="",
        until=_UNTIL,
        body=Object(Key(name, asked, required=True)),
        errors=ERRORS,
        answer=_shown(*types),
    )


def _console(call: Call) -> dict[str, object]:
    (asked,) = call.body.values()
    console_type = ConsoleType(asked["type"])
    url = _url(call, server_uuid(call, "id"), console_type)
    return {"console": {"type": console_type.value, "url": url}}


@_action("os-getVNCConsole", "novnc", "xvpvnc")
def vnc(call: Call) -> dict[str, object]:
    """Return the address of a VNC console."""
    return _console(call)


@_action("os-getSPICEConsole", "spice-html5")
def spice(call: Call) -> dict[str, object]:
    """Return the address of a SPICE console."""
    return _console(call)


@_action("os-getRDPConsole", "rdp-html5")
def rdp(call: Call) -> dict[str, object]:
    """Return the address of an RDP console."""
    return _console(call)


@_action("os-getSerialConsole", "serial")
def serial(call: Call) -> dict[str, object]:
    """Return the address of a serial console, which is that of a WebSocket."""
    return _console(call)


@remote_consoles.route(
    "POST /servers/{server_id}/remote-consoles",
    policy="",
    since="2.6",
    body=CREATE,
    errors=ERRORS,
    answer=SHOWN,
)
def create(call: Call) -> dict[str, object]:
    """Return the address of a console.  Raises: ConsoleTypeInvalid."""
    wanted = call.body["remote_console"]
    console_type = ConsoleType(wanted["type"])
    if console_type not in _TYPES_OF[wanted["protocol"]]:
        raise ConsoleTypeInvalid(console_type=console_type.value)
    url = _url(call, server_uuid(call), console_type)
    return {
        "remote_console": {
            "protocol": wanted["protocol"],
            "type": console_type.value,
            "url": url,
        }
    }
