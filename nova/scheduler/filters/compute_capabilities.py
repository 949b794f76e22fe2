"""Flavor extra specs against what hosts report."""

import json
from typing import Any

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.filters.operators import matches
from nova.scheduler.host_state import HostState

_SCOPE = "capabilities"


class ComputeCapabilitiesFilter(HostFilter):
    """Accepts hosts that meet the flavor's extra specs.

    ``capabilities:a:b`` must be met.  A key without scope must be met when hosts report such
    a value at all; otherwise it is meant for another part of the system.
    """

    lacks = "extra specs of the flavor not met"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Check each extra spec; the first that is not met decides."""
        if not spec.flavor.extra_specs:
            return None
        capabilities = _capabilities(host)
        for key, requirement in spec.flavor.extra_specs.items():
            path = key.split(":")
            scoped = len(path) > 1
            if scoped and path[0] != _SCOPE:
                continue
            value = _find(capabilities, path[1:] if scoped else path)
            if value is None and not scoped:
                continue
            if value is None or not matches(value, requirement):
                return f"extra spec {key} needs {requirement}, the host has {value}"
        return None


def _capabilities(host: HostState) -> dict[str, Any]:
    node = host.node
    return {
        "host": node.host,
        "hypervisor_hostname": node.hypervisor_hostname,
        "hypervisor_type": node.hypervisor_type,
        "hypervisor_version": node.hypervisor_version,
        "host_ip": node.host_ip,
        "cpu_info": _parsed(node.cpu_info),
        "vcpus_total": node.vcpus,
        "vcpus_used": host.vcpus_used,
        "total_usable_ram_mb": node.memory_mb,
        "free_ram_mb": node.memory_mb - host.memory_mb_used,
        "total_usable_disk_gb": node.local_gb,
        "free_disk_mb": (node.local_gb - host.local_gb_used) * 1024,
        "num_instances": host.num_instances,
        "num_io_ops": host.num_io_ops,
        "cpu_allocation_ratio": node.cpu_allocation_ratio,
        "ram_allocation_ratio": node.ram_allocation_ratio,
        "disk_allocation_ratio": node.disk_allocation_ratio,
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {}


def _find(capabilities: dict[str, Any], path: list[str]) -> str | None:
    """Return the value at a path as text; a list becomes its words."""
    found: Any = capabilities
    for part in path:
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    if found is None or isinstance(found, dict):
        return None
    if isinstance(found, list):
        return " ".join(str(item) for item in found)
    return str(found)
