"""The conductor on real MariaDB and PostgreSQL, and on a SQLite file, with real parallelism."""

import concurrent.futures
import dataclasses
import datetime
import os
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from nova import clock
from nova.conductor import addresses, grouping, transitions
from nova.conductor.creation import Creation
from nova.conductor.network_plan import Pick
from nova.conductor.rpcapi.aggregates import ConductorAggregates
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.server_groups import ConductorServerGroups
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.db import fixed_ips, floating_ips, instances, migrations_api, networks, quotas, tables
from nova.db.engine import Database, DatabaseSettings, retried
from nova.exception import (
    AggregateZoneConflict,
    GroupPolicyViolated,
    NoMoreFixedIps,
    QuotaExceeded,
    TooManyInstances,
)
from nova.objects.floating_ip import FloatingRange
from nova.objects.instance import InstanceQuery, Scope
from nova.objects.server_group import GroupPolicy, NewServerGroup
from tests.fixtures import page_plans
from tests.fixtures.allocator import in_parallel
from tests.fixtures.conductor import (
    PROJECT,
    USER,
    finish_build,
    make_conductor,
    make_site,
    new_servers,
    progress_of,
    result_of,
    seed_flavor,
    seed_network,
    user_context,
)
from tests.fixtures.group_members import fill_group
from tests.fixtures.group_races import GroupRaces
from tests.fixtures.quota_races import ACCEPTED, QuotaRaces
from tests.fixtures.schema import downgrade, insert, insert_server
from tests.fixtures.token_races import created_at_once

pytestmark = pytest.mark.integration

SERVERS = {"mysql": "NOVA_TEST_MYSQL_URL", "postgresql": "NOVA_TEST_POSTGRESQL_URL"}


def _url(kind, tmp_path):
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/nova.sqlite"
    url = os.environ.get(SERVERS[kind])
    if not url:
        pytest.skip(f"{SERVERS[kind]} is not set")
    return url


@pytest.fixture(params=["sqlite", *SERVERS])
def empty(request, tmp_path):
    """Return a database without tables."""
    database = Database(DatabaseSettings(connection=_url(request.param, tmp_path)))
    _drop_all(database)
    yield database
    _drop_all(database)
    database.close()


def _drop_all(database):
    with database.transaction() as tx:
        found = sa.MetaData()
        found.reflect(tx)
        found.drop_all(tx)


@pytest.fixture
def database(empty):
    """Return a database at the newest schema."""
    migrations_api.sync_database(empty)
    return empty


@pytest.fixture
def site(database):
    return make_site(db=database)


def test_migrations_make_what_the_models_say(empty):
    migrations_api.sync_database(empty)
    with empty.transaction() as tx:
        assert migrations_api.current(tx) == migrations_api.newest()
    assert _differences(empty) == []


def _differences(database):
    """Return where the schema is not what the models say."""
    with database.transaction() as tx:
        options = {"compare_type": True, "target_metadata": tables.metadata}
        context = MigrationContext.configure(tx, opts=options)
        return compare_metadata(context, tables.metadata)


def test_schema_goes_back_and_forward_with_servers_groups_and_ports(empty):
    migrations_api.sync_database(empty, "0002")
    with empty.transaction() as tx:
        for number, project in enumerate(("one", "one", "two"), 1):
            insert_server(tx, number, project, security_groups='["default"]')
        insert(tx, "virtual_interfaces", uuid="vif-1", address="fa:16:3e:00:00:01",
               network_id=1, instance_uuid="server-1")  # fmt: skip
    migrations_api.sync_database(empty)
    assert _defaults(empty) == [("one", "server-1"), ("one", "server-2"), ("two", "server-3")]
    with empty.transaction() as tx:
        insert(tx, "virtual_interfaces", uuid="port", address="fa:16:3e:00:00:02",
               network_id=1, preserved=True, project_id="one")  # fmt: skip
    downgrade(empty, "0002")
    with empty.transaction() as tx:
        server = _rows(tx, "instances")[0]
        assert (server["uuid"], server["security_groups"]) == ("server-1", '["default"]')
        assert [row["uuid"] for row in _rows(tx, "virtual_interfaces")] == ["vif-1"]
        assert "security_groups" not in sa.inspect(tx).get_table_names()
    migrations_api.sync_database(empty)
    assert len(_defaults(empty)) == 3
    assert _differences(empty) == []


