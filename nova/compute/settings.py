"""What nova-compute takes from the options."""

import dataclasses

from oslo_config import cfg

from nova.compute.power import ShutdownSettings
from nova.compute.remote_console import GROUPS
from nova.compute.resources import Reserves
from nova.metadata.documents import DocumentSettings
from nova.metadata.settings import document_settings
from nova.objects.console import ConsoleType


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComputeSettings:
    """Habits of one compute host; intervals in seconds, 0 or less for never."""

    my_ip: str | None = None
    reserves: Reserves = dataclasses.field(default_factory=Reserves)
    shutdown: ShutdownSettings = dataclasses.field(default_factory=ShutdownSettings)
    max_concurrent_builds: int = 10
    force_config_drive: bool = False
    documents: DocumentSettings = dataclasses.field(default_factory=DocumentSettings)
    resume_guests: bool = False
    running_deleted_action: str = "reap"
    running_deleted_interval_s: int = 1800
    pull_interval_s: int = 60
    power_state_interval_s: int = 600
    firewall_heal_interval_s: int = 60
    console_types: frozenset[ConsoleType] = frozenset({ConsoleType.NOVNC, ConsoleType.XVPVNC})


def compute_settings(conf: cfg.ConfigOpts) -> ComputeSettings:
    """Return the settings that the options name.  Raises: ConfigurationError."""
    return ComputeSettings(
        my_ip=conf.my_ip,
        reserves=Reserves(
            memory_mb=conf.reserved_host_memory_mb,
            disk_mb=conf.reserved_host_disk_mb,
            vcpus=conf.reserved_host_cpus,
            cpu_allocation_ratio=conf.cpu_allocation_ratio,
            ram_allocation_ratio=conf.ram_allocation_ratio,
            disk_allocation_ratio=conf.disk_allocation_ratio,
        ),
        shutdown=ShutdownSettings(
            timeout_s=conf.shutdown_timeout,
            retry_interval_s=conf.shutdown_retry_interval,
        ),
        max_concurrent_builds=conf.max_concurrent_builds,
        force_config_drive=conf.force_config_drive,
        documents=document_settings(conf),
        resume_guests=conf.resume_guests_state_on_host_boot,
        running_deleted_action=conf.running_deleted_instance_action,
        running_deleted_interval_s=conf.running_deleted_instance_poll_interval,
        pull_interval_s=conf.operations_pull_interval,
        power_state_interval_s=conf.sync_power_state_interval,
        firewall_heal_interval_s=conf.firewall_heal_interval,
        console_types=frozenset(kind for kind, group in GROUPS.items() if conf[group].enabled),
    )


def compute_hosts(conf: cfg.ConfigOpts, host: str) -> tuple[str, ...]:
    """Return the names of the hosts that this process plays: several only of fake ones."""
    count = conf.fake.host_count if conf.compute_driver == "fake.FakeDriver" else 1
    if count == 1:
        return (host,)
    return tuple(f"{host}-{number}" for number in range(1, count + 1))
