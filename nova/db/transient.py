"""Tells errors that a repeat of the transaction cures from those that it does not."""

from sqlalchemy.exc import DBAPIError

from nova.db.duplicates import Repeat
from nova.exception import DatabaseUnavailable

# Source: MariaDB and MySQL error codes (lock wait timeout, deadlock, record changed since last
# read, connection lost in several ways, server shutting down, too many connections).
_MYSQL = {1205, 1213, 1020, 2006, 2013, 2014, 2055, 1053, 1040, 2003}
# Source: PostgreSQL appendix A: serialization failure, deadlock, lock not available, connection
# errors, shutdown, too many connections.
_POSTGRESQL = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"}
_SQLITE = ("database is locked", "database table is locked", "database schema is locked")


def is_transient(error: DBAPIError | Repeat | DatabaseUnavailable) -> bool:
    """Tell whether the transaction that failed may succeed when repeated."""
    if isinstance(error, Repeat | DatabaseUnavailable):
        return True
    if error.connection_invalidated:
        return True
    cause = error.orig
    if cause is None:
        return False
    state = getattr(cause, "pgcode", None)
    if state is not None:
        return state in _POSTGRESQL or str(state).startswith("08")
    if cause.args and isinstance(cause.args[0], int):
        return cause.args[0] in _MYSQL
    return any(text in str(cause) for text in _SQLITE)
