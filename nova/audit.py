"""The record of what administrators change: one JSON object on one line for each change.

On one line, so that nothing that a caller sends can look like another record.
Source: security-checklist AZ-12.
"""

import dataclasses
import json
import logging
import logging.handlers
import os
from collections.abc import Sequence

from nova import clock

LOG = logging.getLogger("nova.audit")

_LONGEST_TEXT = 512


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who did what, from where, with what outcome.

    status: of HTTP, or the exit code where method is "nova-manage".
    """

    user_id: str | None
    user_name: str | None
    project_id: str | None
    roles: Sequence[str]
    source: str | None
    method: str
    path: str
    action: str
    request_id: str | None
    status: int


def record(change: Change) -> None:
    """Write the record of a change, its texts cut to a bearable length."""
    fields = {
        "time": clock.utcnow().isoformat(timespec="milliseconds") + "Z",
        **{field.name: _short(getattr(change, field.name)) for field in dataclasses.fields(change)},
    }
    LOG.info("%s", json.dumps(fields))


def write_to(path: str) -> None:
    """Write records to a file as well, which others than its owner and group can not read.

    A file that is moved away is made anew.  A second call for the same file does nothing.
    """
    path = os.path.abspath(path)
    if any(getattr(handler, "baseFilename", None) == path for handler in LOG.handlers):
        return
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640))
    handler = logging.handlers.WatchedFileHandler(path)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)


def _short(value: object) -> object:
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    return [_short(item) for item in value] if isinstance(value, (list, tuple)) else value
