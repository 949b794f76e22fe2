"""Configuration files of oslo.config's format."""

import os
from collections.abc import Mapping
from pathlib import Path

Sections = Mapping[str, Mapping[str, str]]


def render(sections: Sections) -> str:
    """Return the text of a file; a section without options is left out."""
    parts = []
    for section, options in sections.items():
        if options:
            lines = "".join(f"{name} = {value}\n" for name, value in options.items())
            parts.append(f"[{section}]\n{lines}")
    return "\n".join(parts)


def write(path: Path, sections: Sections, mode: int = 0o640) -> bool:
    """Write a file that is never readable by others, not even for a moment.

    Return whether it changed.
    """
    text = render(sections)
    if path.exists() and path.read_text() == text:
        return False
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    fresh.replace(path)
    return True
