"""Console tokens, certificates, and what the EC2 API remembers of requests."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
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
TABLES = ("console_auth_tokens", "certificates", "ec2_client_tokens", "ec2_requests")
SERVERS = ("instances", "deleted_instances")


def upgrade() -> None:
    """Bring the schema forward."""
    _consoles()
    _certificates()
    _ec2()


def downgrade() -> None:
    """Take the schema back; tokens and certificates' records go."""
    for name in TABLES:
        op.drop_table(name)
    for name in SERVERS:
        # In place: a table that SQLite makes anew gives numbers of deleted servers again.
        op.drop_column(name, "console_generation")


def _consoles() -> None:
    for name in SERVERS:
        op.add_column(
            name,
            sa.Column("console_generation", sa.Integer(), server_default="0", nullable=False),
        )
    _create(
        "console_auth_tokens",
        _text("token_hash", 64),
        _text("console_type", 32),
        _text("host"),
        _text("console_host"),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("tls_port", sa.Integer()),
        _text("internal_access_path", nullable=True),
        _text("instance_uuid", 36),
        sa.Column("generation", sa.Integer(), nullable=False),
        _text("user_id", nullable=True),
        _text("project_id", nullable=True),
        _text("access_url_base"),
        _moment("expires"),
        _moment("created_at"),
        _unique("console_auth_tokens", "token_hash"),
    )
    _index("console_auth_tokens", "instance_uuid")
    _index("console_auth_tokens", "expires")


def _certificates() -> None:
    _create(
        "certificates",
        _text("user_id"),
        _text("project_id"),
        _text("file_name"),
        sa.Column("certificate", LONG_TEXT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        _moment("created_at"),
    )
    _index("certificates", "project_id", "user_id")
    _index("certificates", "user_id")


def _ec2() -> None:
    _create(
        "ec2_client_tokens",
        _text("project_id"),
        _text("client_token", 64),
        _text("parameters_hash", 64),
        _text("reservation_id"),
        _moment("created_at"),
        _unique("ec2_client_tokens", "project_id", "client_token"),
    )
    _index("ec2_client_tokens", "reservation_id")
    _index("ec2_client_tokens", "created_at")
    _create(
        "ec2_requests",
        _text("signature_hash", 64),
        sa.Column("answer", LONG_TEXT),
        _moment("expires_at"),
        _moment("created_at"),
        _unique("ec2_requests", "signature_hash"),
    )
    _index("ec2_requests", "expires_at")


def _create(name: str, *items: sa.schema.SchemaItem) -> None:
    """Make a table whose key is a number that is never used again."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *items,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        **OPTIONS,
    )


def _text(name: str, size: int = 255, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(size), nullable=nullable)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=False)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))
