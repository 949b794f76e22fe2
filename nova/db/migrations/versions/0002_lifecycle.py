"""The whole server lifecycle: migrations, server groups, aggregates, agents, audits."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
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
    "task_log",
    "migrations",
    "instance_groups",
    "instance_group_member",
    "agent_builds",
    "aggregates",
    "aggregate_metadata",
    "aggregate_hosts",
)
SERVER_COLUMNS = (
    ("numa_topology", LONG_TEXT),
    ("shelved_image_id", sa.String(36)),
    ("shelved_at", MOMENT),
    ("soft_deleted_at", MOMENT),
)
Indexes = tuple[tuple[str, ...], ...]
OLD_INDEXES: Indexes = (
    ("instances", "host", "vm_state"),
    ("instances", "project_id", "created_at"),
)
NEW_INDEXES: Indexes = (
    ("instances", "project_id", "created_at", "id"),
    ("instances", "project_id", "vm_state", "created_at", "id"),
    ("instances", "host", "created_at", "id"),
    ("fixed_ips", "virtual_interface_id"),
)


def upgrade() -> None:
    """Bring the schema forward."""
    for table in ("instances", "deleted_instances"):
        for name, kind in SERVER_COLUMNS:
            op.add_column(table, sa.Column(name, kind))
    op.add_column("instance_actions", sa.Column("request", LONG_TEXT))
    op.add_column("compute_nodes", sa.Column("traits", LONG_TEXT))
    op.add_column("compute_nodes", sa.Column("numa_topology", LONG_TEXT))
    _aggregates()
    _agent_builds()
    _instance_groups()
    _migrations()
    _task_log()
    _change_indexes(OLD_INDEXES, NEW_INDEXES)


def downgrade() -> None:
    """Take the schema back."""
    _change_indexes(NEW_INDEXES, OLD_INDEXES)
    for name in TABLES:
        op.drop_table(name)
    op.drop_column("compute_nodes", "numa_topology")
    op.drop_column("compute_nodes", "traits")
    op.drop_column("instance_actions", "request")
    for table in ("instances", "deleted_instances"):
        for name, _kind in SERVER_COLUMNS:
            op.drop_column(table, name)


def _change_indexes(old: Indexes, new: Indexes) -> None:
    """Replace indexes, each given as its table and columns."""
    for table, *columns in new:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    for table, *columns in old:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)


def _text(name: str, size: int = 255, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.String(size), nullable=nullable)


def _key() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer(), nullable=False)


def _moments(nullable: bool = True) -> list[sa.Column[Any]]:
    return [sa.Column(name, MOMENT, nullable=nullable) for name in ("created_at", "updated_at")]


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _aggregates() -> None:
    op.create_table(
        "aggregates",
        _key(),
        _text("uuid", 36, nullable=False),
        _text("name", nullable=False),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aggregates")),
        sa.UniqueConstraint("uuid", name=op.f("uq_aggregates_uuid")),
        sa.UniqueConstraint("name", name=op.f("uq_aggregates_name")),
        **OPTIONS,
    )
    op.create_table(
        "aggregate_hosts",
        sa.Column("aggregate_id", sa.Integer(), autoincrement=False, nullable=False),
        _text("host", nullable=False),
        sa.PrimaryKeyConstraint("aggregate_id", "host", name=op.f("pk_aggregate_hosts")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_aggregate_hosts_host"), "aggregate_hosts", ["host"])
    op.create_table(
        "aggregate_metadata",
        sa.Column("aggregate_id", sa.Integer(), autoincrement=False, nullable=False),
        _text("key", nullable=False),
        _text("value", nullable=False),
        sa.PrimaryKeyConstraint("aggregate_id", "key", name=op.f("pk_aggregate_metadata")),
        **OPTIONS,
    )


def _agent_builds() -> None:
    op.create_table(
        "agent_builds",
        _key(),
        *(
            _text(name, nullable=False)
            for name in ("hypervisor", "os", "architecture", "version", "url", "md5hash")
        ),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_builds")),
        sa.UniqueConstraint(
            "hypervisor",
            "os",
            "architecture",
            name=op.f("uq_agent_builds_hypervisor_os_architecture"),
        ),
        **OPTIONS,
    )


def _instance_groups() -> None:
    op.create_table(
        "instance_groups",
        _key(),
        _text("uuid", 36, nullable=False),
        _text("project_id", nullable=False),
        _text("user_id", nullable=False),
        _text("name", nullable=False),
        _text("policy", 64, nullable=False),
        sa.Column("max_server_per_host", sa.Integer()),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance_groups")),
        sa.UniqueConstraint("uuid", name=op.f("uq_instance_groups_uuid")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_instance_groups_project_id"), "instance_groups", ["project_id"])
    op.create_table(
        "instance_group_member",
        _text("instance_uuid", 36, nullable=False),
        _text("group_uuid", 36, nullable=False),
        sa.PrimaryKeyConstraint("instance_uuid", name=op.f("pk_instance_group_member")),
        **OPTIONS,
    )
    op.create_index(
        op.f("ix_instance_group_member_group_uuid"), "instance_group_member", ["group_uuid"]
    )


def _migrations() -> None:
    op.create_table(
        "migrations",
        _key(),
        _text("uuid", 36, nullable=False),
        _text("instance_uuid", 36, nullable=False),
        _text("migration_type", 36, nullable=False),
        _text("status", 36, nullable=False),
        *(_text(name) for name in ("project_id", "user_id", "source_compute", "source_node")),
        *(_text(name) for name in ("dest_compute", "dest_node", "dest_host")),
        _text("old_vm_state", 36, nullable=False),
        sa.Column("old_flavor", LONG_TEXT, nullable=False),
        sa.Column("new_flavor", LONG_TEXT, nullable=False),
        sa.Column("old_numa", LONG_TEXT),
        sa.Column("new_numa", LONG_TEXT),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        *_moments(nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migrations")),
        sa.UniqueConstraint("uuid", name=op.f("uq_migrations_uuid")),
        **OPTIONS,
    )
    for columns in (("instance_uuid", "status"), ("created_at", "id"), ("status", "updated_at")):
        op.create_index(op.f("ix_migrations_" + "_".join(columns)), "migrations", list(columns))


def _task_log() -> None:
    op.create_table(
        "task_log",
        _key(),
        _text("task_name", nullable=False),
        _text("state", 16, nullable=False),
        _text("host", nullable=False),
        sa.Column("period_beginning", MOMENT, nullable=False),
        sa.Column("period_ending", MOMENT, nullable=False),
        _text("message", nullable=False),
        _count("task_items"),
        _count("errors"),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_log")),
        sa.UniqueConstraint(
            "task_name",
            "host",
            "period_beginning",
            "period_ending",
            name=op.f("uq_task_log_task_name_host_period_beginning_period_ending"),
        ),
        **OPTIONS,
    )
