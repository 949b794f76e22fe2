"""Routes whose back end does not exist here: they check requests, then say what is missing.

There is no volume service, no bare metal service, and there are no cells of the first kind.
Source: compute-api-routes (Image, volume and bare metal proxies; Cells v1, cloudpipe).
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import NO_QUERY, Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import (
    BOOL,
    DATE_TIME,
    IP,
    NONNEGATIVE,
    PROJECT_ID,
    STRING,
    TEXT255,
)
from nova.exception import InvalidInput, NotSupported, NovaException
from nova.policy import ADMIN, MEMBER, READER

Reason = Callable[[], NovaException]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A route, its rule (None: none), what it would answer, and what it says instead."""

    spec: str
    policy: str | None
    ok: int = 200
    body: Object | None = None
    query: Query = NO_QUERY
    reason: Reason
    errors: tuple[int, ...] = (501,)


def no_volumes() -> NovaException:
    """Return the error that says that there are no volumes."""
    return NotSupported(reason="No volume service is available.")


def _no_bare_metal() -> NovaException:
    return NotSupported(reason="No bare metal service is configured.")


def _read_only() -> NovaException:
    return InvalidInput(reason="Bare metal nodes are not changed through this service.")


def _no_cells() -> NovaException:
    return NotSupported(reason="Cells are not enabled.")


def _no_cloudpipe() -> NovaException:
    return NotSupported(reason="There is no image of VPN servers.")


_PAGE = Query(Param("limit", NONNEGATIVE, repeat=True), Param("offset", NONNEGATIVE, repeat=True))
_VOLUME = Object(
    Key(
        "volume",
        Object(
            Key("volume_type", STRING),
            Key("metadata", {"type": "object"}),
            Key("snapshot_id", STRING),
            Key("size", {**NONNEGATIVE, "minLength": 1}, required=True),
            Key("availability_zone", STRING),
            Key("display_name", STRING),
            Key("display_description", STRING),
        ),
        required=True,
    )
)
_SNAPSHOT = Object(
    Key(
        "snapshot",
        Object(
            Key("volume_id", STRING, required=True),
            Key("force", BOOL),
            Key("display_name", STRING),
            Key("display_description", STRING),
        ),
        required=True,
    )
)
_CELL_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^!.@]+\Z"}
_PORT: Json = {
    "type": ["integer", "string", "null"],
    "pattern": r"^[0-9]*\Z",
    "maxLength": 5,
    "minimum": 0,
    "maximum": 65535,
}


def _cell(named: bool) -> Object:
    cell = Object(
        Key("name", _CELL_NAME, required=named),
        Key("type", {"enum": ["parent", "child"]}),
        Key("username", TEXT255),
        Key("password", TEXT255),
        Key("rpc_host", TEXT255),
        Key("rpc_port", _PORT),
        Key("rpc_virtual_host", TEXT255),
    )
    return Object(Key("cell", cell, required=True))


_SYNC = Object(Key("project_id", STRING), Key("deleted", BOOL), Key("updated_since", DATE_TIME))
_CLOUDPIPE = Object(Key("cloudpipe", Object(Key("project_id", PROJECT_ID)), required=True))
_VPN = Object(
    Key("vpn_ip", IP, required=True),
    Key("vpn_port", {**_PORT, "type": ["integer", "string"], "minLength": 1}, required=True),
)
_CONFIGURE = Object(Key("configure_project", _VPN, required=True))


def _proxy(kind: str, rules: str, body: Object) -> tuple[Refusal, ...]:
    """Return the five routes of a kind of object of the volume service."""

    def refusal(spec: str, rule: str, **more: object) -> Refusal:
        policy = f"{rules}{rule}"
        return Refusal(spec=spec, policy=policy, reason=no_volumes, **more)  # type: ignore[arg-type]

    return (
        refusal(f"GET /{kind}", "list", query=_PAGE),
        refusal(f"POST /{kind}", "create", body=body),
        refusal(f"GET /{kind}/detail", "detail", query=_PAGE),
        refusal(f"GET /{kind}/{{id}}", "show"),
        refusal(f"DELETE /{kind}/{{id}}", "delete", ok=202),
    )


