"""What the conductor needs to know of the configuration."""

import dataclasses

from oslo_config import cfg

from nova.conductor import audit_period
from nova.conductor.network_plan import ManagerKind, NetworkDefaults
from nova.conductor.notify.settings import NotificationSettings, notification_settings
from nova.db.engine import DatabaseSettings
from nova.db.opts import DATABASE_OPTS
from nova.exception import ConfigurationError
from nova.objects.image_isolation import ImageIsolation
from nova.objects.quota import RESOURCES, UNLIMITED

_OPTION_OF = {"injected_file_path_bytes": "quota_injected_file_path_length"}


def _standard_quotas() -> dict[str, int]:
    return {
        "instances": 10,
        "cores": 20,
        "ram": 51200,
        "metadata_items": 128,
        "injected_files": 5,
        "injected_file_content_bytes": 10240,
        "injected_file_path_bytes": 255,
        "key_pairs": 100,
        "server_groups": 10,
        "server_group_members": 10,
        "floating_ips": 10,
        "fixed_ips": -1,
        "security_groups": 10,
        "security_group_rules": 20,
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConductorSettings:
    """Values of options; times in seconds."""

    quotas: dict[str, int] = dataclasses.field(default_factory=_standard_quotas)
    max_attempts: int = 3
    max_servers_per_request: int = 1000
    service_down_time_s: int = 60
    enable_new_services: bool = True
    cpu_allocation_ratio: float = 16.0
    ram_allocation_ratio: float = 1.5
    disk_allocation_ratio: float = 1.0
    default_availability_zone: str = "nova"
    internal_availability_zone: str = "internal"
    default_schedule_zone: str | None = None
    instance_build_timeout_s: int = 0
    ipv6_backend: str = "rfc2462"
    placement_timeout_s: int = 120
    placement_reports_kept: int = 10
    placement_report_days: int = 30
    build_threads: int = 16
    reconcile_interval_s: int = 30
    usage_audit: bool = False
    usage_audit_period: str = "month"
    allow_resize_to_same_host: bool = True
    default_architecture: str | None = None
    image_isolation: ImageIsolation = dataclasses.field(default_factory=ImageIsolation)
    reclaim_instance_interval_s: int = 0
    rescue_timeout_s: int = 0
    reboot_timeout_s: int = 0
    resize_confirm_window_s: int = 0
    shelved_offload_time_s: int = 0
    shelved_poll_interval_s: int = 3600
    default_floating_pool: str = "nova"
    auto_assign_floating_ip: bool = False
    instance_dns_domain: str = ""
    update_dns_entries: bool = False
    network: NetworkDefaults = dataclasses.field(default_factory=NetworkDefaults)
    notifications: NotificationSettings = dataclasses.field(default_factory=NotificationSettings)


def conductor_settings(conf: cfg.ConfigOpts) -> ConductorSettings:
    """Return the settings from options that nova.config has registered.

    Raises: ConfigurationError.
    """
    group = conf.conductor
    audit_period.check(conf.instance_usage_audit_period)
    return ConductorSettings(
        quotas={name: conf[_OPTION_OF.get(name, f"quota_{name}")] for name in RESOURCES},
        max_attempts=conf.scheduler_max_attempts,
        max_servers_per_request=conf.max_servers_per_request,
        service_down_time_s=_down_time(conf.service_down_time, conf.report_interval),
        enable_new_services=conf.enable_new_services,
        cpu_allocation_ratio=conf.initial_cpu_allocation_ratio,
        ram_allocation_ratio=conf.initial_ram_allocation_ratio,
        disk_allocation_ratio=conf.initial_disk_allocation_ratio,
        default_availability_zone=conf.default_availability_zone,
        internal_availability_zone=conf.internal_service_availability_zone,
        default_schedule_zone=conf.default_schedule_zone,
        instance_build_timeout_s=conf.instance_build_timeout,
        ipv6_backend=conf.ipv6_backend,
        placement_timeout_s=group.placement_timeout,
        placement_reports_kept=group.placement_reports_kept,
        placement_report_days=group.placement_report_days,
        build_threads=group.build_threads,
        reconcile_interval_s=group.reconcile_interval,
        usage_audit=conf.instance_usage_audit,
        usage_audit_period=conf.instance_usage_audit_period,
        allow_resize_to_same_host=conf.allow_resize_to_same_host,
        default_architecture=conf.filter_scheduler.image_properties_default_architecture,
        image_isolation=image_isolation(conf),
        reclaim_instance_interval_s=conf.reclaim_instance_interval,
        rescue_timeout_s=conf.rescue_timeout,
        reboot_timeout_s=conf.reboot_timeout,
        resize_confirm_window_s=conf.resize_confirm_window,
        shelved_offload_time_s=conf.shelved_offload_time,
        shelved_poll_interval_s=conf.shelved_poll_interval,
        notifications=notification_settings(conf),
        default_floating_pool=conf.default_floating_pool,
        auto_assign_floating_ip=conf.auto_assign_floating_ip,
        instance_dns_domain=conf.instance_dns_domain,
        update_dns_entries=conf.update_dns_entries,
        network=NetworkDefaults(
            manager=_manager_kind(conf.network_manager),
            vlan_interface=conf.vlan_interface,
            per_project=conf.quota_networks if conf.enable_network_quota else UNLIMITED,
            bridge=conf.flat_network_bridge,
            bridge_interface=conf.flat_interface,
            dns1=conf.flat_network_dns,
            network_size=conf.network_size,
            mtu=conf.network_device_mtu,
            vlan_start=conf.vlan_start,
            vpn_start=conf.vpn_start,
            vpn_clients=conf.cnt_vpn_clients,
        ),
    )


def image_isolation(conf: cfg.ConfigOpts) -> ImageIsolation:
    """Return which images are kept apart, as far as the filters in use see to it."""
    group = conf.filter_scheduler
    return ImageIsolation(
        hosts=tuple(group.isolated_hosts),
        images=tuple(group.isolated_images),
        restrict=group.restrict_isolated_hosts_to_isolated_images,
        namespace=group.aggregate_image_properties_isolation_namespace,
        separator=group.aggregate_image_properties_isolation_separator,
        by_host="IsolatedHostsFilter" in group.enabled_filters,
        by_aggregate="AggregateImagePropertiesIsolation" in group.enabled_filters,
    )


def _manager_kind(class_name: str) -> ManagerKind:
    """Return the kind of network manager.  Raises: ConfigurationError."""
    try:
        return ManagerKind(class_name.rpartition(".")[2])
    except ValueError as error:
        known = ", ".join(ManagerKind)
        raise ConfigurationError(
            reason=f"network_manager {class_name} is not one of: {known}"
        ) from error


def _down_time(service_down_time_s: int, report_interval_s: int) -> int:
    """Return the down time, raised to two and a half intervals if it is too short."""
    if service_down_time_s > report_interval_s:
        return service_down_time_s
    return int(report_interval_s * 2.5)


def database_settings(conf: cfg.ConfigOpts) -> DatabaseSettings:
    """Return the settings of the database from options that nova.config has registered."""
    return DatabaseSettings(**{option.dest: conf.database[option.dest] for option in DATABASE_OPTS})
