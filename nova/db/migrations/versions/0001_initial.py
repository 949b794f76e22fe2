"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
TABLES = (
    "virtual_interfaces",
    "tags",
    "services",
    "s3_images",
    "removed_hosts",
    "quotas",
    "quota_usages",
    "quota_classes",
    "project_user_quotas",
    "placement_reports",
    "networks",
    "key_pairs",
    "instances",
    "instance_system_metadata",
    "instance_metadata",
    "instance_faults",
    "instance_actions_events",
    "instance_actions",
    "flavors",
    "flavor_projects",
    "flavor_extra_specs",
    "fixed_ips",
    "deleted_instances",
    "compute_nodes",
    "block_device_mapping",
)


def upgrade() -> None:
    """Bring the schema forward."""
    _block_device_mapping()
    _compute_nodes()
    _deleted_instances()
    _fixed_ips()
    _flavor_extra_specs()
    _flavor_projects()
    _flavors()
    _instance_actions()
    _instance_actions_events()
    _instance_faults()
    _instance_metadata()
    _instance_system_metadata()
    _instances()
    _key_pairs()
    _networks()
    _placement_reports()
    _project_user_quotas()
    _quota_classes()
    _quota_usages()
    _quotas()
    _removed_hosts()
    _s3_images()
    _services()
    _tags()
    _virtual_interfaces()


