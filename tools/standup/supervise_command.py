"""Run a process supervisor for one directory, in the foreground."""

from pathlib import Path

from standup.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Serve the directory named by the only argument."""
    Supervisor(Path(arguments[0])).run()
    return 0
