import pytest

from nova.api.openstack.rate_limits import MAX_BUCKETS, Buckets, cost_of
from nova.api.settings import ApiSettings
from nova.rpc.local import LocalBus
from tests.fixtures.conductor_stub import StubInstances
from tests.fixtures.rest import OTHER_PROJECT, Rest, make_rest_app
from tests.fixtures.time import frozen_clock

__all__ = ["frozen_clock"]


@pytest.fixture
def limited(frozen_clock):
    """Return a function that makes a client of an API with limits."""

    def make(**limits):
        bus = LocalBus()
        bus.serve("conductor", "controller", [StubInstances()]).start()
        settings = ApiSettings(auth_strategy="noauth2", **limits)
        return Rest(make_rest_app(bus, settings=settings))

    return make


@pytest.mark.parametrize(
    ("method", "path", "units"),
    [
        ("GET", "/v2.1/servers", 1),
        ("GET", "/v2.1/servers/detail", 2),
        ("POST", "/v2.1/servers", 10),
        ("POST", "/v2.1/abc/servers/", 10),
        ("POST", "/v2.1/servers/x/action", 5),
        ("POST", "/v2.1/os-keypairs", 3),
        ("PUT", "/v2.1/servers/x", 3),
        ("DELETE", "/v2.1/servers/x", 3),
        ("POST", "/v2/os-volumes_boot", 10),
        ("POST", "/v1.1/os-volumes_boot/1/action", 5),
    ],
)
def test_in_16_expensive_requests_weigh_more(method, path, units):
    assert cost_of(method, path) == units


def test_in_16_project_beyond_its_rate_is_told_when_to_come_back(limited, frozen_clock):
    rest = limited(rate_limit_per_project=60)
    for _ in range(60):
        assert rest.get("/extensions").status_int == 200
    answer = rest.get("/extensions")
    assert answer.status_int == 429
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["overLimit"]["retryAfter"] == "1"
    assert rest.delete("/os-keypairs/x").headers["Retry-After"] == "3"
    frozen_clock.advance(1)
    assert rest.get("/extensions").status_int == 200
    assert rest.get("/extensions").status_int == 429


def test_in_16_projects_do_not_spend_each_others_units(limited):
    rest = limited(rate_limit_per_project=1)
    assert rest.get("/extensions").status_int == 200
    assert rest.get("/extensions").status_int == 429
    assert rest.as_user("bob", OTHER_PROJECT).get("/extensions").status_int == 200


def test_in_16_requests_with_wrong_tokens_are_limited_by_address(limited):
    rest = limited(rate_limit_per_source=5)
    statuses = [rest.get("/servers", X_Auth_Token="").status_int for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3


def test_without_limits_nothing_is_refused(limited):
    rest = limited()
    assert {rest.get("/extensions").status_int for _ in range(200)} == {200}


def test_a_request_that_costs_more_than_the_whole_bucket_passes_when_it_is_full(frozen_clock):
    buckets = Buckets(5)
    assert buckets.take("a", 10) == 0
    assert buckets.take("a", 1) > 0


def test_number_of_buckets_is_bounded(frozen_clock):
    buckets = Buckets(60)
    for number in range(MAX_BUCKETS + 10):
        buckets.take(str(number), 1)
    assert len(buckets._buckets) == MAX_BUCKETS
