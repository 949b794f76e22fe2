"""os-services: the daemons that report."""

import uuid

from nova import exception
from nova.api.openstack.answers import items, named, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import BOOL, FQDN, STRING, STRING_OR_NULL, TRUE_OR_FALSE
from nova.api.openstack.values import boolean
from nova.api.openstack.views import Field, View
from nova.objects.service import Service, ServiceChange
from nova.policy import ADMIN

services = Resource("os-services", rules={"list": ADMIN, "update": ADMIN, "delete": ADMIN})

COMPUTE = "nova-compute"
HIDDEN = ("nova-osapi_compute", "nova-metadata", "nova-api", "nova-api-metadata")

STATUS: Json = {"type": "string", "enum": ["enabled", "disabled"]}
STATE: Json = {"type": "string", "enum": ["up", "down"]}
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 255}
UPDATE_BY_NAME = Object(
    Key("host", FQDN, required=True),
    Key("binary", _TEXT, required=True),
    Key("disabled_reason", _TEXT),
    Key("forced_down", BOOL, since="2.11"),
)
UPDATE = Object(
    Key("status", STATUS),
    Key("disabled_reason", _TEXT),
    Key("forced_down", BOOL),
)
LIST = Query(Param("host", repeat=True), Param("binary", repeat=True), strict_since="2.75")


def status(service: Service) -> str:
    """Return whether a service takes new work, in the words of the API."""
    return "disabled" if service.disabled else "enabled"


def state(service: Service) -> str:
    """Return whether a service is alive, in the words of the API."""
    return "up" if service.is_up and not service.forced_down else "down"


SHOWN = View(
    Service,
    "service",
    Field("id", until="2.52"),
    Field("id", "uuid", since="2.53"),
    Field("binary"),
    Field("host"),
    Field("zone", "availability_zone"),
    Field("status", lambda service, call: status(service), type=STATUS),
    Field("state", lambda service, call: state(service), type=STATE),
    Field("updated_at", "last_seen_up"),
    Field("disabled_reason"),
    Field("forced_down", since="2.11"),
)
CHANGED_BY_NAME = Object(
    Key("host", STRING, required=True),
    Key("binary", STRING, required=True),
    Key("status", STATUS),
    Key("disabled_reason", STRING_OR_NULL),
    Key("forced_down", TRUE_OR_FALSE),
)


@services.route("GET /os-services", policy="list", query=LIST, answer=items("services", SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the daemons that report."""
    found = call.conductor.hosts.list_services(
        call.context, host=call.query.get("host"), binary=call.query.get("binary")
    )
    shown = [service for service in found if service.binary not in HIDDEN]
    return {"services": SHOWN.items(shown, call)}


@services.route(
    "PUT /os-services/{id}",
    policy="update",
    until="2.52",
    body=UPDATE_BY_NAME,
    answer=named("service", CHANGED_BY_NAME),
)
def update_by_name(call: Call) -> dict[str, object]:
    """Enable, disable or force down a service named by host and binary."""
    verb, body = call.args["id"], call.body
    named = {"host": body["host"], "binary": body["binary"]}
    change = _change_of_verb(call, verb)
    if named["binary"] != COMPUTE:
        raise exception.ServiceNotChangeable(binary=named["binary"], only=COMPUTE)
    changed = call.conductor.hosts.update_service(
        call.context, f"{named['host']}/{named['binary']}", change
    )
    if verb == "force-down":
        return {"service": {**named, "forced_down": changed.forced_down}}
    answer = {**named, "status": status(changed)}
    if verb == "disable-log-reason":
        answer["disabled_reason"] = changed.disabled_reason
    return {"service": answer}


def _change_of_verb(call: Call, verb: str) -> ServiceChange:
    body = call.body
    if verb == "enable":
        return ServiceChange(disabled=False, disabled_reason=None)
    if verb == "disable":
        return ServiceChange(disabled=True, disabled_reason=None)
    if verb == "disable-log-reason":
        return ServiceChange(disabled=True, disabled_reason=_given(body, "disabled_reason"))
    if verb == "force-down" and call.version >= (2, 11):
        return ServiceChange(forced_down=boolean("forced_down", _given(body, "forced_down")))
    raise exception.ServiceActionNotFound(action=verb)


def _given(body: dict[str, str], name: str) -> str:
    if name not in body:
        raise exception.InvalidInput(reason=f"{name} is missing.")
    return body[name]


@services.route(
    "PUT /os-services/{id}", policy="update", since="2.53", body=UPDATE, answer=one(SHOWN)
)
def update(call: Call) -> dict[str, object]:
    """Enable, disable or force down a service named by its uuid."""
    service_id = _service_uuid(call.args["id"])
    body = call.body
    if not body:
        raise exception.InvalidInput(reason="give status, disabled_reason or forced_down.")
    if "disabled_reason" in body and body.get("status") != "disabled":
        raise exception.InvalidInput(
            reason="disabled_reason can be given only together with status disabled."
        )
    changes: dict[str, object] = {}
    if "status" in body:
        changes["disabled"] = body["status"] == "disabled"
        changes["disabled_reason"] = body.get("disabled_reason")
    if "forced_down" in body:
        changes["forced_down"] = boolean("forced_down", body["forced_down"])
    change = ServiceChange(**changes)  # type: ignore[arg-type]
    changed = call.conductor.hosts.update_service(call.context, service_id, change, binary=COMPUTE)
    return SHOWN.render(changed, call)


@services.route("DELETE /os-services/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Forget a service."""
    service_id = call.args["id"]
    if call.version >= (2, 53):
        service_id = _service_uuid(service_id)
    elif not service_id.isdigit():
        raise exception.InvalidInput(reason="the id of a service is an integer.")
    call.conductor.hosts.delete_service(call.context, service_id)


def _service_uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise exception.InvalidInput(
            reason=f"'{text[:64]}' is not the uuid of a service."
        ) from error
