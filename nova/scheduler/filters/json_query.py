"""Conditions that a request states itself.

Source: scheduler-and-placement, scheduler hints.
"""

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState

MAX_DEPTH = 20

# What a query may look at, by the name it goes by there.
_ATTRIBUTES: dict[str, Callable[[HostState], Any]] = {
    "host": lambda state: state.host,
    "hypervisor_hostname": lambda state: state.nodename,
    "hypervisor_type": lambda state: state.node.hypervisor_type,
    "hypervisor_version": lambda state: state.node.hypervisor_version,
    "host_ip": lambda state: state.node.host_ip,
    "total_usable_ram_mb": lambda state: state.node.memory_mb,
    "free_ram_mb": lambda state: state.node.memory_mb - state.memory_mb_used,
    "total_usable_disk_gb": lambda state: state.node.local_gb,
    "free_disk_mb": lambda state: (state.node.local_gb - state.local_gb_used) * 1024,
    "vcpus_total": lambda state: state.node.vcpus,
    "vcpus_used": lambda state: state.vcpus_used,
    "num_instances": lambda state: state.num_instances,
    "num_io_ops": lambda state: state.num_io_ops,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class JsonFilter(HostFilter):
    """Accepts hosts for which the JSON expression of the hint query is true.

    An expression is a list of an operator and its arguments, among them expressions and
    attributes of the host, which begin with $.
    """

    lacks = "not as the hint query asks"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Evaluate the expression; without the hint all hosts suit."""
        text = next(iter(spec.hints.get("query", ())), None)
        if not text:
            return None
        try:
            holds = _true(_evaluate(json.loads(text), host, MAX_DEPTH))
        except (ValueError, TypeError, RecursionError) as error:
            return f"the hint query can not be understood: {error}"
        return None if holds else "the hint query is not true here"


def _evaluate(entry: Any, host: HostState, depth: int) -> Any:
    """Return what an expression comes to.  Raises: ValueError, TypeError."""
    if not depth:
        raise ValueError("it is nested too deeply")
    if isinstance(entry, str) and entry.startswith("$"):
        attribute = _ATTRIBUTES.get(entry[1:])
        return None if attribute is None else attribute(host)
    if not isinstance(entry, list):
        return entry
    if not entry:
        return True
    name, arguments = entry[0], [_evaluate(part, host, depth - 1) for part in entry[1:]]
    return _apply(name, arguments)


def _apply(name: object, arguments: Sequence[Any]) -> bool | list[bool]:
    if not isinstance(name, str):
        raise ValueError("an operator is a text")
    match name:
        case "and":
            return all(_true(argument) for argument in arguments)
        case "or":
            return any(_true(argument) for argument in arguments)
        case "not":
            return [not _true(argument) for argument in arguments]
        case "in":
            return len(arguments) > 1 and arguments[0] in arguments[1:]
    if name not in _COMPARISONS:
        raise ValueError(f"there is no operator {name[:20]}")
    if len(arguments) < 2 or any(argument is None for argument in arguments):
        return False
    compare = _COMPARISONS[name]
    return all(compare(arguments[0], argument) for argument in arguments[1:])


def _true(value: Any) -> bool:
    """Tell whether a value counts as true; of a list one true entry is enough."""
    return any(value) if isinstance(value, list) else bool(value)