def _block_device_mapping() -> None:
    op.create_table(
        "block_device_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("source_type", sa.String(255), nullable=False),
        sa.Column("destination_type", sa.String(255), nullable=False),
        sa.Column("boot_index", sa.Integer()),
        sa.Column("device_name", sa.String(255)),
        sa.Column("image_id", sa.String(36)),
        sa.Column("volume_size", sa.Integer()),
        sa.Column("guest_format", sa.String(255)),
        sa.Column("disk_bus", sa.String(255)),
        sa.Column("device_type", sa.String(255)),
        sa.Column("delete_on_termination", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("tag", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_block_device_mapping"),
        **OPTIONS,
    )
    op.create_index(
        "ix_block_device_mapping_instance_uuid", "block_device_mapping", ["instance_uuid"]
    )


def _compute_nodes() -> None:
    op.create_table(
        "compute_nodes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("hypervisor_hostname", sa.String(255), nullable=False),
        sa.Column("hypervisor_type", sa.String(255), nullable=False),
        sa.Column("hypervisor_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vcpus", sa.Integer(), server_default="0", nullable=False),
        sa.Column("memory_mb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("local_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vcpus_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("memory_mb_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("local_gb_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("free_disk_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("disk_available_least", sa.Integer()),
        sa.Column("running_vms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("num_io_ops", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_builds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("host_ip", sa.String(39)),
        sa.Column("cpu_info", LONG_TEXT),
        sa.Column("supported_instances", LONG_TEXT),
        sa.Column("uptime", sa.String(255)),
        sa.Column("reserved_memory_mb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved_disk_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved_vcpus", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cpu_allocation_ratio", sa.Float(), nullable=False),
        sa.Column("ram_allocation_ratio", sa.Float(), nullable=False),
        sa.Column("disk_allocation_ratio", sa.Float(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_compute_nodes"),
        sa.UniqueConstraint(
            "host", "hypervisor_hostname", name="uq_compute_nodes_host_hypervisor_hostname"
        ),
        sa.UniqueConstraint("uuid", name="uq_compute_nodes_uuid"),
        **OPTIONS,
    )
    op.create_index("ix_compute_nodes_generation", "compute_nodes", ["generation"])


def _deleted_instances() -> None:
    op.create_table(
        "deleted_instances",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("reservation_id", sa.String(255)),
        sa.Column("launch_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("display_description", sa.String(255)),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("vm_state", sa.String(36), nullable=False),
        sa.Column("task_state", sa.String(36)),
        sa.Column("power_state", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress", sa.Integer(), server_default="0", nullable=False),
        sa.Column("image_ref", sa.String(255)),
        sa.Column("kernel_id", sa.String(255)),
        sa.Column("ramdisk_id", sa.String(255)),
        sa.Column("key_name", sa.String(255)),
        sa.Column("key_data", LONG_TEXT),
        sa.Column("user_data", LONG_TEXT),
        sa.Column("config_drive", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("node", sa.String(255)),
        sa.Column("availability_zone", sa.String(255)),
        sa.Column("pinned_availability_zone", sa.String(255)),
        sa.Column("instance_type_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flavorid", sa.String(255), nullable=False),
        sa.Column("memory_mb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vcpus", sa.Integer(), server_default="0", nullable=False),
        sa.Column("root_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ephemeral_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flavor", LONG_TEXT, nullable=False),
        sa.Column("access_ip_v4", sa.String(39)),
        sa.Column("access_ip_v6", sa.String(39)),
        sa.Column("root_device_name", sa.String(255)),
        sa.Column("auto_disk_config", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("os_type", sa.String(255)),
        sa.Column("architecture", sa.String(255)),
        sa.Column("locked_by", sa.String(16)),
        sa.Column("locked_reason", sa.String(255)),
        sa.Column("scheduler_hints", LONG_TEXT),
        sa.Column("image_properties", LONG_TEXT),
        sa.Column("security_groups", LONG_TEXT),
        sa.Column("launched_at", MOMENT),
        sa.Column("terminated_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=False),
        sa.Column("metadata", LONG_TEXT),
        sa.Column("fault", LONG_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_deleted_instances"),
        sa.UniqueConstraint("uuid", name="uq_deleted_instances_uuid"),
        **OPTIONS,
    )
    op.create_index(
        "ix_deleted_instances_project_id_updated_at",
        "deleted_instances",
        ["project_id", "updated_at"],
    )
    op.create_index("ix_deleted_instances_terminated_at", "deleted_instances", ["terminated_at"])
    op.create_index("ix_deleted_instances_updated_at", "deleted_instances", ["updated_at"])


def _fixed_ips() -> None:
    op.create_table(
        "fixed_ips",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(39), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("virtual_interface_id", sa.Integer()),
        sa.Column("instance_uuid", sa.String(36)),
        sa.Column("allocated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("leased", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reserved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_fixed_ips"),
        sa.UniqueConstraint("address", name="uq_fixed_ips_address"),
        sa.UniqueConstraint("network_id", "host", name="uq_fixed_ips_network_id_host"),
        **OPTIONS,
    )
    op.create_index("ix_fixed_ips_host", "fixed_ips", ["host"])
    op.create_index("ix_fixed_ips_instance_uuid", "fixed_ips", ["instance_uuid"])
    op.create_index(
        "ix_fixed_ips_network_id_reserved_instance_uuid",
        "fixed_ips",
        ["network_id", "reserved", "instance_uuid"],
    )


def _flavor_extra_specs() -> None:
    op.create_table(
        "flavor_extra_specs",
        sa.Column("flavor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("flavor_id", "key", name="pk_flavor_extra_specs"),
        **OPTIONS,
    )


def _flavor_projects() -> None:
    op.create_table(
        "flavor_projects",
        sa.Column("flavor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("flavor_id", "project_id", name="pk_flavor_projects"),
        **OPTIONS,
    )


def _flavors() -> None:
    op.create_table(
        "flavors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("flavorid", sa.String(255), nullable=False),
        sa.Column("memory_mb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vcpus", sa.Integer(), server_default="0", nullable=False),
        sa.Column("root_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ephemeral_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("swap", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rxtx_factor", sa.Float(), server_default="1", nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_flavors"),
        sa.UniqueConstraint("flavorid", name="uq_flavors_flavorid"),
        sa.UniqueConstraint("name", name="uq_flavors_name"),
        **OPTIONS,
    )


def _instance_actions() -> None:
    op.create_table(
        "instance_actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(255), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255)),
        sa.Column("project_id", sa.String(255)),
        sa.Column("start_time", MOMENT, nullable=False),
        sa.Column("finish_time", MOMENT),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("message", sa.String(255)),
        sa.Column("state", sa.String(36), nullable=False),
        sa.Column("owner_host", sa.String(255)),
        sa.Column("step", sa.String(255)),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deadline", MOMENT),
        sa.Column("arguments", LONG_TEXT),
        sa.Column("build_request", LONG_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_instance_actions"),
        **OPTIONS,
    )
    op.create_index(
        "ix_instance_actions_instance_uuid_start_time",
        "instance_actions",
        ["instance_uuid", "start_time"],
    )
    op.create_index(
        "ix_instance_actions_owner_host_state", "instance_actions", ["owner_host", "state"]
    )
    op.create_index("ix_instance_actions_state_deadline", "instance_actions", ["state", "deadline"])


def _instance_actions_events() -> None:
    op.create_table(
        "instance_actions_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(255), nullable=False),
        sa.Column("start_time", MOMENT, nullable=False),
        sa.Column("finish_time", MOMENT),
        sa.Column("result", sa.String(255)),
        sa.Column("traceback", LONG_TEXT),
        sa.Column("host", sa.String(255)),
        sa.Column("details", LONG_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_instance_actions_events"),
        **OPTIONS,
    )
    op.create_index(
        "ix_instance_actions_events_action_id", "instance_actions_events", ["action_id"]
    )


def _instance_faults() -> None:
    op.create_table(
        "instance_faults",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("fault", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", name="pk_instance_faults"),
        **OPTIONS,
    )


def _instance_metadata() -> None:
    op.create_table(
        "instance_metadata",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", "key", name="pk_instance_metadata"),
        **OPTIONS,
    )


def _instance_system_metadata() -> None:
    op.create_table(
        "instance_system_metadata",
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", "key", name="pk_instance_system_metadata"),
        **OPTIONS,
    )


def _instances() -> None:
    op.create_table(
        "instances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("reservation_id", sa.String(255)),
        sa.Column("launch_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("display_description", sa.String(255)),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("vm_state", sa.String(36), nullable=False),
        sa.Column("task_state", sa.String(36)),
        sa.Column("power_state", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress", sa.Integer(), server_default="0", nullable=False),
        sa.Column("image_ref", sa.String(255)),
        sa.Column("kernel_id", sa.String(255)),
        sa.Column("ramdisk_id", sa.String(255)),
        sa.Column("key_name", sa.String(255)),
        sa.Column("key_data", LONG_TEXT),
        sa.Column("user_data", LONG_TEXT),
        sa.Column("config_drive", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("node", sa.String(255)),
        sa.Column("availability_zone", sa.String(255)),
        sa.Column("pinned_availability_zone", sa.String(255)),
        sa.Column("instance_type_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flavorid", sa.String(255), nullable=False),
        sa.Column("memory_mb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("vcpus", sa.Integer(), server_default="0", nullable=False),
        sa.Column("root_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ephemeral_gb", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flavor", LONG_TEXT, nullable=False),
        sa.Column("access_ip_v4", sa.String(39)),
        sa.Column("access_ip_v6", sa.String(39)),
        sa.Column("root_device_name", sa.String(255)),
        sa.Column("auto_disk_config", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("os_type", sa.String(255)),
        sa.Column("architecture", sa.String(255)),
        sa.Column("locked_by", sa.String(16)),
        sa.Column("locked_reason", sa.String(255)),
        sa.Column("scheduler_hints", LONG_TEXT),
        sa.Column("image_properties", LONG_TEXT),
        sa.Column("security_groups", LONG_TEXT),
        sa.Column("launched_at", MOMENT),
        sa.Column("terminated_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
        sa.UniqueConstraint("uuid", name="uq_instances_uuid"),
        **OPTIONS,
    )
    op.create_index("ix_instances_created_at_id", "instances", ["created_at", "id"])
    op.create_index("ix_instances_host_vm_state", "instances", ["host", "vm_state"])
    op.create_index("ix_instances_project_id_created_at", "instances", ["project_id", "created_at"])
    op.create_index("ix_instances_reservation_id", "instances", ["reservation_id"])
    op.create_index("ix_instances_updated_at", "instances", ["updated_at"])


def _key_pairs() -> None:
    op.create_table(
        "key_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(255), nullable=False),
        sa.Column("public_key", LONG_TEXT, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_key_pairs"),
        sa.UniqueConstraint("user_id", "name", name="uq_key_pairs_user_id_name"),
        **OPTIONS,
    )


def _s3_images() -> None:
    op.create_table(
        "s3_images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_s3_images"),
        sa.UniqueConstraint("uuid", name="uq_s3_images_uuid"),
        **OPTIONS,
    )


def _networks() -> None:
    op.create_table(
        "networks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("injected", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cidr", sa.String(43)),
        sa.Column("cidr_v6", sa.String(43)),
        sa.Column("multi_host", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("gateway_v6", sa.String(39)),
        sa.Column("netmask_v6", sa.String(39)),
        sa.Column("netmask", sa.String(39)),
        sa.Column("bridge", sa.String(255)),
        sa.Column("bridge_interface", sa.String(255)),
        sa.Column("gateway", sa.String(39)),
        sa.Column("broadcast", sa.String(39)),
        sa.Column("dns1", sa.String(39)),
        sa.Column("dns2", sa.String(39)),
        sa.Column("vlan", sa.Integer()),
        sa.Column("vpn_public_address", sa.String(39)),
        sa.Column("vpn_public_port", sa.Integer()),
        sa.Column("vpn_private_address", sa.String(39)),
        sa.Column("dhcp_start", sa.String(39)),
        sa.Column("rxtx_base", sa.Integer()),
        sa.Column("project_id", sa.String(255)),
        sa.Column("priority", sa.Integer()),
        sa.Column("host", sa.String(255)),
        sa.Column("mtu", sa.Integer()),
        sa.Column("dhcp_server", sa.String(39)),
        sa.Column("enable_dhcp", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("share_address", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_networks"),
        sa.UniqueConstraint("uuid", name="uq_networks_uuid"),
        sa.UniqueConstraint("vlan", name="uq_networks_vlan"),
        **OPTIONS,
    )
    op.create_index("ix_networks_project_id", "networks", ["project_id"])


def _placement_reports() -> None:
    op.create_table(
        "placement_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.String(255), nullable=False),
        sa.Column("instance_uuids", LONG_TEXT, nullable=False),
        sa.Column("report", LONG_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_placement_reports"),
        **OPTIONS,
    )
    op.create_index("ix_placement_reports_created_at", "placement_reports", ["created_at"])
    op.create_index("ix_placement_reports_reservation_id", "placement_reports", ["reservation_id"])


def _project_user_quotas() -> None:
    op.create_table(
        "project_user_quotas",
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", "resource", name="pk_project_user_quotas"),
        **OPTIONS,
    )


def _quota_classes() -> None:
    op.create_table(
        "quota_classes",
        sa.Column("class_name", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class_name", "resource", name="pk_quota_classes"),
        **OPTIONS,
    )


def _quota_usages() -> None:
    op.create_table(
        "quota_usages",
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("in_use", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("project_id", "user_id", "resource", name="pk_quota_usages"),
        **OPTIONS,
    )


def _quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name="pk_quotas"),
        **OPTIONS,
    )


def _removed_hosts() -> None:
    op.create_table(
        "removed_hosts",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_removed_hosts"),
        **OPTIONS,
    )


def _services() -> None:
    op.create_table(
        "services",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("binary", sa.String(255), nullable=False),
        sa.Column("topic", sa.String(255), nullable=False),
        sa.Column("report_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("disabled_reason", sa.String(255)),
        sa.Column("forced_down", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_seen_up", MOMENT),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT),
        sa.Column("updated_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_services"),
        sa.UniqueConstraint("host", "binary", name="uq_services_host_binary"),
        sa.UniqueConstraint("uuid", name="uq_services_uuid"),
        **OPTIONS,
    )


def _tags() -> None:
    op.create_table(
        "tags",
        sa.Column("resource_id", sa.String(36), nullable=False),
        sa.Column("tag", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "tag", name="pk_tags"),
        **OPTIONS,
    )
    op.create_index("ix_tags_tag", "tags", ["tag"])


def _virtual_interfaces() -> None:
    op.create_table(
        "virtual_interfaces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("address", sa.String(17), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("instance_uuid", sa.String(36), nullable=False),
        sa.Column("fixed_ip_v6", sa.String(39)),
        sa.Column("tag", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_virtual_interfaces"),
        sa.UniqueConstraint("address", name="uq_virtual_interfaces_address"),
        sa.UniqueConstraint("uuid", name="uq_virtual_interfaces_uuid"),
        **OPTIONS,
    )
    op.create_index("ix_virtual_interfaces_instance_uuid", "virtual_interfaces", ["instance_uuid"])


def downgrade() -> None:
    """Take the schema back."""
    for table in TABLES:
        op.drop_table(table)
