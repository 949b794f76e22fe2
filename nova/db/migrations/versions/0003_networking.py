"""Networking: floating addresses, names, security groups, interfaces without a server."""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
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
    "floating_ips",
    "dns_domains",
    "dns_entries",
    "security_groups",
    "security_group_rules",
    "security_group_instance_association",
    "security_group_default_rules",
    "provider_fw_rules",
)
RANGE_NAMES = ("subnet_name", "subnet_name_v6")
PORT_COLUMNS = ("preserved", "project_id", "name", "created_at")


def upgrade() -> None:
    """Bring the schema forward."""
    _floating_ips()
    _dns()
    _security_groups()
    _simple_rules("security_group_default_rules")
    _simple_rules("provider_fw_rules")
    with _interfaces() as table:
        table.alter_column("instance_uuid", existing_type=sa.String(36), nullable=True)
        table.add_column(
            sa.Column("preserved", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.add_column(_text("project_id"))
        table.add_column(_text("name"))
        table.add_column(sa.Column("created_at", MOMENT))
    with _networks() as table:
        for name in RANGE_NAMES:
            table.add_column(_text(name))
    _index("virtual_interfaces", "network_id")
    _index("virtual_interfaces", "project_id")
    _join_default_groups()
    # In place: a table that SQLite makes anew gives numbers of deleted servers again.
    op.drop_column("instances", "security_groups")


def downgrade() -> None:
    """Take the schema back; interfaces without a server go."""
    long_text = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    op.add_column("instances", sa.Column("security_groups", long_text))
    op.execute(sa.text("""UPDATE instances SET security_groups = '["default"]'"""))
    op.execute(sa.text("DELETE FROM virtual_interfaces WHERE instance_uuid IS NULL"))
    for column in ("project_id", "network_id"):
        op.drop_index(op.f(f"ix_virtual_interfaces_{column}"), "virtual_interfaces")
    with _interfaces() as table:
        for name in PORT_COLUMNS:
            table.drop_column(name)
        table.alter_column("instance_uuid", existing_type=sa.String(36), nullable=False)
    with _networks() as table:
        for name in RANGE_NAMES:
            table.drop_column(name)
    for name in TABLES:
        op.drop_table(name)


def _interfaces() -> Any:
    """Change the table of interfaces; SQLite makes it anew for that."""
    return op.batch_alter_table("virtual_interfaces", table_kwargs={"sqlite_autoincrement": True})


def _networks() -> Any:
    return op.batch_alter_table("networks", table_kwargs={"sqlite_autoincrement": True})


def _join_default_groups() -> None:
    """Put every server into a group "default" of its project, where they all were in effect."""
    connection = op.get_bind()
    servers = sa.table("instances", sa.column("uuid"), sa.column("project_id"))
    groups = sa.table(
        "security_groups",
        *(sa.column(name) for name in ("id", "uuid", "name", "description", "project_id")),
    )
    members = sa.table(
        "security_group_instance_association",
        sa.column("instance_uuid"),
        sa.column("security_group_id"),
    )
    projects = [row[0] for row in connection.execute(sa.select(servers.c.project_id).distinct())]
    if not projects:
        return
    names = {"name": "default", "description": "default"}
    rows = [{"uuid": str(uuid.uuid4()), "project_id": one, **names} for one in projects]
    connection.execute(sa.insert(groups), rows)
    connection.execute(
        sa.insert(members).from_select(
            ["instance_uuid", "security_group_id"],
            sa.select(servers.c.uuid, groups.c.id).join_from(
                servers, groups, groups.c.project_id == servers.c.project_id
            ),
        )
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _text(name: str, size: int = 255, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.String(size), nullable=nullable)


def _description() -> sa.Column[Any]:
    return sa.Column("description", sa.String(255), server_default="", nullable=False)


def _key() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer(), nullable=False)


def _moments() -> list[sa.Column[Any]]:
    return [sa.Column(name, MOMENT) for name in ("created_at", "updated_at")]


def _floating_ips() -> None:
    op.create_table(
        "floating_ips",
        _key(),
        _text("uuid", 36, nullable=False),
        _text("address", 39, nullable=False),
        _text("pool", nullable=False),
        _text("interface"),
        _text("project_id"),
        sa.Column("fixed_ip_id", sa.Integer()),
        _text("host"),
        sa.Column("auto_assigned", sa.Boolean(), server_default=sa.false(), nullable=False),
        _description(),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_floating_ips")),
        _unique("floating_ips", "uuid"),
        _unique("floating_ips", "address"),
        **OPTIONS,
    )
    for columns in (("pool", "project_id"), ("project_id",), ("fixed_ip_id",), ("host",)):
        _index("floating_ips", *columns)


def _dns() -> None:
    op.create_table(
        "dns_domains",
        _text("domain", nullable=False),
        _text("scope", 16, nullable=False),
        _text("project_id"),
        _text("availability_zone"),
        *_moments(),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_dns_domains")),
        **OPTIONS,
    )
    op.create_table(
        "dns_entries",
        _key(),
        _text("domain", nullable=False),
        _text("name", nullable=False),
        _text("address", 39, nullable=False),
        _text("kind", 8, nullable=False),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dns_entries")),
        _unique("dns_entries", "domain", "name"),
        **OPTIONS,
    )
    _index("dns_entries", "address")


def _security_groups() -> None:
    op.create_table(
        "security_groups",
        _key(),
        _text("uuid", 36, nullable=False),
        _text("name", nullable=False),
        _description(),
        _text("user_id"),
        _text("project_id", nullable=False),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_groups")),
        _unique("security_groups", "uuid"),
        _unique("security_groups", "project_id", "name"),
        **OPTIONS,
    )
    op.create_table(
        "security_group_rules",
        _key(),
        _text("uuid", 36, nullable=False),
        sa.Column("parent_group_id", sa.Integer(), nullable=False),
        _text("protocol", 16),
        sa.Column("from_port", sa.Integer()),
        sa.Column("to_port", sa.Integer()),
        _text("cidr", 43),
        sa.Column("group_id", sa.Integer()),
        _text("ethertype", 4),
        _description(),
        *_moments(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_group_rules")),
        _unique("security_group_rules", "uuid"),
        **OPTIONS,
    )
    _index("security_group_rules", "parent_group_id")
    _index("security_group_rules", "group_id")
    op.create_table(
        "security_group_instance_association",
        _text("instance_uuid", 36, nullable=False),
        sa.Column("security_group_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "instance_uuid",
            "security_group_id",
            name=op.f("pk_security_group_instance_association"),
        ),
        **OPTIONS,
    )
    _index("security_group_instance_association", "security_group_id")


def _simple_rules(name: str) -> None:
    op.create_table(
        name,
        _key(),
        _text("protocol", 5, nullable=False),
        sa.Column("from_port", sa.Integer(), nullable=False),
        sa.Column("to_port", sa.Integer(), nullable=False),
        _text("cidr", 43, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        _unique(name, "protocol", "from_port", "to_port", "cidr"),
        **OPTIONS,
    )
