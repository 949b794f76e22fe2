"""Search texts of users, turned into LIKE patterns; no regular expression reaches the database."""

from typing import Any

import sqlalchemy as sa

ESCAPE = "\\"


def like_pattern(text: str) -> str:
    """Return the LIKE pattern of a search text.

    A leading ^ and a trailing $ tie the text to the start and the end, .* stands for
    anything, and everything else for itself.
    """
    start = "" if text.startswith("^") else "%"
    end = "" if text.endswith("$") else "%"
    body = text.removeprefix("^").removesuffix("$")
    return start + "%".join(_escape(part) for part in body.split(".*")) + end


def matches(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column matches a search text, in any case."""
    return sa.cast(column, sa.String(255)).ilike(like_pattern(text), escape=ESCAPE)


def starts_with(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column begins with a search text; the text may be tied."""
    pattern = like_pattern("^" + text.removeprefix("^"))
    return column.like(pattern, escape=ESCAPE)


def _escape(text: str) -> str:
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text
