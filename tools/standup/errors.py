"""What can go wrong while the world around nova is put up."""

from pathlib import Path


class StandupError(Exception):
    """A step cannot be done; the text says which and why, for the person at the terminal."""

    def __init__(self, why: str, log: Path | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.log = log
        self.shown = False


class CommandFailed(StandupError):
    """A program ended with a status other than 0."""
