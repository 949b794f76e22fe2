"""Client tokens in requests that come at once, on a SQLite file with real parallelism."""

from nova.db.engine import Database, DatabaseSettings
from nova.db.tables import metadata
from tests.fixtures.conductor import make_conductor, seed_flavor, seed_network
from tests.fixtures.token_races import created_at_once


def test_equal_requests_at_once_make_the_servers_of_one(tmp_path):
    database = Database(DatabaseSettings(connection=f"sqlite:///{tmp_path}/nova.sqlite"))
    with database.transaction() as tx:
        metadata.create_all(tx)
    conductor = make_conductor(db=database)
    seed_flavor(conductor)
    seed_network(conductor)
    answers = created_at_once(conductor)
    assert len({(one.reservation_id, one.instance_uuids) for one in answers}) == 1
    assert len(answers[0].instance_uuids) == 1
    database.close()
