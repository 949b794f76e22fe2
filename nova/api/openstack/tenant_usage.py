"""os-simple-tenant-usage: what projects used over a time."""

import dataclasses
import datetime
import itertools

from nova import clock, exception
from nova.api.openstack.answers import Items, items, named
from nova.api.openstack.call import Call
from nova.api.openstack.links import LINKS
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import AnyOf, Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import INTEGER, NONNEGATIVE, NUMBER, STRING, STRING_OR_NULL
from nova.objects.quota import ServerUsage, UsageQuery
from nova.policy import ADMIN, READER

tenant_usage = Resource("os-simple-tenant-usage", rules={"list": ADMIN, "show": READER})

_PERIOD = (Param("start", repeat=True), Param("end", repeat=True))
_PAGE = (
    Param("limit", NONNEGATIVE, since="2.40", repeat=True),
    Param("marker", since="2.40", repeat=True),
)
LIST = Query(*_PERIOD, Param("detailed", repeat=True), *_PAGE, strict_since="2.75")
SHOW = Query(*_PERIOD, *_PAGE, strict_since="2.75")

SERVER = Object(
    Key("instance_id", STRING, required=True),
    Key("name", STRING, required=True),
    Key("tenant_id", STRING, required=True),
    Key("flavor", STRING, required=True),
    Key("memory_mb", INTEGER, required=True),
    Key("vcpus", INTEGER, required=True),
    Key("local_gb", INTEGER, required=True),
    Key("started_at", STRING, required=True),
    Key("ended_at", STRING_OR_NULL, required=True),
    Key("state", STRING, required=True),
    Key("hours", NUMBER, required=True),
    Key("uptime", INTEGER, required=True),
)
USAGE = Object(
    Key("tenant_id", STRING, required=True),
    Key("start", STRING, required=True),
    Key("stop", STRING, required=True),
    Key("total_hours", NUMBER, required=True),
    Key("total_local_gb_usage", NUMBER, required=True),
    Key("total_memory_mb_usage", NUMBER, required=True),
    Key("total_vcpus_usage", NUMBER, required=True),
    Key("server_usages", Items(SERVER)),
)
# Nothing is said of a project that used nothing.
ONE = named("tenant_usage", AnyOf(USAGE, Object()), Key("tenant_usage_links", LINKS, since="2.40"))

_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_PAGING = (2, 40)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time that usage is asked for; stop is never in the future."""

    start: datetime.datetime
    stop: datetime.datetime


def period(start: str | None, end: str | None, now: datetime.datetime) -> Period:
    """Return the period that two texts name; a missing one stands for now.

    Raises: InvalidInput.
    """
    begin = _time("start", start) or now
    finish = min(_time("end", end) or now, now)
    if begin >= finish:
        raise exception.InvalidInput(reason="start must be before end, and in the past.")
    return Period(start=begin, stop=finish)


def _time(name: str, text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    for form in _FORMATS:
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    raise exception.InvalidInput(reason=f"{name} must look like 2026-01-31T12:00:00.")


@tenant_usage.route(
    "GET /os-simple-tenant-usage",
    policy="list",
    query=LIST,
    answer=items("tenant_usages", USAGE, "tenant_usages_links", since="2.40"),
)
def index(call: Call) -> dict[str, object]:
    """Show the usage of every project that had servers in a period."""
    asked = _period(call)
    usages = _usages(call, asked, None)
    detailed = call.query.get("detailed") in ("1", "True", "true")
    by_project = itertools.groupby(usages, key=lambda usage: usage.project_id)
    documents = [_document(project, list(rows), asked, detailed) for project, rows in by_project]
    body: dict[str, object] = {"tenant_usages": documents}
    return _with_link(call, body, "tenant_usages_links", usages)


@tenant_usage.route("GET /os-simple-tenant-usage/{id}", policy="show", query=SHOW, answer=ONE)
def show(call: Call) -> dict[str, object]:
    """Show the usage of one project in a period, server by server."""
    project_id = call.args["id"]
    call.authorize(project_id=project_id)
    asked = _period(call)
    usages = _usages(call, asked, project_id)
    document = _document(project_id, list(usages), asked, detailed=True) if usages else {}
    return _with_link(call, {"tenant_usage": document}, "tenant_usage_links", usages)


def _period(call: Call) -> Period:
    return period(call.query.get("start"), call.query.get("end"), clock.utcnow())


def _usages(call: Call, asked: Period, project_id: str | None) -> tuple[ServerUsage, ...]:
    paged = call.version >= _PAGING
    return call.conductor.quotas.usage(
        call.context,
        UsageQuery(
            start=asked.start,
            stop=asked.stop,
            project_id=project_id,
            limit=call.page_limit() if paged else None,
            marker=call.query.get("marker"),
        ),
    )


def _with_link(
    call: Call, body: dict[str, object], name: str, usages: tuple[ServerUsage, ...]
) -> dict[str, object]:
    more = call.next_link(len(usages), usages[-1].instance_uuid if usages else None, since="2.40")
    return {**body, name: more} if more else body


def _document(project_id: str, usages: list[ServerUsage], asked: Period, detailed: bool) -> Json:
    document: dict[str, object] = {
        "tenant_id": project_id,
        "start": clock.isoformat(asked.start),
        "stop": clock.isoformat(asked.stop),
        "total_hours": sum(usage.hours for usage in usages),
        "total_local_gb_usage": sum(usage.hours * usage.local_gb for usage in usages),
        "total_memory_mb_usage": sum(usage.hours * usage.memory_mb for usage in usages),
        "total_vcpus_usage": sum(usage.hours * usage.vcpus for usage in usages),
    }
    if detailed:
        now = clock.utcnow()
        document["server_usages"] = [_server(usage, now) for usage in usages]
    return document


def _server(usage: ServerUsage, now: datetime.datetime) -> Json:
    end = usage.ended_at or now
    return {
        "instance_id": usage.instance_uuid,
        "name": usage.display_name,
        "tenant_id": usage.project_id,
        "flavor": usage.flavor_name,
        "memory_mb": usage.memory_mb,
        "vcpus": usage.vcpus,
        "local_gb": usage.local_gb,
        "started_at": clock.isoformat(usage.started_at),
        "ended_at": clock.isoformat(usage.ended_at) if usage.ended_at else None,
        "state": usage.state,
        "hours": usage.hours,
        "uptime": max(0, int((end - usage.started_at).total_seconds())),
    }
