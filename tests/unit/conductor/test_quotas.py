"""Quotas: limits, claims at creation, and usage over time."""

import datetime

import pytest

from nova.conductor.quotas import overlap_hours
from nova.conductor.rpcapi.keypairs import ConductorKeypairs
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import (
    InjectedFileLimitExceeded,
    Invalid,
    KeypairExists,
    KeypairNotFound,
    MetadataLimitExceeded,
    QuotaExceeded,
    QuotaLimitOutOfRange,
    QuotaResourceUnknown,
    TooManyInstances,
)
from nova.objects.instance import InjectedFile
from nova.objects.keypair import NewKeypair
from nova.objects.quota import UsageQuery
from tests.fixtures.conductor import (
    ANYBODY,
    PROJECT,
    USER,
    make_conductor,
    make_site,
    user_context,
)

ADMIN = get_admin_context()


@pytest.fixture
def site():
    return make_site()


@pytest.fixture
def quotas(site):
    return site.conductor.bus.client(ConductorQuotas).anyone()


def test_in_09_one_over_the_limit_is_refused_with_the_numbers(site, quotas):
    quotas.update(ADMIN, PROJECT, {"instances": 2, "cores": 1})
    site.conductor.create()
    with pytest.raises(TooManyInstances) as caught:
        site.conductor.create()
    assert str(caught.value) == (
        "Quota exceeded for cores: Requested 1, but already used 1 of 1 cores"
    )
    assert quotas.get(ADMIN, PROJECT).in_use("instances") == 1


def test_in_09_as_many_as_fit_between_min_and_max(site, quotas):
    quotas.update(ADMIN, PROJECT, {"instances": 5})
    assert len(site.conductor.create(min_count=2, max_count=9)) == 5
    with pytest.raises(TooManyInstances):
        site.conductor.create(min_count=1, max_count=3)
    assert quotas.get(ADMIN, PROJECT).in_use("cores") == 5


def test_in_09_servers_that_can_not_fit_are_never_stored(site, quotas):
    quotas.update(ADMIN, PROJECT, {"instances": 5})
    site.conductor.counter.take()
    assert len(site.conductor.create(min_count=1, max_count=20_000)) == 5
    inserts = [text for text in site.conductor.counter.take() if "INTO instances " in text]
    assert len(inserts) == 1


def test_in_09_one_request_is_bounded_without_quota():
    conductor = make_site(settings=ConductorSettings(max_servers_per_request=3)).conductor
    unlimited = {"instances": -1, "cores": -1, "ram": -1}
    conductor.bus.client(ConductorQuotas).anyone().update(ADMIN, PROJECT, unlimited)
    with pytest.raises(Invalid, match="At most 3 servers"):
        conductor.create(min_count=4, max_count=2**31 - 1)
    assert len(conductor.create(min_count=1, max_count=2**31 - 1)) == 3


def test_in_09_a_users_own_limit_counts_within_the_projects(site, quotas):
    site.conductor.create(user_id="other")
    quotas.update(ADMIN, PROJECT, {"instances": 1}, user_id=USER)
    site.conductor.create()
    with pytest.raises(TooManyInstances):
        site.conductor.create()
    site.conductor.create(user_id="other")
    assert quotas.get(ADMIN, PROJECT, USER).in_use("instances") == 1
    assert quotas.get(ADMIN, PROJECT).in_use("instances") == 3


def test_unlimited_is_minus_one(site, quotas):
    quotas.update(ADMIN, PROJECT, {"instances": -1, "cores": -1, "ram": -1})
    assert len(site.conductor.create(min_count=12, max_count=12)) == 12


def test_deleting_frees_the_quota(site, quotas):
    (uuid,) = site.conductor.create()
    site.scheduler.hosts = []
    (failed,) = site.conductor.create()
    site.conductor.instances.begin_action(user_context(), ANYBODY, failed, "delete")
    used = quotas.get(ADMIN, PROJECT)
    assert (used.in_use("instances"), used.in_use("ram")) == (1, 512)
    assert site.conductor.get(uuid).host == "host1"


