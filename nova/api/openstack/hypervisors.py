"""os-hypervisors: the compute nodes, for administrators."""

import dataclasses
import json
import uuid
from collections.abc import Iterator
from typing import TypedDict

from nova import exception
from nova.api.openstack.answers import items, named, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import BOOL, FQDN, INTEGER, NONNEGATIVE, STRING, STRING_OR_NULL
from nova.api.openstack.services import STATE, STATUS, state, status
from nova.api.openstack.values import boolean
from nova.api.openstack.versions import Range
from nova.api.openstack.views import ABSENT, Absent, Field, View
from nova.objects.service import Hypervisor, HypervisorQuery
from nova.policy import ADMIN

hypervisors = Resource(
    "os-hypervisors",
    rules={
        "list": ADMIN,
        "list-detail": ADMIN,
        "show": ADMIN,
        "search": ADMIN,
        "servers": ADMIN,
        "statistics": ADMIN,
        "uptime": ADMIN,
    },
)

_PAGE = (
    Param("limit", NONNEGATIVE, since="2.33", until="2.52", repeat=True),
    Param("marker", since="2.33", until="2.52", repeat=True),
    Param("limit", NONNEGATIVE, since="2.53"),
    Param("marker", since="2.53"),
)
_SERVERS = Param("with_servers", BOOL, since="2.53")
_ALWAYS_A_LIST = Range("2.75")
LIST = Query(*_PAGE, Param("hypervisor_hostname_pattern", FQDN, since="2.53"), _SERVERS,
             strict_since="2.53")  # fmt: skip
SHOW = Query(_SERVERS, strict_since="2.53")

_STATISTICS = (
    ("vcpus", "vcpus"),
    ("memory_mb", "memory_mb"),
    ("local_gb", "local_gb"),
    ("vcpus_used", "vcpus_used"),
    ("memory_mb_used", "memory_mb_used"),
    ("local_gb_used", "local_gb_used"),
    ("free_ram_mb", "free_ram_mb"),
    ("free_disk_gb", "free_disk_gb"),
    ("current_workload", "num_io_ops"),
    ("running_vms", "running_vms"),
    ("disk_available_least", "disk_available_least"),
)


def _number(hypervisor: Hypervisor, column: str) -> int | None:
    node = hypervisor.node
    if column == "free_ram_mb":
        return node.memory_mb - node.memory_mb_used
    if column == "free_disk_gb":
        return node.local_gb - node.local_gb_used
    value: int | None = getattr(node, column)
    return value


def _usage(name: str, column: str) -> Field[Hypervisor]:
    return Field(
        name,
        lambda hypervisor, call: _number(hypervisor, column),
        until="2.87",
        type=INTEGER,
    )


class ServerOfHost(TypedDict):
    """A server of a hypervisor."""

    uuid: str
    name: str


def _servers(hypervisor: Hypervisor, call: Call) -> list[ServerOfHost] | Absent:
    if not hypervisor.servers and not (call.version in _ALWAYS_A_LIST and _with_servers(call)):
        return ABSENT
    return [{"uuid": uuid, "name": name} for uuid, name in hypervisor.servers]


def _service(hypervisor: Hypervisor, call: Call) -> Json:
    service = hypervisor.service
    return {
        "id": service.uuid if call.version >= (2, 53) else service.id,
        "host": service.host,
        "disabled_reason": service.disabled_reason,
    }


SERVICE = Object(
    Key("id", INTEGER, required=True, until="2.52"),
    Key("id", STRING, required=True, since="2.53"),
    Key("host", STRING, required=True),
    Key("disabled_reason", STRING_OR_NULL, required=True),
)


def _uptime(hypervisor: Hypervisor, call: Call) -> str | None:
    return hypervisor.node.uptime if state(hypervisor.service) == "up" else None


def _cpu_info(hypervisor: Hypervisor, call: Call) -> dict[str, object]:
    found: dict[str, object] = json.loads(hypervisor.node.cpu_info or "{}")
    return found


_BRIEF: tuple[Field[Hypervisor], ...] = (
    Field("id", "node.id", until="2.52"),
    Field("id", "node.uuid", since="2.53"),
    Field("hypervisor_hostname", "node.hypervisor_hostname"),
    Field("state", lambda hypervisor, call: state(hypervisor.service), type=STATE),
    Field("status", lambda hypervisor, call: status(hypervisor.service), type=STATUS),
)
BRIEF = View(Hypervisor, "hypervisor", *_BRIEF, Field("servers", _servers, since="2.53"))
BRIEF_WITH_SERVERS = View(Hypervisor, "hypervisor", *_BRIEF, Field("servers", _servers))
UPTIME = BRIEF.extended(Field("uptime", _uptime))
DETAIL = BRIEF.extended(
    *(_usage(*row) for row in _STATISTICS if row[0] != "disk_available_least"),
    Field("disk_available_least", "node.disk_available_least", until="2.87"),
    Field("cpu_info", "node.cpu_info", until="2.27"),
    Field("cpu_info", _cpu_info, since="2.28", until="2.87"),
    Field("hypervisor_type", "node.hypervisor_type"),
    Field("hypervisor_version", "node.hypervisor_version"),
    Field("host_ip", "node.host_ip"),
    Field("service", _service, type=SERVICE),
    Field("uptime", _uptime, since="2.88"),
)
STATISTICS = Object(
    Key("count", INTEGER, required=True),
    *(Key(name, INTEGER, required=True) for name, _ in _STATISTICS),
)


