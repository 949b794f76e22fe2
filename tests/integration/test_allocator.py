"""Addresses and networks are given once, whatever happens at the same time.

On MariaDB, PostgreSQL and a SQLite file.
"""

import os

import pytest
import sqlalchemy as sa

from nova.db import migrations_api
from nova.db.engine import Database, DatabaseSettings
from tests.fixtures.allocator import VLAN_SETTINGS, Crowd, Newcomers, in_parallel
from tests.fixtures.conductor import make_conductor, seed_network

pytestmark = pytest.mark.integration

SERVERS = {"mysql": "NOVA_TEST_MYSQL_URL", "postgresql": "NOVA_TEST_POSTGRESQL_URL"}


def _url(kind, tmp_path):
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/nova.sqlite"
    url = os.environ.get(SERVERS[kind])
    if not url:
        pytest.skip(f"{SERVERS[kind]} is not set")
    return url


def _drop_all(database):
    with database.transaction() as tx:
        found = sa.MetaData()
        found.reflect(tx)
        found.drop_all(tx)


@pytest.fixture(params=["sqlite", *SERVERS])
def database(request, tmp_path):
    """Return a database at the newest schema."""
    found = Database(DatabaseSettings(connection=_url(request.param, tmp_path)))
    _drop_all(found)
    migrations_api.sync_database(found)
    yield found
    _drop_all(found)
    found.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_net_10_a_hundred_servers_at_once_share_a_network(database, seed):
    network = seed_network(make_conductor(db=database), cidr="10.0.0.0/24")
    crowd = Crowd(database, network, seed)
    in_parallel(100, crowd.run)
    crowd.assert_agreed()
    assert crowd.held


def test_net_10_a_network_that_is_too_small_for_all_loses_no_address(database):
    network = seed_network(make_conductor(db=database), cidr="10.0.0.0/27")
    crowd = Crowd(database, network, seed=7)
    in_parallel(100, crowd.run)
    crowd.assert_agreed()
    assert crowd.refused
    # Of 32 addresses four are special, one of them the host's own.
    assert len(crowd.held) <= 28


def test_net_13_projects_that_come_at_once_get_a_network_each(database):
    conductor = make_conductor(db=database, settings=VLAN_SETTINGS)
    seed_network(conductor, cidr="10.0.0.0/16", bridge=None, num_networks=8)
    newcomers = Newcomers(database, projects=12)
    given = in_parallel(36, newcomers.run)
    owners = newcomers.owners()
    assert len(owners) == len(set(owners)) == 8
    assert given.count(True) == 24
