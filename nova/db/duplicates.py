"""What becomes of rows that are there already."""

import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import IntegrityError


class Repeat(Exception):
    """Asks for the whole transaction to be repeated: with new random values, or a new reading."""


@contextlib.contextmanager
def refused_as(error: Exception) -> Iterator[None]:
    """Raise an error of ours in place of the database's when a unique value is taken."""
    try:
        yield
    except IntegrityError as cause:
        raise error from cause