def _bare_metal(spec: str, policy: str | None = None) -> Refusal:
    if policy is not None:
        return Refusal(spec=spec, policy=policy, reason=_no_bare_metal)
    method, _path, *action = spec.split()
    body = Object(*(Key(name, {}, required=True) for name in action), extra=not action)
    return Refusal(
        spec=spec,
        policy=None,
        body=None if method == "DELETE" else body,
        reason=_read_only,
        errors=(),
    )


def _cells(spec: str, policy: str = "", body: Object | None = None, **more: Any) -> Refusal:
    return Refusal(spec=spec, policy=policy, body=body, reason=_no_cells, **more)


def _resource(
    policy: str, rules: Mapping[str, str], *rows: Refusal, until: str | None = None
) -> Resource:
    made = Resource(policy, rules=rules)
    for row in rows:
        made.route(
            row.spec,
            policy=row.policy,
            ok=row.ok,
            until=until,
            body=row.body,
            query=row.query,
            errors=row.errors,
        )(_handler(row.reason))
    return made


def _handler(reason: Reason) -> Callable[[Call], None]:
    def refuse(call: Call) -> None:
        raise reason()

    return refuse


_OR_NOT_FOUND = (404, 501)
_NODE = "/os-baremetal-nodes/{id}"

REFUSED: tuple[Resource, ...] = (
    _resource(
        "os-volumes",
        {
            **dict.fromkeys(("list", "show", "detail"), READER),
            **dict.fromkeys(("create", "delete"), MEMBER),
            **dict.fromkeys(("snapshots:list", "snapshots:show", "snapshots:detail"), READER),
            **dict.fromkeys(("snapshots:create", "snapshots:delete"), MEMBER),
        },
        *_proxy("os-volumes", "", _VOLUME),
        *_proxy("os-snapshots", "snapshots:", _SNAPSHOT),
        until="2.35",
    ),
    _resource(
        "os-cloudpipe",
        {"": ADMIN},
        Refusal(spec="GET /os-cloudpipe", policy="", reason=_no_cloudpipe, errors=_OR_NOT_FOUND),
        Refusal(spec="POST /os-cloudpipe", policy="", body=_CLOUDPIPE, reason=_no_cloudpipe),
        Refusal(
            spec="PUT /os-cloudpipe/{id}", policy="", ok=202, body=_CONFIGURE, reason=_no_cloudpipe
        ),
    ),
)
# These answer as the reference has it for a cloud without the back end.
ABSENT: tuple[Resource, ...] = (
    _resource(
        "os-baremetal-nodes",
        {"list": ADMIN, "show": ADMIN},
        _bare_metal("GET /os-baremetal-nodes", "list"),
        _bare_metal("POST /os-baremetal-nodes"),
        _bare_metal(f"GET {_NODE}", "show"),
        _bare_metal(f"DELETE {_NODE}"),
        _bare_metal(f"POST {_NODE}/action add_interface"),
        _bare_metal(f"POST {_NODE}/action remove_interface"),
        until="2.35",
    ),
    _resource(
        "os-cells",
        dict.fromkeys(("", "create", "update", "delete", "sync_instances"), ADMIN),
        _cells("POST /os-cells", "create", _cell(named=True)),
        _cells("GET /os-cells"),
        _cells("GET /os-cells/capacities", errors=_OR_NOT_FOUND),
        _cells("GET /os-cells/detail"),
        _cells("GET /os-cells/info"),
        _cells("POST /os-cells/sync_instances", "sync_instances", _SYNC),
        _cells("GET /os-cells/{id}"),
        _cells("PUT /os-cells/{id}", "update", _cell(named=False)),
        _cells("DELETE /os-cells/{id}", "delete"),
        _cells("GET /os-cells/{id}/capacities"),
    ),
)
