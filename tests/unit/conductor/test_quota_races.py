"""Quotas of networking under requests that come at once, on a SQLite file."""

import pytest

from nova.db.engine import Database, DatabaseSettings
from nova.db.tables import metadata
from tests.fixtures.quota_races import ACCEPTED, QuotaRaces


@pytest.fixture
def races(tmp_path):
    """Return the requests to a conductor with a database in a file."""
    database = Database(DatabaseSettings(connection=f"sqlite:///{tmp_path}/nova.sqlite"))
    with database.transaction() as tx:
        metadata.create_all(tx)
    yield QuotaRaces(database)
    database.close()


@pytest.mark.parametrize("what", ACCEPTED)
def test_in_10_parallel_requests_end_at_the_quota(races, what):
    assert races.accepted(what) == ACCEPTED[what]
