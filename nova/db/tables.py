"""All tables.  Names follow the nova database where it has the same thing.

Live rows only: deleted servers move to deleted_instances, everything else is removed.
Source: daemons-and-config, section 10; nova-network, section 3.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, Index, Integer, String, UniqueConstraint

from nova.db.columns import Value, Word, long_text, moment
from nova.objects.action_request import ActionRequest
from nova.objects.build_request import BuildRequest
from nova.objects.flavor import Flavor
from nova.objects.instance import Fault
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.migration import MigrationStatus, MigrationType
from nova.objects.numa import GuestNuma, HostNuma
from nova.objects.operation import OperationState
from nova.objects.request_spec import PlacementReport

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMES)

# Row ids are never used again, also on SQLite: they name guests and make work idempotent.
_OPTIONS: dict[str, Any] = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}

Item = sa.schema.SchemaItem


def _table(name: str, *items: Item) -> sa.Table:
    return sa.Table(name, metadata, *items, **_OPTIONS)


def _text(name: str, size: int = 255, **kwargs: Any) -> Column[Any]:
    return Column(name, String(size), **kwargs)


def _number(name: str, default: int | None = 0, **kwargs: Any) -> Column[Any]:
    if default is None:
        return Column(name, Integer, **kwargs)
    return Column(name, Integer, nullable=False, server_default=str(default), **kwargs)


def _flag(name: str, default: bool = False) -> Column[Any]:
    return Column(
        name, Boolean, nullable=False, server_default=sa.true() if default else sa.false()
    )


def _timestamps() -> Iterable[Column[Any]]:
    return Column("created_at", moment()), Column("updated_at", moment())


def _simple_rules(name: str) -> sa.Table:
    """Return a table of the operator's rules: each a protocol, its ports and a range, once."""
    return _table(
        name,
        Column("id", Integer, primary_key=True),
        _text("protocol", 5, nullable=False),
        _number("from_port", None, nullable=False),
        _number("to_port", None, nullable=False),
        _text("cidr", 43, nullable=False),
        UniqueConstraint("protocol", "from_port", "to_port", "cidr"),
    )


def _instance_columns() -> list[Column[Any]]:
    """Return the columns that live and deleted servers share, without key and uuid."""
    return [
        _text("project_id", nullable=False),
        _text("user_id", nullable=False),
        _text("reservation_id"),
        _number("launch_index"),
        _text("display_name", nullable=False),
        _text("display_description"),
        _text("hostname", nullable=False),
        Column("vm_state", Word(VmState), nullable=False),
        Column("task_state", Word(TaskState)),
        _number("power_state"),
        _number("progress"),
        _text("image_ref"),
        _text("kernel_id"),
        _text("ramdisk_id"),
        _text("key_name"),
        Column("key_data", long_text()),
        Column("user_data", long_text()),
        _flag("config_drive"),
        _text("host"),
        _text("node"),
        _text("availability_zone"),
        _text("pinned_availability_zone"),
        _number("instance_type_id"),
        _text("flavorid", nullable=False),
        _number("memory_mb"),
        _number("vcpus"),
        _number("root_gb"),
        _number("ephemeral_gb"),
        Column("flavor", Value(Flavor, shared=True), nullable=False),
        _text("access_ip_v4", 39),
        _text("access_ip_v6", 39),
        _text("root_device_name"),
        _flag("auto_disk_config", True),
        _text("os_type"),
        _text("architecture"),
        _text("locked_by", 16),
        _text("locked_reason"),
        Column("scheduler_hints", Value(dict[str, tuple[str, ...]], shared=True)),
        Column("image_properties", Value(dict[str, str], shared=True)),
        Column("numa_topology", Value(GuestNuma)),
        _number("console_generation"),
        _text("shelved_image_id", 36),
        Column("shelved_at", moment()),
        Column("soft_deleted_at", moment()),
        Column("launched_at", moment()),
        Column("terminated_at", moment()),
        Column("created_at", moment(), nullable=False),
        Column("updated_at", moment(), nullable=False),
    ]


instances = _table(
    "instances",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    *_instance_columns(),
    UniqueConstraint("uuid"),
    # Lists are paged by (created_at, id): of all, of a project, of one in a state, of a host.
    Index(None, "created_at", "id"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "project_id", "vm_state", "created_at", "id"),
    Index(None, "host", "created_at", "id"),
    Index(None, "reservation_id"),
    Index(None, "updated_at"),
)

