"""From the query of a list of servers to what the conductor is asked.

Source: api-conventions section 3.
"""

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import TypeVar

from nova import clock, exception
from nova.api.openstack.call import Call
from nova.api.openstack.schema_types import NONNEGATIVE
from nova.api.openstack.server_schemas import IGNORED_SORT_KEYS
from nova.api.openstack.validation import QueryValues, is_uuid, one_of, query_boolean
from nova.api.openstack.versions import Range
from nova.objects.instance import InstanceQuery, Scope
from nova.objects.lifecycle import TaskState, VmState, states_of

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)

ALL_FILTERS = "servers:allow_all_filters"

_EXACT: Mapping[str, str] = {
    "image": "image_ref",
    "flavor": "flavorid",
    "image_ref": "image_ref",
    "uuid": "uuid",
    "user_id": "user_id",
    "host": "host",
    "launch_index": "launch_index",
    "power_state": "power_state",
    "progress": "progress",
    "locked_by": "locked_by",
}
_NUMBERS = ("launch_index", "power_state", "progress")
_BOOLEAN = ("config_drive", "auto_disk_config")
_PATTERNS: Mapping[str, str] = {
    "name": "display_name",
    "display_name": "display_name",
    "description": "display_description",
    "display_description": "display_description",
    "reservation_id": "reservation_id",
    "hostname": "hostname",
    "node": "node",
    "kernel_id": "kernel_id",
    "ramdisk_id": "ramdisk_id",
    "key_name": "key_name",
    "availability_zone": "availability_zone",
    "root_device_name": "root_device_name",
    "access_ip_v4": "access_ip_v4",
    "access_ip_v6": "access_ip_v6",
    "created_at": "created_at",
    "launched_at": "launched_at",
    "terminated_at": "terminated_at",
}
_REFUSED = (
    "block_device_mapping",
    "services",
    "metadata",
    "system_metadata",
    "info_cache",
    "security_groups",
    "pci_devices",
)
# From which version on everybody may use a filter; what is not named is for administrators.
_OPEN: Mapping[str, Range] = {
    **dict.fromkeys(("name", "image", "flavor", "reservation_id", "ip"), Range()),
    "ip6": Range("2.5"),
    "hostname": Range("2.90"),
    **dict.fromkeys(
        (
            "availability_zone",
            "config_drive",
            "key_name",
            "created_at",
            "launched_at",
            "terminated_at",
            "power_state",
            "task_state",
            "vm_state",
            "progress",
            "user_id",
        ),
        Range("2.83"),
    ),
}
_ADMIN_SORT_KEYS = {"host", "node"}
_STRICT_STATUS = Range("2.38")
_LOCKED_SORT = Range("2.73")


class NothingMatches(Exception):
    """The filters contradict every server; the list is empty without asking anybody."""


def build_query(call: Call, all_tenants_rule: str) -> InstanceQuery:
    """Return the question that a list request puts.

    Raises: NothingMatches, Invalid, Forbidden.
    """
    given = call.query
    for name in _REFUSED:
        if name in given:
            raise exception.InvalidQuery(name=name, reason="Servers are not filtered by it.")
    scope = _scope(call, all_tenants_rule)
    limit = call.page_limit()
    marker = given.get("marker")
    if marker is not None and not is_uuid(marker):
        raise exception.MarkerNotFound(marker=marker)
    query = InstanceQuery(
        scope=scope,
        exact=_exact(call),
        patterns=_patterns(call),
        ip_pattern=given.get("ip"),
        ip6_pattern=given.get("ip6") if _usable(call, "ip6") else None,
        tags=_words(given, "tags"),
        tags_any=_words(given, "tags-any"),
        not_tags=_words(given, "not-tags"),
        not_tags_any=_words(given, "not-tags-any"),
        locked=_boolean(given, "locked"),
        sort=_sort(call),
        limit=limit,
        marker=marker,
    )
    query = _with_times(query, given)
    query = _with_states(query, call)
    if limit == 0:
        raise NothingMatches
    return query


def _usable(call: Call, name: str) -> bool:
    """Tell whether a filter was given and counts for this caller; others are dropped."""
    if name not in call.query:
        return False
    everybody = _OPEN.get(name)
    return (everybody is not None and call.version in everybody) or call.allows(ALL_FILTERS)


def _scope(call: Call, all_tenants_rule: str) -> Scope:
    """Return whose servers are listed; other projects only by express wish and policy.

    Raises: PolicyNotAuthorized, InvalidQuery.
    """
    wish = call.query.get("all_tenants")
    if wish is not None and (wish == "" or query_boolean("all_tenants", wish)):
        call.authorize(all_tenants_rule)
        project_id = call.query.get("project_id") or call.query.get("tenant_id")
        return Scope(project_id=project_id if call.allows(ALL_FILTERS) else None)
    if not call.context.project_id:
        return call.scope
    return Scope(project_id=call.context.project_id)


