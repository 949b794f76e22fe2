"""The logs of a cloud, by name."""

from pathlib import Path

from standup.errors import StandupError
from standup.settings import Settings

SERVERS = ("rabbitmq", "mysql", "postgresql", "keystone", "glance")


def by_name(settings: Settings) -> dict[str, Path]:
    """Return all logs; those of a compute host's daemons have the host in their names."""
    daemons = {
        str(file.relative_to(settings.logs).with_suffix("")): file
        for file in sorted(settings.logs.rglob("*.log"))
    }
    servers = {
        name if file.stem == name else f"{name}-{file.stem}": file
        for name in SERVERS
        for file in sorted((settings.state / name).glob("*.log"))
    }
    return daemons | servers


def matching(settings: Settings, daemon: str) -> list[Path]:
    """Return the logs of a daemon, of every host unless one is named.

    Raises: StandupError if there is none.
    """
    logs = by_name(settings)
    found = [file for name, file in logs.items() if daemon in (name, name.rsplit("/", 1)[-1])]
    if not found:
        raise StandupError(f"there is no log of {daemon}; there are: {', '.join(logs)}")
    return found
