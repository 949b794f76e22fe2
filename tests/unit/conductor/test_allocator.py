"""Addresses and networks are given once, on a SQLite file with real parallelism."""

import pytest

from nova.db.engine import Database, DatabaseSettings
from nova.db.tables import metadata
from tests.fixtures.allocator import VLAN_SETTINGS, Crowd, Newcomers, in_parallel
from tests.fixtures.conductor import make_conductor, seed_network


@pytest.fixture
def database(tmp_path):
    """Return a database in a file."""
    found = Database(DatabaseSettings(connection=f"sqlite:///{tmp_path}/nova.sqlite"))
    with found.transaction() as tx:
        metadata.create_all(tx)
    yield found
    found.close()


def test_net_10_many_servers_at_once_share_a_small_network(database):
    network = seed_network(make_conductor(db=database), cidr="10.0.0.0/28")
    crowd = Crowd(database, network, seed=1)
    in_parallel(20, crowd.run)
    crowd.assert_agreed()
    assert crowd.held and crowd.refused


def test_net_13_projects_that_come_at_once_get_a_network_each(database):
    conductor = make_conductor(db=database, settings=VLAN_SETTINGS)
    seed_network(conductor, cidr="10.0.0.0/20", bridge=None, num_networks=4)
    newcomers = Newcomers(database, projects=6)
    given = in_parallel(12, newcomers.run)
    owners = newcomers.owners()
    assert len(owners) == len(set(owners)) == 4
    assert given.count(True) == 8
