"""Tables for people, JSON for programs."""

import dataclasses
import json
import os
import sys
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command found or did.

    columns and rows make a table; message is a sentence below it or instead of it.
    document is what --json prints; without one it is made of the rows.
    exit_code is what the program ends with; above 0 for what is found, not for errors.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    message: str = ""
    document: Any = None
    exit_code: int = 0


def render(result: Result, *, as_json: bool) -> str:
    """Return the text to print, without a final newline."""
    if as_json:
        return json.dumps(_document(result), indent=2, default=str)
    parts = [_table(result.columns, result.rows)] if result.rows else []
    if result.message:
        parts.append(result.message)
    return "\n".join(parts)


def show(text: str) -> None:
    """Print a text, if it is not empty; a reader that has ended, as head does, is no error."""
    if not text:
        return
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is left would be written once more, and complained of, when the program ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _document(result: Result) -> Any:
    if result.document is not None:
        return result.document
    if result.columns:
        keys = [column.lower().replace(" ", "_") for column in result.columns]
        return [dict(zip(keys, row, strict=True)) for row in result.rows]
    return {"message": result.message}


def _table(columns: tuple[str, ...], rows: tuple[tuple[Any, ...], ...]) -> str:
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [
        max(len(column), *(len(row[index]) for row in texts))
        for index, column in enumerate(columns)
    ]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    body = [_line(row, widths) for row in texts]
    return "\n".join([rule, _line(list(columns), widths), rule, *body, rule])


def _line(cells: list[str], widths: list[int]) -> str:
    padded = (f" {cell.ljust(width)} " for cell, width in zip(cells, widths, strict=True))
    return "|" + "|".join(padded) + "|"


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
