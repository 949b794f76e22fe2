"""Column types that behave alike on all databases."""

import functools
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from nova.rpc import codec


def moment() -> sa.types.TypeEngine[Any]:
    """Return the type of times: UTC without zone, in microseconds."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def long_text() -> sa.types.TypeEngine[Any]:
    """Return the type of texts up to 16 MiB."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


_SHARED_LENGTH = 1024


def _decode(text: str, hint: Any) -> Any:
    return codec.decode(json.loads(text), hint)


_decode_once = functools.lru_cache(maxsize=512)(_decode)


class Value(sa.TypeDecorator[Any]):
    """A value of a type that the wire codec knows, stored as JSON text.

    shared: rows with the same short text share one value, which nobody may change.  For what
    many rows have alike, such as the flavors of a page of servers.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, hint: Any, shared: bool = False) -> None:
        super().__init__()
        self.hint = hint
        self.shared = shared

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the text type of the database."""
        return dialect.type_descriptor(long_text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Encode a value to be stored; None stays NULL."""
        if value is None:
            return None
        return json.dumps(codec.encode(value, self.hint), separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Decode a stored value."""
        if value is None:
            return None
        once = self.shared and len(value) <= _SHARED_LENGTH
        return (_decode_once if once else _decode)(value, self.hint)


class Word(sa.TypeDecorator[Any]):
    """A member of a string enumeration, stored as its value."""

    impl = sa.String
    cache_ok = True

    def __init__(self, kind: type) -> None:
        super().__init__(36)
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Return the text of a member."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Return the member of a text."""
        return None if value is None else self.kind(value)
