"""What the extra specs of known namespaces may hold, from microversion 2.86 on.

Names in namespaces that nobody knows here pass unchecked: filters and drivers of operators
may use them.  Within a known namespace a misspelt name is an error, not a wish that nobody
will ever grant.
"""

import re
from collections.abc import Callable, Mapping

from nova import exception

Check = Callable[[str], bool]

_BOOLEAN = frozenset({"1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"})


def _boolean(text: str) -> bool:
    return text.strip().lower() in _BOOLEAN


def _text(text: str) -> bool:
    return True


def _integer(minimum: int = 0, maximum: int = 2**63 - 1) -> Check:
    def check(text: str) -> bool:
        return bool(re.fullmatch(r"-?[0-9]{1,19}", text)) and minimum <= int(text) <= maximum

    return check


def _one_of(*words: str) -> Check:
    return lambda text: text in words


def _like(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


_COUNT = _integer(1)
_CPUS = _like(r"\^?[0-9]+((-[0-9]+)?(,\^?[0-9]+(-[0-9]+)?)*)")
_PAGES = _like(r"(large|small|any|[0-9]+([kKMGT]i?)?(b|bit|B)?)")

_HARDWARE: Mapping[str, Check] = {
    "boot_menu": _boolean,
    "cpu_cores": _COUNT,
    "cpu_dedicated_mask": _CPUS,
    "cpu_max_cores": _COUNT,
    "cpu_max_sockets": _COUNT,
    "cpu_max_threads": _COUNT,
    "cpu_policy": _one_of("dedicated", "shared", "mixed"),
    "cpu_realtime": _boolean,
    "cpu_realtime_mask": _CPUS,
    "cpu_sockets": _COUNT,
    "cpu_thread_policy": _one_of("prefer", "isolate", "require"),
    "cpu_threads": _COUNT,
    "emulator_threads_policy": _one_of("isolate", "share"),
    "ephemeral_encryption": _boolean,
    "ephemeral_encryption_format": _one_of("luks", "plain"),
    "hide_hypervisor_id": _boolean,
    "input_bus": _one_of("usb", "virtio"),
    "locked_memory": _boolean,
    "maxphysaddr_bits": _integer(1),
    "maxphysaddr_mode": _one_of("passthrough", "emulate"),
    "mem_encryption": _boolean,
    "mem_encryption_model": _one_of("amd-sev", "amd-sev-es"),
    "mem_page_size": _PAGES,
    "numa_nodes": _COUNT,
    r"numa_cpus\.[0-9]+": _CPUS,
    r"numa_mem\.[0-9]+": _COUNT,
    "pci_numa_affinity_policy": _one_of("required", "preferred", "legacy", "socket"),
    "pmem": _text,
    "pmu": _boolean,
    "sound_model": _one_of("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio"),
    "tpm_model": _one_of("tpm-tis", "tpm-crb"),
    "tpm_version": _one_of("1.2", "2.0"),
    "tpm_secret_security": _one_of("user", "host", "deployment"),
    "usb_model": _one_of(
        "piix3-uhci", "piix4-uhci", "ehci", "ich9-ehci1", "vt82c686b-uhci",
        "pci-ohci", "nec-xhci", "qemu-xhci", "none",
    ),
    "serial_port_count": _integer(0, 4),
    "redirected_usb_ports": _integer(0, 15),
    "vif_multiqueue_enabled": _boolean,
    "viommu_model": _one_of("intel", "smmuv3", "virtio", "auto"),
    "virtio_packed_ring": _boolean,
    "watchdog_action": _one_of("none", "pause", "poweroff", "reset", "disabled"),
}  # fmt: skip
_SHARES = "|".join(
    f"{part}_{kind}"
    for part in ("cpu", "memory", "disk_io", "vif")
    for kind in ("limit", "reservation", "share", "shares_share")
)

# Namespace to patterns of the names within it.
_RULES: Mapping[str, Mapping[str, Check]] = {
    "accel": {"device_profile": _text},
    "group_policy": {"": _one_of("none", "isolate")},
    "hw": _HARDWARE,
    "hw_rng": {"allowed": _boolean, "rate_bytes": _integer(), "rate_period": _integer()},
    "hw_video": {"ram_max_mb": _integer()},
    "os": {
        "secure_boot": _one_of("required", "disabled", "optional"),
        "monitors": _integer(1, 8),
        "resolution": _text,
    },
    "powervm": {
        "availability_priority": _integer(0, 255),
        "dedicated_proc": _boolean,
        "dedicated_sharing_mode": _one_of(
            "share_idle_procs",
            "keep_idle_procs",
            "share_idle_procs_active",
            "share_idle_procs_always",
        ),
        r"(min|max)_(mem|vcpu)": _COUNT,
        r"((min|max)_)?proc_units": _like(r"[0-9]+(\.[0-9]+)?"),
        "processor_compatibility": _text,
        "shared_proc_pool_name": _text,
        "shared_weight": _integer(0, 255),
        "srr_capability": _boolean,
        "uncapped": _boolean,
    },
    "pci_passthrough": {"alias": _like(r"[^:,]+:[0-9]+(\s*,\s*[^:,]+:[0-9]+)*")},
    "quota": {
        "cpu_period": _integer(),
        "cpu_quota": _integer(-1),
        "cpu_shares": _integer(),
        "cpu_shares_level": _one_of("low", "normal", "high", "custom"),
        r"disk_(read|write|total)_(bytes|iops)_sec(_max)?": _integer(),
        r"(memory|disk_io|vif)_shares_level": _one_of("low", "normal", "high", "custom"),
        _SHARES: _integer(),
        r"vif_(inbound|outbound)_(average|burst|peak)": _integer(),
    },
    "resources": {r"([A-Z0-9_]+)": _integer()},
    "trait": {r"([A-Z0-9_]+)": _one_of("required", "forbidden")},
    "vmware": {"hw_version": _text, "storage_policy": _text},
}
# Namespaces whose name goes on in a group of requests: resources1, trait_NETWORK.
_GROUPED = re.compile(r"(resources|trait)(_?[a-zA-Z0-9_-]{1,64})")


def check(key: str, value: str) -> None:
    """Refuse an extra spec of a known namespace that has no such name or value.

    Raises: InvalidExtraSpec.
    """
    namespace, _, name = key.partition(":")
    grouped = _GROUPED.fullmatch(namespace)
    rules = _RULES.get(grouped[1] if grouped and namespace not in _RULES else namespace)
    if rules is None:
        return
    for pattern, accepts in rules.items():
        if re.fullmatch(pattern, name):
            if not accepts(value):
                raise exception.InvalidExtraSpec(key=key, reason="the value is not acceptable.")
            return
    raise exception.InvalidExtraSpec(key=key, reason="no such name is known in its namespace.")