deleted_instances = _table(
    "deleted_instances",
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("uuid", 36, nullable=False),
    *_instance_columns(),
    Column("deleted_at", moment(), nullable=False),
    Column("metadata", Value(dict[str, str])),
    Column("fault", Value(Fault)),
    Column("security_groups", Value(tuple[str, ...], shared=True)),
    UniqueConstraint("uuid"),
    Index(None, "project_id", "updated_at"),
    Index(None, "updated_at"),
    Index(None, "terminated_at"),
)

instance_metadata = _table(
    "instance_metadata",
    _text("instance_uuid", 36, primary_key=True),
    _text("key", primary_key=True),
    Column("value", String(255), nullable=False),
)

instance_system_metadata = _table(
    "instance_system_metadata",
    _text("instance_uuid", 36, primary_key=True),
    _text("key", primary_key=True),
    Column("value", long_text(), nullable=False),
)

tags = _table(
    "tags",
    _text("resource_id", 36, primary_key=True),
    _text("tag", 80, primary_key=True),
    Index(None, "tag"),
)

instance_faults = _table(
    "instance_faults",
    _text("instance_uuid", 36, primary_key=True),
    Column("fault", Value(Fault), nullable=False),
)

block_device_mapping = _table(
    "block_device_mapping",
    Column("id", Integer, primary_key=True),
    _text("instance_uuid", 36, nullable=False),
    _text("source_type", nullable=False),
    _text("destination_type", nullable=False),
    _number("boot_index", None),
    _text("device_name"),
    _text("image_id", 36),
    _number("volume_size", None),
    _text("guest_format"),
    _text("disk_bus"),
    _text("device_type"),
    _flag("delete_on_termination", True),
    _text("tag"),
    Index(None, "instance_uuid"),
)

instance_actions = _table(
    "instance_actions",
    Column("id", Integer, primary_key=True),
    _text("action", nullable=False),
    _text("instance_uuid", 36, nullable=False),
    _text("request_id", nullable=False),
    _text("user_id"),
    _text("project_id"),
    Column("start_time", moment(), nullable=False),
    Column("finish_time", moment()),
    Column("updated_at", moment(), nullable=False),
    _text("message"),
    Column("state", Word(OperationState), nullable=False),
    _text("owner_host"),
    _text("step"),
    _number("attempt"),
    Column("deadline", moment()),
    Column("arguments", Value(dict[str, str])),
    Column("build_request", Value(BuildRequest)),
    Column("request", Value(ActionRequest)),
    Index(None, "instance_uuid", "start_time"),
    Index(None, "state", "deadline"),
    Index(None, "owner_host", "state"),
)

instance_actions_events = _table(
    "instance_actions_events",
    Column("id", Integer, primary_key=True),
    _number("action_id", None, nullable=False),
    _text("event", nullable=False),
    Column("start_time", moment(), nullable=False),
    Column("finish_time", moment()),
    _text("result"),
    Column("traceback", long_text()),
    _text("host"),
    Column("details", long_text()),
    Index(None, "action_id"),
)

placement_reports = _table(
    "placement_reports",
    Column("id", Integer, primary_key=True),
    _text("reservation_id", nullable=False),
    Column("instance_uuids", Value(tuple[str, ...]), nullable=False),
    Column("report", Value(PlacementReport), nullable=False),
    Column("created_at", moment(), nullable=False),
    Index(None, "reservation_id"),
    Index(None, "created_at"),
)

flavors = _table(
    "flavors",
    Column("id", Integer, primary_key=True),
    _text("name", nullable=False),
    _text("flavorid", nullable=False),
    _number("memory_mb"),
    _number("vcpus"),
    _number("root_gb"),
    _number("ephemeral_gb"),
    _number("swap"),
    Column("rxtx_factor", Float, nullable=False, server_default="1"),
    _flag("disabled"),
    _flag("is_public", True),
    Column("description", sa.Text),
    *_timestamps(),
    UniqueConstraint("flavorid"),
    UniqueConstraint("name"),
)

flavor_extra_specs = _table(
    "flavor_extra_specs",
    _number("flavor_id", None, primary_key=True, autoincrement=False),
    _text("key", primary_key=True),
    _text("value", nullable=False),
)

