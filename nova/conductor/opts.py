"""Options of nova-conductor: workers, quotas, placement, zones, and defaults of new rows."""

from oslo_config import cfg

CONDUCTOR_GROUP = "conductor"
NOTIFICATIONS_GROUP = "notifications"

NOTIFICATIONS_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "notification_format",
        default="unversioned",
        choices=("unversioned", "versioned", "both"),
        help="Form of notifications. They are sent only if [oslo_messaging_notifications] driver "
        "is set, for example to messagingv2.",
    ),
    cfg.StrOpt(
        "notify_on_state_change",
        choices=("vm_state", "vm_and_task_state"),
        help="Send compute.instance.update (instance.update) when this changes. Unset: never.",
    ),
    cfg.ListOpt(
        "versioned_notifications_topics",
        default=["versioned_notifications"],
        help="Topic of versioned notifications; the first one counts.",
    ),
]

CONDUCTOR_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "workers",
        min=1,
        sample_default="<number of processors>",
        help="Number of nova-conductor worker processes. Unset: one per processor.",
    ),
    cfg.IntOpt(
        "build_threads",
        default=16,
        min=1,
        help="Create requests that each worker places at the same time.",
    ),
    cfg.IntOpt(
        "reconcile_interval",
        default=30,
        min=1,
        help="Seconds between two searches for operations past their deadline.",
    ),
    cfg.IntOpt(
        "placement_timeout",
        default=120,
        min=10,
        help="Seconds after which a new server that has no host yet is scheduled again.",
    ),
    cfg.IntOpt(
        "placement_reports_kept",
        default=10,
        min=1,
        help="Newest placement reports of a server that are shown.",
    ),
    cfg.IntOpt(
        "placement_report_days",
        default=30,
        min=1,
        help="Days after which placement reports of servers that are gone are removed.",
    ),
]

QUOTA_OPTS: list[cfg.Opt] = [
    cfg.IntOpt("quota_instances", default=10, min=-1, help="Servers per project; -1 no limit."),
    cfg.IntOpt("quota_cores", default=20, min=-1, help="Virtual CPUs per project; -1 no limit."),
    cfg.IntOpt("quota_ram", default=51200, min=-1, help="Memory in MB per project; -1 no limit."),
    cfg.IntOpt(
        "quota_metadata_items",
        default=128,
        min=-1,
        help="Metadata items per server; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_injected_files",
        default=5,
        min=-1,
        help="Files that a create request may put into a server; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_injected_file_content_bytes",
        default=10240,
        min=-1,
        help="Size in bytes of each such file; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_injected_file_path_length",
        default=255,
        min=-1,
        deprecated_name="quota_injected_file_path_bytes",
        help="Length in bytes of the path of each such file; -1 no limit.",
    ),
    cfg.IntOpt("quota_key_pairs", default=100, min=-1, help="Key pairs per user; -1 no limit."),
    cfg.IntOpt(
        "quota_server_groups", default=10, min=-1, help="Server groups per project; -1 no limit."
    ),
    cfg.IntOpt(
        "quota_server_group_members",
        default=10,
        min=-1,
        help="Servers per server group; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_floating_ips",
        default=10,
        min=-1,
        help="Floating addresses per project; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_fixed_ips", default=-1, min=-1, help="Fixed addresses per project; -1 no limit."
    ),
    cfg.IntOpt(
        "quota_security_groups",
        default=10,
        min=-1,
        help="Security groups per project; -1 no limit.",
    ),
    cfg.IntOpt(
        "quota_security_group_rules",
        default=20,
        min=-1,
        help="Rules per security group; -1 no limit.",
    ),
]

FLOATING_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "default_floating_pool",
        default="nova",
        help="Pool of floating addresses where a request names none.",
    ),
    cfg.BoolOpt(
        "auto_assign_floating_ip",
        default=False,
        help="Give each new server a floating address of that pool, until it is deleted. It does "
        "not count against the project's quota; without a free one the server is not built.",
    ),
    cfg.StrOpt(
        "instance_dns_domain",
        default="",
        help="Domain in which each server gets entries for its host name and its uuid. "
        "Empty: none.",
    ),
    cfg.BoolOpt(
        "update_dns_entries",
        default=False,
        help="Let the entry of a server's host name follow when that is changed, and ask the "
        "hosts of nova-network at once to know it.",
    ),
]

