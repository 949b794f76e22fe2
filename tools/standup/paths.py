"""Where things live unless told otherwise."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TOOLS = CHECKOUT / "tools"


def default_state() -> Path:
    """Return the directory of everything the quick start makes."""
    return Path("/var/lib/nova-quickstart")


def default_cache() -> Path:
    """Return the directory of what is worth keeping.

    Virtual environments, packages, the guest image.
    """
    if os.geteuid() == 0:
        return Path("/var/cache/nova-quickstart")
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nova-quickstart"