flavor_projects = _table(
    "flavor_projects",
    _number("flavor_id", None, primary_key=True, autoincrement=False),
    _text("project_id", primary_key=True),
)

key_pairs = _table(
    "key_pairs",
    Column("id", Integer, primary_key=True),
    _text("name", nullable=False),
    _text("user_id", nullable=False),
    _text("fingerprint", nullable=False),
    Column("public_key", long_text(), nullable=False),
    _text("type", 16, nullable=False),
    *_timestamps(),
    UniqueConstraint("user_id", "name"),
)

s3_images = _table(
    "s3_images",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    UniqueConstraint("uuid"),
)

quotas = _table(
    "quotas",
    _text("project_id", primary_key=True),
    _text("resource", 64, primary_key=True),
    _number("hard_limit", None, nullable=False),
)

quota_classes = _table(
    "quota_classes",
    _text("class_name", primary_key=True),
    _text("resource", 64, primary_key=True),
    _number("hard_limit", None, nullable=False),
)

project_user_quotas = _table(
    "project_user_quotas",
    _text("project_id", primary_key=True),
    _text("user_id", primary_key=True),
    _text("resource", 64, primary_key=True),
    _number("hard_limit", None, nullable=False),
)

quota_usages = _table(
    "quota_usages",
    _text("project_id", primary_key=True),
    _text("user_id", primary_key=True),
    _text("resource", 64, primary_key=True),
    _number("in_use"),
)

services = _table(
    "services",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("host", nullable=False),
    _text("binary", nullable=False),
    _text("topic", nullable=False),
    _number("report_count"),
    _flag("disabled"),
    _text("disabled_reason"),
    _flag("forced_down"),
    Column("last_seen_up", moment()),
    _number("version"),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("host", "binary"),
)

compute_nodes = _table(
    "compute_nodes",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("host", nullable=False),
    _text("hypervisor_hostname", nullable=False),
    _text("hypervisor_type", nullable=False),
    _number("hypervisor_version"),
    _number("vcpus"),
    _number("memory_mb"),
    _number("local_gb"),
    _number("vcpus_used"),
    _number("memory_mb_used"),
    _number("local_gb_used"),
    _number("free_disk_gb"),
    _number("disk_available_least", None),
    _number("running_vms"),
    _number("num_io_ops"),
    _number("failed_builds"),
    _text("host_ip", 39),
    Column("cpu_info", long_text()),
    Column("supported_instances", Value(tuple[tuple[str, str, str], ...])),
    _text("uptime"),
    Column("traits", Value(tuple[str, ...])),
    Column("numa_topology", Value(HostNuma)),
    _number("reserved_memory_mb"),
    _number("reserved_disk_gb"),
    _number("reserved_vcpus"),
    Column("cpu_allocation_ratio", Float, nullable=False),
    Column("ram_allocation_ratio", Float, nullable=False),
    Column("disk_allocation_ratio", Float, nullable=False),
    Column("generation", sa.BigInteger, nullable=False),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("host", "hypervisor_hostname"),
    Index(None, "generation"),
)

removed_hosts = _table(
    "removed_hosts",
    _text("host", primary_key=True),
    Column("generation", sa.BigInteger, nullable=False),
)

networks = _table(
    "networks",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("label", nullable=False),
    _flag("injected"),
    _text("cidr", 43),
    _text("cidr_v6", 43),
    _flag("multi_host"),
    _text("gateway_v6", 39),
    _text("netmask_v6", 39),
    _text("netmask", 39),
    _text("bridge"),
    _text("bridge_interface"),
    _text("gateway", 39),
    _text("broadcast", 39),
    _text("dns1", 39),
    _text("dns2", 39),
    _number("vlan", None),
    _text("vpn_public_address", 39),
    _number("vpn_public_port", None),
    _text("vpn_private_address", 39),
    _text("dhcp_start", 39),
    _number("rxtx_base", None),
    _text("project_id"),
    _number("priority", None),
    _text("host"),
    _number("mtu", None),
    _text("dhcp_server", 39),
    _flag("enable_dhcp", True),
    _flag("share_address"),
    # What clients of the Networking API call its two ranges.
    _text("subnet_name"),
    _text("subnet_name_v6"),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("vlan"),
    Index(None, "project_id"),
)