def _rows(tx, table):
    found = sa.Table(table, sa.MetaData(), autoload_with=tx)
    return tx.execute(sa.select(found).order_by(found.c.id)).mappings().all()


def _defaults(database):
    """Return the servers that are in the group default of their project."""
    groups, members = tables.security_groups, tables.security_group_instances
    wanted = (
        sa.select(groups.c.project_id, members.c.instance_uuid)
        .join(members, members.c.security_group_id == groups.c.id)
        .where(groups.c.name == "default")
        .order_by(members.c.instance_uuid)
    )
    with database.transaction() as tx:
        return [tuple(row) for row in tx.execute(wanted)]


def test_a_server_lives_and_dies(site):
    conductor = site.conductor
    server = conductor.boot(site.compute, metadata={"a": "b"}, tags=("t",), max_count=1)
    assert server.vifs[0].fixed_ip == "10.0.0.3"
    query = InstanceQuery(scope=Scope(), patterns={"display_name": "^We.*$"}, ip_pattern="10.0.0")
    found = conductor.instances.page(get_admin_context(), query)
    assert [entry.uuid for entry in found] == [server.uuid]
    conductor.instances.begin_action(user_context(), Scope(), server.uuid, "delete")
    conductor.bus.run_until_idle()
    work = site.compute.works[-1]
    conductor.operations.start(get_admin_context(), progress_of(work))
    conductor.operations.finish(get_admin_context(), result_of(work))
    deleted = InstanceQuery(
        scope=Scope(), deleted=None, changes_since=datetime.datetime(2000, 1, 1)
    )
    (gone,) = conductor.instances.page(get_admin_context(), deleted)
    assert gone.deleted
    assert gone.metadata == {"a": "b"}


def test_a_boot_and_a_pull_of_hosts_take_at_most_twenty_six_statements(site):
    conductor = site.conductor
    conductor.boot(site.compute)
    conductor.hosts.hosts_changed_since(get_admin_context(), 0)
    conductor.counter.take()
    conductor.create()
    conductor.hosts.hosts_changed_since(get_admin_context(), 1)
    finish_build(conductor, site.compute.works[-1])
    statements = conductor.counter.take()
    assert len(statements) <= 26, "\n".join(statements)


def test_many_servers_of_one_request(site):
    conductor = site.conductor
    quota = {"instances": 100, "cores": 100, "ram": 10**6}
    with conductor.db.transaction() as tx:
        quotas.set_limits(tx, PROJECT, quota)
    uuids = conductor.create(min_count=12, max_count=12)
    assert len(uuids) == 12
    for compute in site.computes.values():
        for work in compute.works:
            finish_build(conductor, work)
    page = conductor.instances.page(get_admin_context(), InstanceQuery(scope=Scope(), limit=5))
    assert len(page) == 5
    rest = InstanceQuery(scope=Scope(), marker=page[-1].uuid, sort=(("host", "asc"),))
    assert len(conductor.instances.page(get_admin_context(), rest)) <= 11


def test_in_10_fifty_parallel_creates_at_the_edge_never_exceed_the_quota(site):
    conductor = site.conductor
    creation = Creation(conductor.db, ConductorSettings())
    results = _in_parallel(50, lambda _n: _created(creation))
    assert results.count(True) == 10
    with conductor.db.reading() as tx:
        assert quotas.usages(tx, PROJECT) == {"instances": 10, "cores": 10, "ram": 5120}
        assert tx.execute(sa.select(sa.func.count()).select_from(tables.instances)).scalar() == 10


def _created(creation):
    try:
        creation.create(user_context(), new_servers())
    except TooManyInstances:
        return False
    return True


def test_in_10_parallel_creates_and_deletes_leave_the_usage_at_the_truth(site):
    conductor = site.conductor
    creation = Creation(conductor.db, ConductorSettings())
    deletion = _Deletion(conductor.db)

    def create_and_delete(_number):
        try:
            job = creation.create(user_context(), new_servers())
        except TooManyInstances:
            return False
        deletion.run(job.instances[0].uuid)
        return True

    assert any(_in_parallel(40, create_and_delete))
    with conductor.db.reading() as tx:
        assert set(quotas.usages(tx, PROJECT).values()) == {0}


class _Deletion:
    def __init__(self, db):
        self.db = db

    @retried
    def run(self, uuid):
        with self.db.transaction() as tx:
            assert transitions.finish_delete(tx, instances.find(tx, uuid), clock.utcnow())


