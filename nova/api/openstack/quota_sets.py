"""os-quota-sets: limits and use of projects and users."""

from typing import TypedDict

from nova.api.openstack.annotations import schema_of
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.quota_resources import (
    QUOTA_SETS,
    limits_schema,
    numbers,
    shown_schema,
    visible,
)
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object, Param, Query
from nova.api.openstack.schema_types import BOOL, STRING
from nova.api.openstack.values import boolean
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN, ANY, READER

quota_sets = Resource(
    "os-quota-sets",
    rules={"show": READER, "detail": READER, "defaults": ANY, "update": ADMIN, "delete": ADMIN},
)

UPDATE = Object(Key("quota_set", limits_schema(QUOTA_SETS, Key("force", BOOL)), required=True))
USER = Query(Param("user_id", repeat=True), strict_since="2.75")


class Usage(TypedDict):
    """A limit together with what is used."""

    limit: int
    in_use: int
    reserved: int


SHOWN = named("quota_set", shown_schema(QUOTA_SETS, Key("id", STRING, required=True)))
DETAILED = named(
    "quota_set", shown_schema(QUOTA_SETS, Key("id", STRING, required=True), shown=schema_of(Usage))
)
UPDATED = named("quota_set", shown_schema(QUOTA_SETS))


def _limits(quotas: QuotaSet, call: Call) -> dict[str, object]:
    return {name: quotas.limit(name) for name in visible(QUOTA_SETS, call.version)}


def _read(call: Call) -> QuotaSet:
    project_id = call.args["id"]
    call.authorize(project_id=project_id)
    call.require_project(project_id)
    return call.conductor.quotas.get(call.context, project_id, call.query.get("user_id"))


@quota_sets.route("GET /os-quota-sets/{id}", policy="show", query=USER, answer=SHOWN)
def show(call: Call) -> dict[str, object]:
    """Show the limits of a project, or of a user within it."""
    return {"quota_set": {"id": call.args["id"], **_limits(_read(call), call)}}


@quota_sets.route("GET /os-quota-sets/{id}/detail", policy="detail", query=USER, answer=DETAILED)
def detail(call: Call) -> dict[str, object]:
    """Show limits together with what is used."""
    quotas = _read(call)
    shown = set(visible(QUOTA_SETS, call.version))
    usages: dict[str, Usage] = {
        usage.resource: {
            "limit": usage.limit,
            "in_use": usage.in_use,
            "reserved": usage.reserved,
        }
        for usage in quotas.resources
        if usage.resource in shown
    }
    return {"quota_set": {"id": call.args["id"], **usages}}


@quota_sets.route("GET /os-quota-sets/{id}/defaults", policy="defaults", answer=SHOWN)
def defaults(call: Call) -> dict[str, object]:
    """Show the limits of projects that have none of their own."""
    quotas = call.conductor.quotas.get_defaults(call.context)
    return {"quota_set": {"id": call.args["id"], **_limits(quotas, call)}}


@quota_sets.route(
    "PUT /os-quota-sets/{id}", policy="update", body=UPDATE, query=USER, answer=UPDATED
)
def update(call: Call) -> dict[str, object]:
    """Set limits of a project, or of a user within it."""
    call.require_project(call.args["id"])
    wanted = dict(call.body["quota_set"])
    force = boolean("force", wanted.pop("force", False))
    quotas = call.conductor.quotas.update(
        call.context,
        call.args["id"],
        numbers(wanted),
        user_id=call.query.get("user_id"),
        force=force,
    )
    return {"quota_set": _limits(quotas, call)}


@quota_sets.route("DELETE /os-quota-sets/{id}", policy="delete", ok=202, query=USER)
def delete(call: Call) -> None:
    """Go back to the default limits."""
    call.conductor.quotas.delete(call.context, call.args["id"], call.query.get("user_id"))