@hypervisors.route(
    "GET /os-hypervisors",
    policy="list",
    query=LIST,
    errors=404,
    answer=items("hypervisors", BRIEF, "hypervisors_links", since="2.33"),
)
def index(call: Call) -> dict[str, object]:
    """List hypervisors."""
    return _page(call, BRIEF)


@hypervisors.route(
    "GET /os-hypervisors/detail",
    policy="list-detail",
    query=LIST,
    errors=404,
    answer=items("hypervisors", DETAIL, "hypervisors_links", since="2.33"),
)
def detail(call: Call) -> dict[str, object]:
    """List hypervisors with all their fields."""
    return _page(call, DETAIL)


def _page(call: Call, view: View[Hypervisor]) -> dict[str, object]:
    pattern = call.query.get("hypervisor_hostname_pattern")
    if pattern is not None and ("limit" in call.query or "marker" in call.query):
        raise exception.InvalidInput(
            reason="paging and hypervisor_hostname_pattern can not be combined."
        )
    found = call.conductor.hosts.page_hypervisors(
        call.context,
        HypervisorQuery(
            hostname_pattern=pattern,
            with_servers=_with_servers(call),
            limit=call.page_limit(),
            marker=call.query.get("marker"),
        ),
    )
    if pattern is not None and not found:
        raise exception.HypervisorNotFound(hypervisor_id=pattern)
    body: dict[str, object] = {"hypervisors": view.items(found, call)}
    more = call.next_link(len(found), _public_id(found[-1], call) if found else None, since="2.33")
    if more:
        body["hypervisors_links"] = more
    return body


def _with_servers(call: Call) -> bool:
    return boolean("with_servers", call.query.get("with_servers") or False)


def _public_id(hypervisor: Hypervisor, call: Call) -> str:
    return hypervisor.node.uuid if call.version >= (2, 53) else str(hypervisor.node.id)


def _one(call: Call, with_servers: bool = False) -> Hypervisor:
    wanted = call.args["id"]
    if call.version >= (2, 53):
        try:
            wanted = str(uuid.UUID(wanted))
        except ValueError as error:
            # Clients try a name here first, and look into the list only after a 404.
            raise exception.HypervisorNotFound(hypervisor_id=wanted[:64]) from error
    elif not wanted.isdigit():
        raise exception.HypervisorNotFound(hypervisor_id=wanted)
    query = HypervisorQuery(hypervisor_id=wanted, with_servers=with_servers)
    return call.conductor.hosts.page_hypervisors(call.context, query)[0]


@hypervisors.route("GET /os-hypervisors/{id}", policy="show", query=SHOW, answer=one(DETAIL))
def show(call: Call) -> dict[str, object]:
    """Show a hypervisor."""
    return DETAIL.render(_one(call, _with_servers(call)), call)


@hypervisors.route(
    "GET /os-hypervisors/{id}/uptime", policy="uptime", until="2.87", errors=501, answer=one(UPTIME)
)
def uptime(call: Call) -> dict[str, object]:
    """Show how long a hypervisor's host has been up."""
    hypervisor = _one(call)
    if state(hypervisor.service) == "down":
        raise exception.InvalidInput(
            reason=f"the compute service of hypervisor {call.args['id']} is down."
        )
    live = call.services.compute.on(hypervisor.service.host).get_host_uptime(call.context)
    node = dataclasses.replace(hypervisor.node, uptime=live)
    return UPTIME.render(dataclasses.replace(hypervisor, node=node), call)


@hypervisors.route(
    "GET /os-hypervisors/{id}/search",
    policy="search",
    until="2.52",
    answer=items("hypervisors", BRIEF),
)
def search(call: Call) -> dict[str, object]:
    """List the hypervisors whose host name contains a text."""
    return {"hypervisors": BRIEF.items(_matching(call, with_servers=False), call)}


@hypervisors.route(
    "GET /os-hypervisors/{id}/servers",
    policy="servers",
    until="2.52",
    answer=items("hypervisors", BRIEF_WITH_SERVERS),
)
def servers(call: Call) -> dict[str, object]:
    """List the same hypervisors with their servers."""
    found = _matching(call, with_servers=True)
    return {"hypervisors": BRIEF_WITH_SERVERS.items(found, call)}


def _matching(call: Call, with_servers: bool) -> tuple[Hypervisor, ...]:
    pattern = call.args["id"]
    found = call.conductor.hosts.page_hypervisors(
        call.context,
        HypervisorQuery(
            hostname_pattern=pattern, with_servers=with_servers, limit=call.settings.max_limit
        ),
    )
    if not found:
        raise exception.HypervisorNotFound(hypervisor_id=pattern)
    return found


@hypervisors.route(
    "GET /os-hypervisors/statistics",
    policy="statistics",
    until="2.87",
    answer=named("hypervisor_statistics", STATISTICS),
)
def statistics(call: Call) -> dict[str, object]:
    """Show sums over all hypervisors that take new work."""
    active = [hypervisor for hypervisor in _all(call) if not hypervisor.service.disabled]
    sums: dict[str, object] = {
        name: sum(_number(hypervisor, column) or 0 for hypervisor in active)
        for name, column in _STATISTICS
    }
    return {"hypervisor_statistics": {"count": len(active), **sums}}


def _all(call: Call) -> Iterator[Hypervisor]:
    """Give every hypervisor, page by page."""
    limit, marker = call.settings.max_limit, None
    while True:
        page = call.conductor.hosts.page_hypervisors(
            call.context, HypervisorQuery(limit=limit, marker=marker)
        )
        yield from page
        if len(page) < limit:
            return
        marker = page[-1].node.uuid
