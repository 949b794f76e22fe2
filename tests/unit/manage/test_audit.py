"""What is done with nova-manage is in the record of administrators' changes."""

import json
import logging

import pytest

from nova.manage.main import COMMANDS
from tests.unit.manage.test_commands import CONF, environment, manage

__all__ = ["environment", "manage"]


def _cores(manage):
    rows = json.loads(manage("quota", "defaults", "--json")[1])
    return next(row["limit"] for row in rows if row["quota"] == "cores")


@pytest.fixture
def records(caplog):
    """Return what was recorded since the last time."""
    caplog.set_level(logging.INFO, "nova.audit")

    def take():
        found = [json.loads(r.getMessage()) for r in caplog.records if r.name == "nova.audit"]
        caplog.clear()
        return found

    return take


def test_az_12_a_change_by_nova_manage_is_recorded_with_its_arguments(manage, records):
    code, *_rest = manage("quota", "update", "--project", "p", "--key", "cores", "--value", "7")
    assert code == 0
    (record,) = records()
    assert (record["method"], record["path"]) == ("nova-manage", "quota update")
    assert (record["action"], record["status"]) == ("key=cores project=p value=7", 0)
    assert record["user_name"] and record["source"] and record["time"].endswith("Z")


def test_az_12_a_refused_change_by_nova_manage_is_recorded_with_its_exit_code(manage, records):
    assert manage("flavor", "delete", "--name", "missing")[0] == 2
    assert [(record["path"], record["status"]) for record in records()] == [("flavor delete", 2)]


def test_az_12_reading_with_nova_manage_is_not_recorded(manage, records):
    for words in (
        ("quota", "defaults"),
        ("flavor", "list"),
        ("project", "quota", "--project", "p"),
    ):
        assert manage(*words)[0] == 0
    assert records() == []
    assert manage("quota", "defaults", "--key", "cores", "--value", "9")[0] == 0
    assert len(records()) == 1


def test_az_12_nothing_changes_where_it_can_not_be_recorded(manage, records, tmp_path):
    CONF.set_override("audit_log_file", str(tmp_path / "missing" / "audit.log"), "api")
    try:
        code, _out, err = manage("quota", "defaults", "--key", "cores", "--value", "9")
    finally:
        CONF.clear_override("audit_log_file", "api")
    assert code == 2
    assert "audit_log_file can not be written" in err
    assert _cores(manage) == 20
    assert [record["status"] for record in records()] == [2]


def test_az_12_commands_that_only_read_are_these():
    reading = {f"{c.category} {c.name}" for c in COMMANDS if c.changes.__name__ == "never"}
    assert reading == {
        "api spec",
        "db version",
        "firewall list",
        "fixed list",
        "flavor list",
        "floating list",
        "network list",
        "network show-path",
        "quota show",
        "server explain",
        "service list",
    }
