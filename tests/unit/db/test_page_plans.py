"""Pages of servers are found by indexes, the last one like the first."""

import dataclasses

import pytest

from tests.fixtures.conductor import make_database
from tests.fixtures.page_plans import QUERIES, assert_found_by_index, fill, plan


@pytest.fixture(scope="module")
def filled():
    database = make_database()
    yield database, fill(database)
    database.close()


@pytest.mark.parametrize("name", QUERIES)
def test_in_06_a_page_is_found_by_an_index_in_order(filled, name):
    database, _ = filled
    assert_found_by_index(plan(database, QUERIES[name]))


@pytest.mark.parametrize("name", ["project", "all", "status", "host"])
def test_in_06_a_late_page_begins_where_its_marker_is(filled, name):
    database, uuids = filled
    query = dataclasses.replace(QUERIES[name], marker=uuids[-100])
    text = plan(database, query)
    assert_found_by_index(text)
    assert "created_at<?" in text