class _Allocation:
    def __init__(self, db, network):
        self.db = db
        self.network = network

    @retried
    def run(self, number):
        now = clock.utcnow()
        guest = addresses.Guest(
            instance_uuid=f"server-{number}", host="host1", now=now, live_after=now
        )
        with self.db.transaction() as tx:
            (vif,) = addresses.allocate(tx, guest, [Pick(network=self.network)])
        return vif.fixed_ip

    def may_fail(self, number):
        try:
            return self.run(number)
        except NoMoreFixedIps:
            return None


def test_a_hundred_parallel_allocations_give_a_hundred_addresses(site):
    allocation = _Allocation(site.conductor.db, site.network)
    found = _in_parallel(100, allocation.run)
    assert len(set(found)) == 100
    assert None not in found


def test_parallel_allocations_use_a_small_network_up_and_no_more(site):
    network = seed_network(site.conductor, label="small", cidr="192.168.7.0/28")
    allocation = _Allocation(site.conductor.db, network)
    found = [address for address in _in_parallel(40, allocation.may_fail) if address]
    assert len(found) == len(set(found)) == 12


class _FloatingTake:
    def __init__(self, db):
        self.db = db

    @retried
    def run(self, number):
        values = {"project_id": f"project-{number % 7}", "updated_at": clock.utcnow()}
        with self.db.transaction() as tx:
            return floating_ips.take_any(tx, "pool", values)


@pytest.mark.parametrize(("ip_range", "count"), [("203.0.113.0/24", 100), ("203.0.113.0/28", 14)])
def test_a_hundred_parallel_allocations_hand_no_floating_address_out_twice(site, ip_range, count):
    client = site.conductor.bus.client(ConductorFloatingIps).anyone()
    client.create_range(get_admin_context(), FloatingRange(ip_range=ip_range, pool="pool"))
    found = _in_parallel(100, _FloatingTake(site.conductor.db).run)
    taken = [address for address in found if address is not None]
    assert len(taken) == len(set(taken)) == count


def test_first_uses_at_once_make_one_default_group(site):
    races = GroupRaces(site.conductor.db)
    in_parallel(8, races.use_first)
    assert races.defaults() == 1


def test_group_that_is_deleted_while_a_server_joins_leaves_no_membership(site):
    races = GroupRaces(site.conductor.db)
    (server,) = fill_group(races.db, races.make("first").id, ("host1",), members=1)
    for number in range(8):
        group = races.make(f"race-{number}")

        def either(turn, group=group):
            return races.delete(group) if turn else races.join(server, group.name)

        joined, deleted = in_parallel(2, either)
        assert joined != deleted
    assert races.dangling() == 0


def test_equal_client_tokens_at_once_make_the_servers_of_one_request(site):
    answers = created_at_once(site.conductor)
    assert len({(one.reservation_id, one.instance_uuids) for one in answers}) == 1


@pytest.mark.parametrize("what", ACCEPTED)
def test_in_10_parallel_requests_end_at_the_quota(database, what):
    assert QuotaRaces(database).accepted(what) == ACCEPTED[what]


class _GroupClaim:
    """Puts one waiting server of a group onto one host, as a build does."""

    def __init__(self, db, uuids, hosts):
        self.db = db
        self.uuids = uuids
        self.hosts = hosts

    @retried
    def run(self, number):
        now = clock.utcnow()
        host = self.hosts[number % len(self.hosts)]
        uuid = self.uuids[number]
        try:
            with self.db.transaction() as tx:
                instance = instances.find(tx, uuid)
                assert transitions.place(tx, instance, host, f"{host}.example", "nova", now)
                grouping.check_host(tx, instance, host, now)
        except GroupPolicyViolated:
            return None
        return host


def _group_of(conductor, policy, **changes):
    groups = conductor.bus.client(ConductorServerGroups).anyone()
    values = {"name": "g", "project_id": PROJECT, "user_id": USER, "policy": policy}
    return groups.create(user_context(), NewServerGroup(**(values | changes))).uuid


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (GroupPolicy.ANTI_AFFINITY, [2, 2, 2]),
        (GroupPolicy.AFFINITY, [3]),
        (GroupPolicy.SOFT_AFFINITY, [3, 3, 3]),
    ],
)
def test_parallel_claims_keep_the_policy_of_their_group(site, policy, expected):
    conductor = site.conductor
    rules = {"max_server_per_host": 2} if policy is GroupPolicy.ANTI_AFFINITY else {}
    hints = {"group": (_group_of(conductor, policy, **rules),)}
    creation = Creation(conductor.db, ConductorSettings())
    job = creation.create(user_context(), new_servers(min_count=9, max_count=9, hints=hints))
    uuids = [instance.uuid for instance in job.instances]
    claim = _GroupClaim(conductor.db, uuids, ("host1", "host2", "host3"))
    placed = [host for host in _in_parallel(9, claim.run) if host]
    assert sorted(placed.count(host) for host in set(placed)) == expected