def test_limits_go_from_user_to_project_to_class_to_option(quotas):
    assert quotas.get(ADMIN, PROJECT).limit("ram") == 51200
    quotas.update_defaults(ADMIN, {"ram": 4000})
    assert quotas.get(ADMIN, PROJECT).limit("ram") == 4000
    quotas.update(ADMIN, PROJECT, {"ram": 3000})
    quotas.update(ADMIN, PROJECT, {"ram": 2000}, user_id=USER)
    assert quotas.get(ADMIN, PROJECT).limit("ram") == 3000
    assert quotas.get(ADMIN, PROJECT, USER).limit("ram") == 2000
    quotas.delete(ADMIN, PROJECT)
    assert quotas.get(ADMIN, PROJECT, USER).limit("ram") == 4000
    assert quotas.get_defaults(ADMIN).limit("ram") == 4000


def test_unfit_limits_are_refused(site, quotas):
    site.conductor.create()
    with pytest.raises(QuotaResourceUnknown):
        quotas.update(ADMIN, PROJECT, {"bananas": 1})
    with pytest.raises(QuotaLimitOutOfRange):
        quotas.update(ADMIN, PROJECT, {"cores": -2})
    with pytest.raises(QuotaLimitOutOfRange):
        quotas.update(ADMIN, PROJECT, {"cores": 0})
    with pytest.raises(QuotaLimitOutOfRange):
        quotas.update(ADMIN, PROJECT, {"cores": 21}, user_id=USER)
    assert quotas.update(ADMIN, PROJECT, {"cores": 0}, force=True).limit("cores") == 0


def test_in_09_metadata_and_files_are_limited(site):
    with pytest.raises(MetadataLimitExceeded):
        site.conductor.create(metadata={str(number): "x" for number in range(129)})
    with pytest.raises(InjectedFileLimitExceeded):
        site.conductor.create(
            injected_files=tuple(InjectedFile(path=f"/{n}", contents="") for n in range(6))
        )
    with pytest.raises(InjectedFileLimitExceeded):
        site.conductor.create(injected_files=(InjectedFile(path="/f", contents="A" * 13700),))
    with pytest.raises(InjectedFileLimitExceeded):
        site.conductor.create(injected_files=(InjectedFile(path="/" * 256, contents=""),))


def test_in_09_key_pairs_are_limited_and_paged():
    conductor = make_conductor(settings=_few_keys())
    keypairs = conductor.bus.client(ConductorKeypairs).anyone()

    def create(name):
        new = NewKeypair(name=name, user_id=USER, public_key="ssh-rsa A", fingerprint="aa")
        return keypairs.create(user_context(), new)

    create("b")
    create("a")
    with pytest.raises(KeypairExists):
        create("a")
    with pytest.raises(QuotaExceeded):
        create("c")
    assert [key.name for key in keypairs.page(ADMIN, USER)] == ["a", "b"]
    assert [key.name for key in keypairs.page(ADMIN, USER, 5, "a")] == ["b"]
    keypairs.delete(ADMIN, USER, "a")
    with pytest.raises(KeypairNotFound):
        keypairs.get(ADMIN, USER, "a")


def _few_keys():
    standard = ConductorSettings()
    return ConductorSettings(quotas=standard.quotas | {"key_pairs": 2})


def test_usage_counts_live_and_deleted_servers(site, quotas):
    server = site.conductor.boot(site.compute)
    start = server.launched_at - datetime.timedelta(hours=1)
    stop = server.launched_at + datetime.timedelta(hours=3)
    (usage,) = quotas.usage(ADMIN, UsageQuery(start=start, stop=stop, project_id=PROJECT))
    assert usage.hours == pytest.approx(3.0)
    assert (usage.state, usage.memory_mb) == ("active", 512)
    assert quotas.usage(ADMIN, UsageQuery(start=start, stop=stop, project_id="other")) == ()


def test_overlap_of_periods():
    noon = datetime.datetime(2026, 1, 1, 12)
    hour = datetime.timedelta(hours=1)
    assert overlap_hours(noon, None, noon - hour, noon + hour) == 1.0
    assert overlap_hours(noon - 5 * hour, noon - hour, noon - 2 * hour, noon) == 1.0
    assert overlap_hours(noon, noon + hour, noon + 2 * hour, noon + 3 * hour) == 0.0
