"""servers/{server_id}/diagnostics: counters of a running guest, read live from its host.

Source: compute-api-routes (Server sub-resources), virt-driver section 14.
"""

from nova.api.core import actions
from nova.api.openstack.answers import Items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import INTEGER, INTEGER_OR_NULL, NULL, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range, Version
from nova.api.openstack.views import Field, View
from nova.objects.diagnostics import (
    CpuDiagnostics,
    Diagnostics,
    DiskDiagnostics,
    NicDiagnostics,
)
from nova.objects.lifecycle import PowerState
from nova.policy import ADMIN

server_diagnostics = Resource("os-server-diagnostics", rules={"": ADMIN})

_FIXED = Range("2.48")

CPU = View(CpuDiagnostics, "cpu", Field("id"), Field("time", "time_ns"), Field("utilisation"))
NIC = View(
    NicDiagnostics,
    "nic",
    Field("mac_address"),
    *(Field(f"{way}_{what}") for way in ("rx", "tx") for what in ("drop", "errors", "octets")),
    Field("rx_packets"),
    Field("rx_rate", lambda nic, call: None, type=NULL),
    Field("tx_packets"),
    Field("tx_rate", lambda nic, call: None, type=NULL),
)
DISK = View(
    DiskDiagnostics,
    "disk",
    Field("errors_count"),
    Field("read_bytes"),
    Field("read_requests"),
    Field("write_bytes"),
    Field("write_requests"),
)
MEMORY = Object(
    Key("maximum", INTEGER_OR_NULL, required=True), Key("used", INTEGER_OR_NULL, required=True)
)
DIAGNOSTICS = View(
    Diagnostics,
    "diagnostics",
    Field("config_drive"),
    Field("cpu_details", lambda found, call: CPU.items(found.cpus, call), type=Items(CPU)),
    Field("disk_details", lambda found, call: DISK.items(found.disks, call), type=Items(DISK)),
    Field("driver"),
    Field("hypervisor"),
    Field("hypervisor_os"),
    Field(
        "memory_details",
        lambda found, call: {"maximum": found.maximum_memory_mb, "used": found.used_memory_mb},
        type=MEMORY,
    ),
    Field("nic_details", lambda found, call: NIC.items(found.nics, call), type=Items(NIC)),
    Field("num_cpus", lambda found, call: len(found.cpus), type=INTEGER),
    Field("num_disks", lambda found, call: len(found.disks), type=INTEGER),
    Field("num_nics", lambda found, call: len(found.nics), type=INTEGER),
    Field("state", lambda found, call: _state(found.state), type=STRING),
    Field("uptime", "uptime_s"),
)


class Shown:
    """The document, which has the hypervisor's own names before it has fixed ones."""

    def at(self, version: Version) -> Json:
        """Return the JSON schema of one version."""
        if version in _FIXED:
            return DIAGNOSTICS.at(version)
        return {"type": "object", "additionalProperties": INTEGER}


_DISK_KEYS = {
    "read": "read_bytes",
    "read_req": "read_requests",
    "write": "write_bytes",
    "write_req": "write_requests",
    "errors": "errors_count",
}
_NIC_KEYS = {
    "rx": "rx_octets",
    "rx_errors": "rx_errors",
    "rx_drop": "rx_drop",
    "rx_packets": "rx_packets",
    "tx": "tx_octets",
    "tx_errors": "tx_errors",
    "tx_drop": "tx_drop",
    "tx_packets": "tx_packets",
}


def _state(power_state: PowerState) -> str:
    return "pending" if power_state is PowerState.NOSTATE else power_state.name.lower()


@server_diagnostics.route(
    "GET /servers/{server_id}/diagnostics", policy="", errors=(409, 501), answer=Shown()
)
def show(call: Call) -> dict[str, object]:
    """Show the counters; in old versions under the hypervisor's own names."""
    server = call.conductor.instances.get(call.context, call.scope, server_uuid(call))
    found = actions.diagnostics(call.context, call.services.compute, server)
    return DIAGNOSTICS.item(found, call) if call.version in _FIXED else _free_form(found)


def _free_form(found: Diagnostics) -> dict[str, object]:
    document: dict[str, object] = {
        f"cpu{cpu.id if cpu.id is not None else number}_time": cpu.time_ns
        for number, cpu in enumerate(found.cpus)
    }
    for number, disk in enumerate(found.disks):
        name = disk.device or f"disk{number}"
        document |= {f"{name}_{key}": getattr(disk, field) for key, field in _DISK_KEYS.items()}
    for number, nic in enumerate(found.nics):
        name = nic.device or f"nic{number}"
        document |= {f"{name}_{key}": getattr(nic, field) for key, field in _NIC_KEYS.items()}
    if found.maximum_memory_mb is not None:
        document["memory"] = found.maximum_memory_mb * 1024
    document |= {f"memory-{name}": kib for name, kib in found.memory.items()}
    return {key: value for key, value in document.items() if value is not None}