PLACEMENT_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "scheduler_max_attempts",
        default=3,
        min=1,
        help="How many hosts are tried at most for a new server.",
    ),
    cfg.FloatOpt(
        "initial_cpu_allocation_ratio",
        default=16.0,
        min=0.0,
        help="Virtual CPUs that may be given out per processor, for hosts that set none.",
    ),
    cfg.FloatOpt(
        "initial_ram_allocation_ratio",
        default=1.5,
        min=0.0,
        help="Memory that may be given out in relation to what is there, for hosts that set none.",
    ),
    cfg.FloatOpt(
        "initial_disk_allocation_ratio",
        default=1.0,
        min=0.0,
        help="Disk that may be given out in relation to what is there, for hosts that set none.",
    ),
    cfg.IntOpt(
        "max_servers_per_request",
        default=1000,
        min=1,
        help="How many servers one request can make at most, where the quota allows more.",
    ),
    cfg.IntOpt(
        "instance_build_timeout",
        default=0,
        min=0,
        help="Seconds that building a server may take on its host before it is given up; "
        "0 means the operation's own deadline.",
    ),
]

RESIZE_OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "allow_resize_to_same_host",
        default=True,
        help="Whether a server may be given another flavor on the host that it is on. There is "
        "no other way in this release: without it, resizes are refused.",
    ),
]

AUDIT_OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "instance_usage_audit",
        default=False,
        help="Whether servers are counted per host after the end of each audit period, and "
        "compute.instance.exists is sent for each of them.",
    ),
    cfg.StrOpt(
        "instance_usage_audit_period",
        default="month",
        regex=r"^(year|month|day|hour)(@[0-9]{1,2})?$",
        help="Period of usage audits: year, month, day or hour, with the month, day, hour or "
        "minute at which it begins behind it, for example day@2.",
    ),
]

ZONE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "default_availability_zone",
        default="nova",
        help="Zone of compute hosts that are in no other.",
    ),
    cfg.StrOpt(
        "internal_service_availability_zone",
        default="internal",
        help="Zone in which services other than nova-compute are shown.",
    ),
    cfg.StrOpt(
        "default_schedule_zone",
        help="Zone of new servers that ask for none. Unset: any zone.",
    ),
    cfg.BoolOpt(
        "enable_new_services",
        default=True,
        help="Whether a service that reports for the first time may be used at once.",
    ),
]

NETWORK_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "flat_network_dns",
        default="8.8.4.4",
        help="First name server of new networks that name none.",
    ),
    cfg.IntOpt(
        "network_size",
        default=256,
        min=4,
        help="Addresses of each new network when one range is cut into several.",
    ),
    cfg.BoolOpt(
        "enable_network_quota",
        default=False,
        help="Whether the networks that a project makes for itself are limited.",
    ),
    cfg.IntOpt(
        "quota_networks",
        default=3,
        min=-1,
        help="Networks that a project may make for itself, where they are limited; -1 no limit.",
    ),
    cfg.IntOpt("vlan_start", default=100, min=1, max=4094, help="First VLAN of new networks."),
    cfg.IntOpt("vpn_start", default=1000, min=1, help="First VPN port of new networks."),
    cfg.IntOpt(
        "cnt_vpn_clients",
        default=0,
        min=0,
        help="Addresses at the end of a new VLAN network that are kept for VPN clients.",
    ),
]

TIMER_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "reclaim_instance_interval",
        default=0,
        min=0,
        help="Seconds that a deleted server is kept, switched off, so that it can be restored; "
        "0 deletes servers at once.",
    ),
    cfg.IntOpt(
        "rescue_timeout",
        default=0,
        min=0,
        help="Seconds after which a server in rescue is booted from its own disk again; 0 means "
        "never.",
    ),
    cfg.IntOpt(
        "reboot_timeout",
        default=0,
        min=0,
        help="Seconds after which a soft reboot that has not ended becomes a hard one; 0 means "
        "never.",
    ),
    cfg.IntOpt(
        "resize_confirm_window",
        default=0,
        min=0,
        help="Seconds after which a resize that nobody confirmed is confirmed; 0 means never.",
    ),
    cfg.IntOpt(
        "shelved_offload_time",
        default=0,
        min=-1,
        help="Seconds that a shelved server stays on its host; 0 removes it at once, -1 never.",
    ),
    cfg.IntOpt(
        "shelved_poll_interval",
        default=3600,
        min=-1,
        help="Seconds between two searches for shelved servers to be removed from their hosts; "
        "0 or less means never.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    CONDUCTOR_GROUP: CONDUCTOR_OPTS,
    NOTIFICATIONS_GROUP: NOTIFICATIONS_OPTS,
    "DEFAULT": [
        *QUOTA_OPTS,
        *PLACEMENT_OPTS,
        *RESIZE_OPTS,
        *AUDIT_OPTS,
        *ZONE_OPTS,
        *NETWORK_OPTS,
        *FLOATING_OPTS,
        *TIMER_OPTS,
    ],
}