virtual_interfaces = _table(
    "virtual_interfaces",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("address", 17, nullable=False),
    _number("network_id", None, nullable=False),
    _text("instance_uuid", 36),
    _text("fixed_ip_v6", 39),
    _text("tag"),
    # Of interfaces that are made before their server, and stay when that goes.
    _flag("preserved"),
    _text("project_id"),
    _text("name"),
    Column("created_at", moment()),
    UniqueConstraint("uuid"),
    UniqueConstraint("address"),
    Index(None, "instance_uuid"),
    Index(None, "network_id"),
    Index(None, "project_id"),
)

fixed_ips = _table(
    "fixed_ips",
    Column("id", Integer, primary_key=True),
    _text("address", 39, nullable=False),
    _number("network_id", None, nullable=False),
    _number("virtual_interface_id", None),
    _text("instance_uuid", 36),
    _flag("allocated"),
    _flag("leased"),
    _flag("reserved"),
    _text("host"),
    Column("updated_at", moment()),
    UniqueConstraint("address"),
    UniqueConstraint("network_id", "host"),
    Index(None, "network_id", "reserved", "instance_uuid"),
    Index(None, "instance_uuid"),
    Index(None, "virtual_interface_id"),
    Index(None, "host"),
)

floating_ips = _table(
    "floating_ips",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("address", 39, nullable=False),
    _text("pool", nullable=False),
    _text("interface"),
    _text("project_id"),
    _number("fixed_ip_id", None),
    _text("host"),
    _flag("auto_assigned"),
    _text("description", nullable=False, server_default=""),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("address"),
    Index(None, "pool", "project_id"),
    Index(None, "project_id"),
    Index(None, "fixed_ip_id"),
    Index(None, "host"),
)

dns_domains = _table(
    "dns_domains",
    _text("domain", primary_key=True),
    _text("scope", 16, nullable=False),
    _text("project_id"),
    _text("availability_zone"),
    *_timestamps(),
)

dns_entries = _table(
    "dns_entries",
    Column("id", Integer, primary_key=True),
    _text("domain", nullable=False),
    _text("name", nullable=False),
    _text("address", 39, nullable=False),
    _text("kind", 8, nullable=False),
    *_timestamps(),
    UniqueConstraint("domain", "name"),
    Index(None, "address"),
)

security_groups = _table(
    "security_groups",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("name", nullable=False),
    _text("description", nullable=False, server_default=""),
    _text("user_id"),
    _text("project_id", nullable=False),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("project_id", "name"),
)

security_group_rules = _table(
    "security_group_rules",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _number("parent_group_id", None, nullable=False),
    _text("protocol", 16),
    _number("from_port", None),
    _number("to_port", None),
    _text("cidr", 43),
    _number("group_id", None),
    _text("ethertype", 4),
    _text("description", nullable=False, server_default=""),
    *_timestamps(),
    UniqueConstraint("uuid"),
    Index(None, "parent_group_id"),
    Index(None, "group_id"),
)

security_group_instances = _table(
    "security_group_instance_association",
    _text("instance_uuid", 36, primary_key=True),
    Column("security_group_id", Integer, primary_key=True, autoincrement=False),
    Index(None, "security_group_id"),
)

security_group_default_rules = _simple_rules("security_group_default_rules")
provider_fw_rules = _simple_rules("provider_fw_rules")

migrations = _table(
    "migrations",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("instance_uuid", 36, nullable=False),
    Column("migration_type", Word(MigrationType), nullable=False),
    Column("status", Word(MigrationStatus), nullable=False),
    _text("project_id"),
    _text("user_id"),
    _text("source_compute"),
    _text("source_node"),
    _text("dest_compute"),
    _text("dest_node"),
    _text("dest_host"),
    Column("old_vm_state", Word(VmState), nullable=False),
    Column("old_flavor", Value(Flavor), nullable=False),
    Column("new_flavor", Value(Flavor), nullable=False),
    Column("old_numa", Value(GuestNuma)),
    Column("new_numa", Value(GuestNuma)),
    _flag("hidden"),
    Column("created_at", moment(), nullable=False),
    Column("updated_at", moment(), nullable=False),
    UniqueConstraint("uuid"),
    Index(None, "instance_uuid", "status"),
    Index(None, "created_at", "id"),
    Index(None, "status", "updated_at"),
)

