"""Migrations and models, connections, repeats of transactions."""

import json

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from nova.db import migrations_api, schema, search, tables
from nova.db.columns import Value
from nova.db.duplicates import Repeat
from nova.db.engine import Database, DatabaseSettings, parse_url, retried
from nova.exception import ConfigurationError
from tests.fixtures.schema import downgrade, insert, insert_server


@pytest.fixture
def database():
    return Database(DatabaseSettings(connection="sqlite://"), sleep=lambda seconds: None)


def test_migrations_make_what_the_models_say(database):
    migrations_api.sync_database(database)
    with database.transaction() as tx:
        assert _differences(tx) == []
        assert migrations_api.current(tx) == migrations_api.newest()


def _differences(tx):
    options = {"compare_type": True, "target_metadata": tables.metadata}
    context = MigrationContext.configure(tx, opts=options)
    return compare_metadata(context, tables.metadata)


def test_sync_and_version_of_a_file(tmp_path):
    url = f"sqlite:///{tmp_path}/nova.sqlite"
    assert migrations_api.version(url) is None
    assert migrations_api.sync(url) == migrations_api.newest()
    assert migrations_api.sync(url) == migrations_api.version(url)
    with pytest.raises(ConfigurationError):
        migrations_api.sync(url, "no-such-version")


def test_daemons_need_the_newest_revision(database):
    assert migrations_api.newest() == schema.NEWEST
    with database.reading() as tx:
        assert schema.current(tx) is None
    migrations_api.sync_database(database)
    with database.reading() as tx:
        assert schema.current(tx) == schema.NEWEST


def test_row_ids_are_not_used_again(database):
    migrations_api.sync_database(database)
    row = {"name": "a", "flavorid": "a"}
    with database.transaction() as tx:
        first = tx.execute(sa.insert(tables.flavors).values(**row)).inserted_primary_key[0]
        tx.execute(sa.delete(tables.flavors))
        second = tx.execute(sa.insert(tables.flavors).values(**row)).inserted_primary_key[0]
    assert second > first


def _servers(tx):
    found = sa.Table("instances", sa.MetaData(), autoload_with=tx)
    return [dict(row) for row in tx.execute(sa.select(found).order_by(found.c.id)).mappings()]


@pytest.mark.parametrize("past", ["0002", "0003"])
def test_servers_keep_their_numbers_when_the_schema_goes_forward_and_back(database, past):
    migrations_api.sync_database(database, past)
    with database.transaction() as tx:
        for number in (1, 2, 3):
            assert insert_server(tx, number, "one") == number
        # Its number stays in deleted_instances, where no second one may come.
        tx.execute(sa.text("DELETE FROM instances WHERE id = 3"))
        before = _servers(tx)
    migrations_api.sync_database(database)
    with database.transaction() as tx:
        assert {server["console_generation"] for server in _servers(tx)} == {0}
        assert insert_server(tx, 4, "one") == 4
        tx.execute(sa.text("DELETE FROM instances WHERE id = 4"))
        moment = before[0]["created_at"]
        insert(tx, "certificates", user_id="u", project_id="p", file_name="f", certificate="PEM",
               created_at=moment)  # fmt: skip
    downgrade(database, "0003")
    with database.transaction() as tx:
        assert "certificates" not in sa.inspect(tx).get_table_names()
        assert insert_server(tx, 5, "one") == 5
        tx.execute(sa.text("DELETE FROM instances WHERE id = 5"))
        kept = _servers(tx)[0]
    assert kept == {name: before[0][name] for name in kept}
    migrations_api.sync_database(database)
    with database.transaction() as tx:
        assert insert_server(tx, 6, "one") == 6
        assert _differences(tx) == []


class _Work:
    def __init__(self, db, failures):
        self.db = db
        self.failures = failures
        self.runs = 0

    @retried
    def run(self):
        self.runs += 1
        if self.failures:
            raise self.failures.pop()
        return "done"


def _error(*args):
    cause = Exception(*args)
    return sa.exc.OperationalError("UPDATE t", {}, cause)


@pytest.mark.parametrize(
    "error",
    [
        _error(1213, "Deadlock found"),
        _error(1205, "Lock wait timeout"),
        _error(2013, "Lost connection"),
        _error("database is locked"),
        Repeat(),
    ],
)
def test_transactions_are_repeated_after_errors_that_pass(database, error):
    work = _Work(database, [error, error])
    assert work.run() == "done"
    assert work.runs == 3


def test_transactions_are_not_repeated_after_other_errors(database):
    work = _Work(database, [_error(1064, "syntax"), _error("no such table")])
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError):
            work.run()
    assert work.runs == 2


def test_repeats_have_an_end(database):
    work = _Work(database, [Repeat() for _ in range(100)])
    with pytest.raises(Repeat):
        work.run()
    assert work.runs == 1 + database.settings.max_retries


def test_a_failed_transaction_leaves_nothing(database):
    migrations_api.sync_database(database)
    with pytest.raises(ValueError, match="stop"), database.transaction() as tx:
        tx.execute(sa.insert(tables.flavors).values(name="a", flavorid="a"))
        raise ValueError("stop")
    with database.reading() as tx:
        assert tx.execute(sa.select(tables.flavors)).all() == []


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/db", "mssql://host/db"])
def test_unusable_addresses_are_configuration_errors(url):
    with pytest.raises(ConfigurationError):
        parse_url(url)


def test_plain_names_of_databases_get_the_supported_drivers():
    assert parse_url("mysql://u:p@h/n").drivername == "mysql+pymysql"
    assert parse_url("postgresql://u@h/n").drivername == "postgresql+psycopg2"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("web", "%web%"),
        ("^web", "web%"),
        ("web$", "%web"),
        ("^web$", "web"),
        ("a.*b", "%a%b%"),
        ("50%_\\", "%50\\%\\_\\\\%"),
        ("", "%%"),
    ],
)
def test_bus_06_search_texts_become_escaped_patterns(text, pattern):
    assert search.like_pattern(text) == pattern


def test_rows_share_only_short_values_of_columns_that_say_so():
    text = json.dumps({"a": "b"})
    shared, own = Value(dict[str, str], shared=True), Value(dict[str, str])
    assert shared.process_result_value(text, None) is shared.process_result_value(text, None)
    assert own.process_result_value(text, None) is not own.process_result_value(text, None)
    long = json.dumps({"a": "b" * 2000})
    assert shared.process_result_value(long, None) is not shared.process_result_value(long, None)
