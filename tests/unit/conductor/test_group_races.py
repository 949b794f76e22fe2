"""Security groups under requests that come at once, on a SQLite file with real parallelism."""

import pytest

from nova.db.engine import Database, DatabaseSettings
from nova.db.tables import metadata
from tests.fixtures.allocator import in_parallel
from tests.fixtures.conductor import make_conductor, seed_network
from tests.fixtures.group_members import fill_group
from tests.fixtures.group_races import GroupRaces


@pytest.fixture
def races(tmp_path):
    """Return the groups of a database in a file."""
    database = Database(DatabaseSettings(connection=f"sqlite:///{tmp_path}/nova.sqlite"))
    with database.transaction() as tx:
        metadata.create_all(tx)
    seed_network(make_conductor(db=database))
    yield GroupRaces(database)
    database.close()


def test_first_uses_at_once_make_one_default_group(races):
    in_parallel(8, races.use_first)
    assert races.defaults() == 1


def test_group_that_is_deleted_while_a_server_joins_leaves_no_membership(races):
    (server,) = fill_group(races.db, races.make("first").id, ("host1",), members=1)
    for number in range(6):
        group = races.make(f"race-{number}")

        def either(turn, group=group):
            return races.delete(group) if turn else races.join(server, group.name)

        joined, deleted = in_parallel(2, either)
        assert joined != deleted
    assert races.dangling() == 0
