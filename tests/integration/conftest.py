"""Order and grouping of integration tests; the package of the tools is made importable.

It is run from its directory and never installed.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

# Files begin in this order, for the longest ones would else keep one process waiting at the end.
LONG_ONES = (
    "test_libvirt.py",
    "test_real_cloud.py",
    "test_failures.py",
    "test_openstack_client.py",
)
# These run their own RabbitMQ on the same ports.
SAME_PORTS = ("test_real_cloud.py", "test_failures.py")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of a file in one process, where they share a cloud."""
    name = item.path.name
    item.add_marker(pytest.mark.xdist_group("own broker" if name in SAME_PORTS else name))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, and else keep the order."""
    items.sort(key=lambda item: _rank(item.path.name))


def _rank(name: str) -> int:
    return LONG_ONES.index(name) if name in LONG_ONES else len(LONG_ONES)
