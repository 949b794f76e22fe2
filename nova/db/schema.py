"""Which schema a database has and this release needs, without the means to change it.

The tool for migrations is not imported: daemons need only the answer.
"""

import sqlalchemy as sa

from nova.db.engine import Transaction

NEWEST = "0004"

_VERSIONS = sa.table("alembic_version", sa.column("version_num"))


def current(tx: Transaction) -> str | None:
    """Return the revision of an open database, None when it is empty."""
    if not sa.inspect(tx).has_table(_VERSIONS.name):
        return None
    found: str | None = tx.execute(sa.select(_VERSIONS.c.version_num)).scalar()
    return found
