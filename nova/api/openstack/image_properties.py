"""Which properties of images are shown with servers: those that this service knows."""

from collections.abc import Mapping

_HARDWARE = (
    "architecture", "auto_disk_config", "boot_menu", "cdrom_bus", "cpu_cores", "cpu_max_cores",
    "cpu_max_sockets", "cpu_max_threads", "cpu_policy", "cpu_realtime_mask", "cpu_sockets",
    "cpu_thread_policy", "cpu_threads", "disk_bus", "disk_discard", "disk_type",
    "emulation_architecture", "firmware_stateless", "firmware_type", "floppy_bus", "input_bus",
    "ipxe_boot", "locked_memory", "machine_type", "maxphysaddr_bits", "maxphysaddr_mode",
    "mem_encryption", "mem_encryption_model", "mem_page_size", "numa_cpus", "numa_mem",
    "numa_nodes", "pci_numa_affinity_policy", "pmu", "pointer_model", "qemu_guest_agent",
    "rescue_bus", "rescue_device", "rng_model", "scsi_model", "serial_port_count", "sound_model",
    "time_hpet", "tpm_model", "tpm_version", "usb_model", "video_model", "video_ram", "vif_model",
    "vif_multiqueue_enabled", "viommu_model", "virtio_packed_ring", "vm_mode", "watchdog_action",
)  # fmt: skip
_IMAGE = (
    "bdm_v2", "bittorrent", "block_device_mapping", "cache_in_nova", "compression_level",
    "config_drive", "hide_hypervisor_id", "hv_requested_version", "hv_type", "linked_template",
    "mappings", "owner_id", "root_device_name", "signature", "signature_certificate_uuid",
    "signature_hash_method", "signature_key_type", "use_agent", "version",
)  # fmt: skip
_SYSTEM = (
    "admin_user", "command_line", "distro", "require_quiesce", "secure_boot", "shutdown_timeout",
    "skip_agent_inject_files_at_boot", "skip_agent_inject_ssh", "type",
)  # fmt: skip
# Names of the time before the prefixes.
_OLD = ("architecture", "auto_disk_config", "hypervisor_type", "root_device_name", "vm_mode")
_BY_INDEX = ("hw_numa_cpus.", "hw_numa_mem.")

KNOWN = frozenset(
    {
        *(f"hw_{name}" for name in _HARDWARE),
        *(f"img_{name}" for name in _IMAGE),
        *(f"os_{name}" for name in _SYSTEM),
        *_OLD,
        "traits_required",
    }
)


def known(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties that are shown."""
    return {
        name: value
        for name, value in properties.items()
        if name in KNOWN or name.startswith(_BY_INDEX)
    }
