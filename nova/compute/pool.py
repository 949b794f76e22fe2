"""What the parts of nova-compute run beside their callers with."""

from collections.abc import Callable
from typing import Any, Protocol


class Pool(Protocol):
    """Runs functions beside the caller."""

    def spawn(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function soon."""