instance_groups = _table(
    "instance_groups",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("project_id", nullable=False),
    _text("user_id", nullable=False),
    _text("name", nullable=False),
    _text("policy", 64, nullable=False),
    _number("max_server_per_host", None),
    *_timestamps(),
    UniqueConstraint("uuid"),
    Index(None, "project_id"),
)

instance_group_member = _table(
    "instance_group_member",
    _text("instance_uuid", 36, primary_key=True),
    _text("group_uuid", 36, nullable=False),
    Index(None, "group_uuid"),
)

aggregates = _table(
    "aggregates",
    Column("id", Integer, primary_key=True),
    _text("uuid", 36, nullable=False),
    _text("name", nullable=False),
    *_timestamps(),
    UniqueConstraint("uuid"),
    UniqueConstraint("name"),
)

aggregate_hosts = _table(
    "aggregate_hosts",
    _number("aggregate_id", None, primary_key=True, autoincrement=False),
    _text("host", primary_key=True),
    Index(None, "host"),
)

aggregate_metadata = _table(
    "aggregate_metadata",
    _number("aggregate_id", None, primary_key=True, autoincrement=False),
    _text("key", primary_key=True),
    _text("value", nullable=False),
)

agent_builds = _table(
    "agent_builds",
    Column("id", Integer, primary_key=True),
    _text("hypervisor", nullable=False),
    _text("os", nullable=False),
    _text("architecture", nullable=False),
    _text("version", nullable=False),
    _text("url", nullable=False),
    _text("md5hash", nullable=False),
    *_timestamps(),
    UniqueConstraint("hypervisor", "os", "architecture"),
)

task_log = _table(
    "task_log",
    Column("id", Integer, primary_key=True),
    _text("task_name", nullable=False),
    _text("state", 16, nullable=False),
    _text("host", nullable=False),
    Column("period_beginning", moment(), nullable=False),
    Column("period_ending", moment(), nullable=False),
    _text("message", nullable=False),
    _number("task_items"),
    _number("errors"),
    *_timestamps(),
    UniqueConstraint("task_name", "host", "period_beginning", "period_ending"),
)

console_auth_tokens = _table(
    "console_auth_tokens",
    Column("id", Integer, primary_key=True),
    _text("token_hash", 64, nullable=False),
    _text("console_type", 32, nullable=False),
    _text("host", nullable=False),
    _number("port", None, nullable=False),
    _number("tls_port", None),
    _text("internal_access_path"),
    _text("instance_uuid", 36, nullable=False),
    _number("generation", None, nullable=False),
    _text("user_id", nullable=False),
    _text("project_id", nullable=False),
    _text("access_url_base", nullable=False),
    Column("expires", moment(), nullable=False),
    Column("created_at", moment(), nullable=False),
    UniqueConstraint("token_hash"),
    Index(None, "instance_uuid"),
    Index(None, "expires"),
)

certificates = _table(
    "certificates",
    Column("id", Integer, primary_key=True),
    _text("user_id", nullable=False),
    _text("project_id", nullable=False),
    _text("file_name", nullable=False),
    Column("certificate", long_text(), nullable=False),
    Column("revoked_at", moment()),
    Column("created_at", moment(), nullable=False),
    Index(None, "project_id", "user_id"),
    Index(None, "user_id"),
)

ec2_client_tokens = _table(
    "ec2_client_tokens",
    Column("id", Integer, primary_key=True),
    _text("project_id", nullable=False),
    _text("client_token", 64, nullable=False),
    _text("parameters_hash", 64, nullable=False),
    _text("reservation_id", nullable=False),
    Column("created_at", moment(), nullable=False),
    UniqueConstraint("project_id", "client_token"),
    Index(None, "reservation_id"),
    Index(None, "created_at"),
)

ec2_requests = _table(
    "ec2_requests",
    Column("id", Integer, primary_key=True),
    _text("signature_hash", 64, nullable=False),
    Column("answer", long_text()),
    Column("expires_at", moment(), nullable=False),
    Column("created_at", moment(), nullable=False),
    UniqueConstraint("signature_hash"),
    Index(None, "expires_at"),
)
