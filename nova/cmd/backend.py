"""Chooses eventlet or native threads; imports nothing that would have to be patched.

Call choose() before anything else of the project is imported.
"""

import os
import pathlib
import warnings
from collections.abc import Iterator, Sequence

EVENTLET = "eventlet"
THREADS = "threads"

_ENVIRONMENT = "OS_DEFAULT__CONCURRENCY"
_PLACES = ("~/.nova", "~", "/etc/nova", "/etc")


def choose(argv: Sequence[str], prog: str) -> str:
    """Patch the standard library if the configuration says so; return the choice."""
    found = os.environ.get(_ENVIRONMENT) or configured(config_files(argv, prog)) or EVENTLET
    hide_eventlet_warning()
    if found == EVENTLET:
        patch()
    return found


def hide_eventlet_warning() -> None:
    """Keep from users what libraries say about eventlet; it is the developers' affair."""
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")


def patch() -> None:
    """Make the standard library of this process green."""
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    import eventlet

    eventlet.monkey_patch()


def config_files(argv: Sequence[str], prog: str) -> list[str]:
    """Return the files that oslo.config will read, in its order."""
    files = list(_values(argv, "--config-file"))
    folders = list(_values(argv, "--config-dir"))
    names = ("nova", prog)
    files = files or list(_first_of(f"{name}.conf" for name in names))
    folders = folders or list(_first_of(f"{name}.conf.d" for name in names))
    for folder in folders:
        files += sorted(str(path) for path in pathlib.Path(folder).glob("*.conf"))
    return files


def configured(files: Sequence[str]) -> str | None:
    """Return the last value of [DEFAULT] concurrency; unreadable files are not judged here."""
    value = None
    for name in files:
        try:
            text = pathlib.Path(name).expanduser().read_text(errors="replace")
        except OSError:
            continue
        section = "DEFAULT"
        for line in map(str.strip, text.splitlines()):
            if line.startswith("[") and line.endswith("]"):
                section = line[1:-1]
            key, separator, rest = line.partition("=")
            if separator and section == "DEFAULT" and key.strip() == "concurrency":
                value = rest.strip()
    return value


def _values(argv: Sequence[str], option: str) -> Iterator[str]:
    for position, word in enumerate(argv):
        if word == option and position + 1 < len(argv):
            yield argv[position + 1]
        elif word.startswith(f"{option}="):
            yield word.partition("=")[2]


def _first_of(names: Iterator[str]) -> Iterator[str]:
    for name in names:
        for place in _PLACES:
            path = pathlib.Path(place).expanduser() / name
            if os.path.exists(path):
                yield str(path)
                break
