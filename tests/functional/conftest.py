import pytest

from tests.fixtures.cloud import make_cloud
from tests.fixtures.consoles import new_console_site
from tests.fixtures.time import frozen_clock

__all__ = ["frozen_clock", "new_console_site"]


@pytest.fixture
def new_cloud(frozen_clock):
    """Return the function that makes clouds; it closes them at the end."""
    made = []

    def make(hosts=2, **changes):
        made.append(make_cloud(frozen_clock, hosts, **changes))
        return made[-1]

    yield make
    for cloud in made:
        cloud.close()


@pytest.fixture
def cloud(new_cloud):
    """Return a cloud of two hosts."""
    return new_cloud()