def _exact(call: Call) -> dict[str, tuple[str, ...]]:
    found = {column: call.query.all(name) for name, column in _EXACT.items() if _usable(call, name)}
    for name in _NUMBERS:
        if not all(one_of(NONNEGATIVE, text) for text in found.get(name, ())):
            raise exception.InvalidQuery(name=name, reason="It must be a number.")
    for name in _BOOLEAN:
        if _usable(call, name):
            truth = _boolean(call.query, name)
            found[name] = ("1" if truth else "0",)
    return found


def _patterns(call: Call) -> dict[str, str]:
    return {
        column: call.query.all(name)[-1]
        for name, column in _PATTERNS.items()
        if _usable(call, name)
    }


def _words(given: QueryValues, name: str) -> tuple[str, ...]:
    words = (word.strip() for text in given.all(name) for word in text.split(","))
    return tuple(word for word in words if word)


def _boolean(given: QueryValues, name: str) -> bool | None:
    text = given.get(name)
    return None if text is None else query_boolean(name, text)


def _with_times(query: InstanceQuery, given: QueryValues) -> InstanceQuery:
    """Add the limits on the time of the last change; changes-since takes in deleted ones."""
    since, before = (
        None if text is None else clock.parse(text)
        for text in (given.get("changes-since"), given.get("changes-before"))
    )
    if since is not None and before is not None and before < since:
        raise exception.InvalidQuery(
            name="changes-before", reason="It must not be before changes-since."
        )
    return dataclasses.replace(
        query,
        changes_since=since,
        changes_before=before,
        deleted=False if since is None else None,
    )


def _with_states(query: InstanceQuery, call: Call) -> InstanceQuery:
    """Add the states that status, vm_state, task_state, deleted and soft_deleted name.

    Raises: NothingMatches, Forbidden, InvalidQuery.
    """
    query = _with_status(query, call)
    vm_states, task_states = set(query.vm_states), set(query.task_states)
    if _usable(call, "vm_state"):
        vm_states = _narrow(vm_states, _known(VmState, call.query.all("vm_state")))
    if _usable(call, "task_state"):
        task_states = _narrow(task_states, _known(TaskState, call.query.all("task_state")))
    if _usable(call, "soft_deleted") and _boolean(call.query, "soft_deleted"):
        vm_states = _narrow(vm_states, {VmState.SOFT_DELETED})
    deleted = query.deleted
    if _usable(call, "deleted"):
        deleted = _boolean(call.query, "deleted")
    return dataclasses.replace(
        query,
        vm_states=tuple(sorted(vm_states)),
        task_states=tuple(sorted(task_states)),
        deleted=deleted,
    )


def _with_status(query: InstanceQuery, call: Call) -> InstanceQuery:
    words = [word for word in call.query.all("status") if word]
    if not words:
        return query
    wants_deleted = any(word.lower() == "deleted" for word in words)
    if wants_deleted and not call.context.is_admin:
        raise exception.Forbidden(reason="Only administrators may filter by deleted servers.")
    if wants_deleted and len(set(words)) == 1:
        return dataclasses.replace(query, deleted=True)
    states = states_of(words)
    if states is None:
        if call.version in _STRICT_STATUS:
            raise exception.InvalidQuery(name="status", reason="It is no status of a server.")
        raise NothingMatches
    vm_states, task_states = states
    return dataclasses.replace(
        query,
        vm_states=tuple(vm_states),
        task_states=tuple(task_states),
        deleted=None if wants_deleted else query.deleted,
    )


def _known(states: type[E], words: Iterable[str]) -> set[E]:
    return {state for state in states if state.value in words}


def _narrow(before: set[T], wanted: set[T]) -> set[T]:
    """Return the states that two filters have in common; an empty set before means all."""
    common = before & wanted if before else wanted
    if not common:
        raise NothingMatches
    return common


def _sort(call: Call) -> tuple[tuple[str, str], ...]:
    """Return columns and directions.

    Raises: InvalidQuery, Forbidden.
    """
    keys = call.query.all("sort_key")
    directions = [text.lower() for text in call.query.all("sort_dir")]
    if any(direction not in ("asc", "desc") for direction in directions):
        raise exception.InvalidQuery(name="sort_dir", reason="It must be asc or desc.")
    if len(directions) > max(len(keys), 1):
        raise exception.InvalidQuery(name="sort_dir", reason="There are more of it than sort_key.")
    default = directions[0] if directions else "desc"
    directions += [default] * (len(keys) - len(directions))
    pairs = []
    for key, direction in zip(keys, directions, strict=False):
        column = _sort_column(call, key)
        if column is not None:
            pairs.append((column, direction))
    return tuple(pairs) or (("created_at", default),)


def _sort_column(call: Call, key: str) -> str | None:
    if key in _ADMIN_SORT_KEYS and not call.context.is_admin:
        raise exception.Forbidden(reason=f"Only administrators may sort by {key}.")
    if key == "locked":
        return "locked_by" if call.version in _LOCKED_SORT else None
    return None if key in IGNORED_SORT_KEYS else key
