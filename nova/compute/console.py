"""The console log as text."""

import re

MAX_BYTES = 100 * 1024

# Everything below space but newline and tab, and the C1 range; escape sequences as a whole.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console_text(raw: bytes, tail_lines: int | None) -> str:
    """Return the newest lines, oldest first; all when tail_lines is None or negative."""
    text = raw[-MAX_BYTES:].decode("utf-8", errors="replace").replace("\r\n", "\n")
    clean = _CONTROLS.sub("", _ESCAPES.sub("", text))
    if tail_lines is None or tail_lines < 0:
        return clean
    lines = clean.splitlines(keepends=True)
    return "".join(lines[len(lines) - min(tail_lines, len(lines)) :])
