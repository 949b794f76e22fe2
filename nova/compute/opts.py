"""Options of nova-compute."""

from oslo_config import cfg

HOST_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "compute_driver",
        choices=[
            ("libvirt.LibvirtDriver", "guests through libvirt"),
            ("fake.FakeDriver", "guests in memory, for tests and benchmarks"),
        ],
        default="libvirt.LibvirtDriver",
        help="Driver of the hypervisor.",
    ),
    cfg.IntOpt(
        "reserved_host_memory_mb",
        default=512,
        min=0,
        help="Memory in MiB that is kept for the host itself.",
    ),
    cfg.IntOpt(
        "reserved_host_disk_mb",
        default=0,
        min=0,
        help="Disk in MiB that is kept for the host itself; counted in full GiB, rounded up.",
    ),
    cfg.IntOpt(
        "reserved_host_cpus",
        default=0,
        min=0,
        help="CPUs that are kept for the host itself.",
    ),
    cfg.FloatOpt(
        "cpu_allocation_ratio",
        min=0.0,
        help="VCPUs that servers may have per CPU of this host. 0 or unset: "
        "the conductor's initial_cpu_allocation_ratio applies.",
    ),
    cfg.FloatOpt(
        "ram_allocation_ratio",
        min=0.0,
        help="Memory that servers may have per memory of this host. 0 or unset: "
        "the conductor's initial_ram_allocation_ratio applies.",
    ),
    cfg.FloatOpt(
        "disk_allocation_ratio",
        min=0.0,
        help="Disk that servers may have per disk of this host. 0 or unset: "
        "the conductor's initial_disk_allocation_ratio applies.",
    ),
]

WORK_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "max_concurrent_builds",
        default=10,
        min=0,
        help="Number of servers that a host builds at the same time. 0 means no limit.",
    ),
    cfg.IntOpt(
        "shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a guest gets to shut down before its power is cut. The image "
        "property os_shutdown_timeout goes before it.",
    ),
    cfg.IntOpt(
        "shutdown_retry_interval",
        default=10,
        min=1,
        help="Seconds after which a guest that still runs is asked to shut down again.",
    ),
    cfg.BoolOpt(
        "force_config_drive",
        default=False,
        help="Give every server a config drive, asked for or not.",
    ),
    cfg.BoolOpt(
        "resume_guests_state_on_host_boot",
        default=False,
        help="When nova-compute starts, power on guests that are off but ran when the host "
        "was last heard of.",
    ),
]

PERIODIC_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "operations_pull_interval",
        default=60,
        min=1,
        help="Seconds between two times that a host asks for operations it was given but "
        "never heard of.",
    ),
    cfg.IntOpt(
        "sync_power_state_interval",
        default=600,
        min=-1,
        help="Seconds between two reports with the power states of all guests. What a guest "
        "does by itself is reported at once. 0 or -1 means only then and at the start.",
    ),
    cfg.IntOpt(
        "firewall_heal_interval",
        default=60,
        min=1,
        help="Seconds after which the security group rules of a host are compared with what is "
        "stored, and mended. Changes are applied at once, and tried again every few seconds "
        "when that fails.",
    ),
    cfg.StrOpt(
        "running_deleted_instance_action",
        default="reap",
        choices=[
            ("noop", "do nothing"),
            ("log", "write a warning"),
            ("reap", "remove guest and files"),
        ],
        help="What happens to guests on this host whose servers are deleted.",
    ),
    cfg.IntOpt(
        "running_deleted_instance_poll_interval",
        default=1800,
        min=-1,
        help="Seconds between two searches for guests of deleted servers. 0 or -1 means only "
        "when nova-compute starts.",
    ),
]

COMPUTE_GROUP_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "cpu_dedicated_set",
        help="CPUs of this host that are given to one server each, for flavors with "
        "hw:cpu_policy dedicated or mixed, such as 4-12,^8,15. Unset: none.",
    ),
    cfg.StrOpt(
        "cpu_shared_set",
        help="CPUs of this host that all other servers share, such as 0-3. Unset: all that "
        "are not in cpu_dedicated_set.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": [*HOST_OPTS, *WORK_OPTS, *PERIODIC_OPTS],
    "compute": COMPUTE_GROUP_OPTS,
}