def test_in_10_parallel_creates_never_exceed_the_members_of_a_group(site):
    conductor = site.conductor
    limits = ConductorSettings().quotas | {"server_group_members": 4}
    hints = {"group": (_group_of(conductor, GroupPolicy.AFFINITY),)}
    creation = Creation(conductor.db, ConductorSettings(quotas=limits))

    def create(_number):
        try:
            creation.create(user_context(), new_servers(hints=hints))
        except QuotaExceeded:
            return False
        return True

    assert _in_parallel(9, create).count(True) == 4


def test_in_10_parallel_requests_never_exceed_the_number_of_groups(site):
    def create(_number):
        try:
            _group_of(site.conductor, GroupPolicy.AFFINITY)
        except QuotaExceeded:
            return False
        return True

    assert _in_parallel(25, create).count(True) == 10


def test_a_host_gets_one_zone_when_two_are_given_at_once(site):
    aggregates = site.conductor.bus.client(ConductorAggregates).anyone()
    admin = get_admin_context()
    made = [aggregates.create(admin, f"a{number}", f"zone{number}").id for number in range(6)]

    def add(number):
        try:
            aggregates.add_host(admin, made[number], "host1")
        except AggregateZoneConflict:
            return False
        return True

    assert _in_parallel(len(made), add).count(True) == 1


def test_hosts_of_a_network_get_different_addresses_at_once(site):
    claims = _in_parallel(20, lambda n: _host_address(site, f"host-{n}"))
    assert len(set(claims)) == 20


def _host_address(site, host):
    class Claim:
        db = site.conductor.db

        @retried
        def run(self):
            with self.db.transaction() as tx:
                return addresses.claim_host_address(tx, site.network, host, clock.utcnow())

    return Claim().run()


def test_deadlocked_transactions_are_repeated(database):
    """Two transactions take two rows in opposite order; both end well."""
    site_flavor = make_site(db=database).flavor
    other = seed_flavor(make_conductor(db=database), flavorid="2", name="other")
    barrier = threading.Barrier(2)
    attempts = []

    class Change:
        db = database

        def __init__(self, first, second):
            self.order = (first, second)
            self.met = False

        @retried
        def run(self):
            attempts.append(self)
            with self.db.transaction() as tx:
                for row_id in self.order:
                    tx.execute(
                        sa.update(tables.flavors)
                        .where(tables.flavors.c.id == row_id)
                        .values(description=str(self.order))
                    )
                    self._meet()

        def _meet(self):
            if not self.met and database.engine.dialect.name != "sqlite":
                self.met = True
                barrier.wait(10)

    first = Change(site_flavor.id, other.id)
    second = Change(other.id, site_flavor.id)
    _in_parallel(2, lambda n: (first, second)[n].run())
    expected = 2 if database.engine.dialect.name == "sqlite" else 3
    assert len(attempts) == expected


def test_a_lost_connection_is_replaced(database):
    make_site(db=database)
    with database.reading() as tx:
        assert networks.list_all(tx)
    database.engine.dispose()
    with database.reading() as tx:
        assert fixed_ips.find(tx, "10.0.0.3") is not None


def _in_parallel(count, function):
    start = threading.Barrier(count)

    def run(number):
        start.wait(30)
        return function(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# --- Pages


def test_pages_of_many_servers_are_found_by_indexes(empty):
    migrations_api.sync_database(empty)
    uuids = page_plans.fill(empty)
    for name in ("project", "all", "host", "status"):
        query = page_plans.QUERIES[name]
        page_plans.assert_found_by_index(page_plans.plan(empty, query))
        # PostgreSQL sorts the last few rows that an index gives: the marker is in the middle.
        late = dataclasses.replace(query, marker=uuids[len(uuids) // 2])
        page_plans.assert_found_by_index(page_plans.plan(empty, late))
