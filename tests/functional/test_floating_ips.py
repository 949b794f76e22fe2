"""Floating addresses through the API, down to what the network hosts hold in memory."""

import pytest
import sqlalchemy as sa

from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.context import get_admin_context
from nova.db import tables
from nova.objects.instance import EVERYBODY
from tests.fixtures.conductor import StatementCounter
from tests.fixtures.rest import PROJECT

POOL = "203.0.113.0/29"
FIRST = "203.0.113.1"


@pytest.fixture
def cloud(new_cloud):
    made = new_cloud(hosts=2)
    add_pool(made)
    return made


def add_pool(cloud, ip_range=POOL, **values):
    body = {"floating_ips_bulk_create": {"ip_range": ip_range, **values}}
    answer = cloud.rest.as_admin().post("/os-floating-ips-bulk", body)
    assert answer.status_int == 200, answer.json
    return answer.json["floating_ips_bulk_create"]


def allocate(rest):
    answer = rest.post("/os-floating-ips", None)
    assert answer.status_int == 200, answer.json
    return answer.json["floating_ip"]


def add(rest, server, address, **values):
    body = {"addFloatingIp": {"address": address, **values}}
    return rest.post(f"/servers/{server.uuid}/action", body)


def remove(rest, server, address):
    return rest.post(f"/servers/{server.uuid}/action", {"removeFloatingIp": {"address": address}})


def translations(cloud):
    """Return what the rules of each host lead where, and what addresses the hosts have."""
    found = {
        name: (host.network.list_translations(), set(host.network.floating))
        for name, host in cloud.hosts.items()
    }
    return {name: targets for name, (targets, held) in found.items() if targets or held}


def host_with(cloud, address=FIRST):
    (name,) = [name for name, host in cloud.hosts.items() if address in host.network.floating]
    return cloud.hosts[name].network


def fixed_of(server):
    return server.instance().vifs[0].fixed_ip


def message(answer):
    (fault,) = answer.json.values()
    return fault["message"]


def test_address_is_allocated_associated_and_given_back(cloud):
    server = cloud.boot()
    made = allocate(cloud.rest)
    assert made == {
        "id": made["id"], "ip": FIRST, "pool": "nova", "fixed_ip": None, "instance_id": None,
    }  # fmt: skip
    assert isinstance(made["id"], int)
    assert add(cloud.rest, server, FIRST).status_int == 202
    assert [*translations(cloud).values()] == [{FIRST: fixed_of(server)}]
    shown = cloud.rest.get(f"/os-floating-ips/{made['id']}").json["floating_ip"]
    assert (shown["fixed_ip"], shown["instance_id"]) == (fixed_of(server), server.uuid)
    addresses = [one for many in server.show()["addresses"].values() for one in many]
    assert FIRST in [one["addr"] for one in addresses]
    assert remove(cloud.rest, server, FIRST).status_int == 202
    assert translations(cloud) == {}
    assert cloud.rest.delete(f"/os-floating-ips/{made['id']}").status_int == 202
    assert cloud.rest.get("/os-floating-ips").json == {"floating_ips": []}


def test_ids_and_uuids_are_both_taken(cloud):
    made = allocate(cloud.rest)
    conductor = cloud.bus.client(ConductorFloatingIps).anyone()
    (found,) = [
        one for one in conductor.list_all(get_admin_context(), EVERYBODY) if one.id == made["id"]
    ]
    assert cloud.rest.get(f"/os-floating-ips/{found.uuid}").json["floating_ip"] == made
    assert cloud.rest.delete(f"/os-floating-ips/{found.uuid}").status_int == 202
    assert cloud.rest.get(f"/os-floating-ips/{made['id']}").status_int == 404
    assert cloud.rest.get("/os-floating-ips/x").status_int == 400


def test_fixed_address_is_chosen_and_must_be_the_servers(cloud):
    server, other = cloud.boot(), cloud.boot()
    allocate(cloud.rest)
    answer = add(cloud.rest, server, FIRST, fixed_address=fixed_of(other))
    assert answer.status_int == 400
    assert fixed_of(other) in message(answer)
    assert add(cloud.rest, server, FIRST, fixed_address=fixed_of(server)).status_int == 202


def test_net_12_only_the_owner_associates_and_only_with_an_own_fixed_address(cloud):
    mine = cloud.boot()
    stranger = cloud.api("bob", "project-2")
    allocate(stranger)
    assert add(cloud.rest, mine, FIRST).status_int == 404
    assert add(stranger, mine, FIRST).status_int == 404
    assert add(cloud.rest.as_admin(), mine, FIRST).status_int == 400
    assert translations(cloud) == {}


def test_projects_do_not_see_each_others_addresses(cloud):
    made = allocate(cloud.rest)
    stranger = cloud.api("bob", "project-2")
    assert stranger.get("/os-floating-ips").json == {"floating_ips": []}
    assert stranger.get(f"/os-floating-ips/{made['id']}").status_int == 404
    assert stranger.delete(f"/os-floating-ips/{made['id']}").status_int == 404
    assert cloud.rest.get("/os-floating-ips").json["floating_ips"] == [made]


def test_address_moves_to_another_server_and_its_connections_are_cut(cloud):
    one, other = cloud.boot(), cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, one, FIRST)
    host = host_with(cloud)
    host.log.clear()
    assert add(cloud.rest, other, FIRST).status_int == 202
    assert [*translations(cloud).values()] == [{FIRST: fixed_of(other)}]
    assert ("cut", FIRST) in host.log


def test_net_12_address_is_free_only_when_its_host_has_forgotten_it(cloud):
    server = cloud.boot()
    made = allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    host = host_with(cloud)
    host.fail_next("cut_connections")
    cloud.rest.delete(f"/os-floating-ips/{made['id']}")
    stranger = cloud.api("bob", "project-2")
    assert allocate(stranger)["ip"] != FIRST
    name = next(name for name, one in cloud.hosts.items() if one.network is host)
    cloud.hosts[name].network_manager.heal()
    assert ("cut", FIRST) in host.log
    assert allocate(stranger)["ip"] == FIRST


def test_dead_network_host_does_not_hold_up_the_api_and_forgets_when_it_is_back(cloud):
    server = cloud.boot()
    made = allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    name = next(name for name, one in cloud.hosts.items() if FIRST in one.network.floating)
    cloud.crash_network(name)
    cloud.advance(3600)
    assert remove(cloud.rest, server, FIRST).status_int == 202
    assert cloud.rest.delete(f"/os-floating-ips/{made['id']}").status_int == 202
    assert allocate(cloud.api("bob", "project-2"))["ip"] != FIRST
    cloud.start_network(name)
    assert translations(cloud) == {}
    assert ("cut", FIRST) in cloud.hosts[name].network.log
    assert allocate(cloud.api("bob", "project-2"))["ip"] == FIRST


def test_deleted_server_loses_its_address_but_the_project_keeps_it(cloud):
    server = cloud.boot()
    made = allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    server.delete()
    assert translations(cloud) == {}
    assert cloud.rest.get("/os-floating-ips").json["floating_ips"] == [made]
    again = cloud.boot()
    assert add(cloud.rest, again, FIRST).status_int == 202


def test_missing_interface_fails_the_association_and_leaves_nothing(cloud):
    server = cloud.boot()
    allocate(cloud.rest)
    for host in cloud.hosts.values():
        host.network.missing_devices.add("eth0")
    answer = add(cloud.rest, server, FIRST)
    assert answer.status_int == 400
    assert "interface eth0" in message(answer)
    assert translations(cloud) == {}
    (found,) = cloud.rest.get("/os-floating-ips").json["floating_ips"]
    assert found["fixed_ip"] is None
    for host in cloud.hosts.values():
        host.network.missing_devices.clear()
    assert add(cloud.rest, server, FIRST).status_int == 202


def test_what_leads_nowhere_can_not_be_removed(cloud):
    server = cloud.boot()
    allocate(cloud.rest)
    answer = remove(cloud.rest, server, FIRST)
    assert answer.status_int == 409
    assert FIRST in message(answer)
    assert remove(cloud.rest, server, "203.0.113.99").status_int == 404


def test_empty_pool_and_unknown_pool_are_told(cloud):
    add_pool(cloud, "198.51.100.7", pool="small")
    assert cloud.rest.post("/os-floating-ips", {"pool": "small"}).status_int == 200
    answer = cloud.rest.post("/os-floating-ips", {"pool": "small"})
    assert answer.status_int == 404
    assert "small" in message(answer)
    assert cloud.rest.post("/os-floating-ips", {"pool": "none"}).status_int == 404
    assert cloud.rest.get("/os-floating-ip-pools").json == {
        "floating_ip_pools": [{"name": "nova"}, {"name": "small"}]
    }


def test_in_09_one_over_the_quota_is_refused_and_usage_is_shown(cloud):
    quotas = cloud.bus.client(ConductorQuotas).anyone()
    quotas.update(get_admin_context(), PROJECT, {"floating_ips": 2})
    made = [allocate(cloud.rest) for _ in range(2)]
    answer = cloud.rest.post("/os-floating-ips", None)
    assert answer.status_int == 403
    limits = cloud.rest.get("/limits").json["limits"]["absolute"]
    assert (limits["maxTotalFloatingIps"], limits["totalFloatingIpsUsed"]) == (2, 2)
    cloud.rest.delete(f"/os-floating-ips/{made[0]['id']}")
    allocate(cloud.rest)


def test_bulk_lists_creates_and_deletes(cloud):
    rest = cloud.rest.as_admin()
    assert add_pool(cloud, "198.51.100.0/30", pool="p", interface="eth1") == {
        "ip_range": "198.51.100.0/30", "pool": "p", "interface": "eth1",
    }  # fmt: skip
    listed = rest.get("/os-floating-ips-bulk").json["floating_ip_info"]
    assert {
        "address": "198.51.100.1", "pool": "p", "interface": "eth1", "project_id": None,
        "instance_uuid": None, "fixed_ip": None,
    } in listed  # fmt: skip
    assert len(listed) == 8
    body = {"floating_ips_bulk_create": {"ip_range": "198.51.100.2"}}
    assert rest.post("/os-floating-ips-bulk", body).status_int == 409
    body = {"floating_ips_bulk_create": {"ip_range": "198.51.100.0/31"}}
    assert rest.post("/os-floating-ips-bulk", body).status_int == 400
    gone = rest.put("/os-floating-ips-bulk/delete", {"ip_range": "198.51.100.0/30"})
    assert gone.json == {"floating_ips_bulk_delete": "198.51.100.0/30"}
    assert rest.put("/os-floating-ips-bulk/x", {"ip_range": "198.51.100.0/30"}).status_int == 404
    assert len(rest.get("/os-floating-ips-bulk").json["floating_ip_info"]) == 6
    assert cloud.rest.get("/os-floating-ips-bulk").status_int == 403


def test_bulk_lists_the_addresses_of_a_host(cloud):
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    name = next(name for name, one in cloud.hosts.items() if FIRST in one.network.floating)
    rest = cloud.rest.as_admin()
    found = rest.get(f"/os-floating-ips-bulk/{name}").json["floating_ip_info"]
    assert [one["address"] for one in found] == [FIRST]
    assert rest.get("/os-floating-ips-bulk/nowhere").json == {"floating_ip_info": []}


def test_addresses_that_are_used_are_not_deleted(cloud):
    allocate(cloud.rest)
    rest = cloud.rest.as_admin()
    answer = rest.put("/os-floating-ips-bulk/delete", {"ip_range": POOL})
    assert FIRST in message(answer)
    assert len(rest.get("/os-floating-ips-bulk").json["floating_ip_info"]) == 6


def test_automatic_address_comes_and_goes_with_the_server(new_cloud):
    cloud = new_cloud(hosts=1, conductor_settings={"auto_assign_floating_ip": True})
    add_pool(cloud)
    server = cloud.boot()
    assert [*translations(cloud).values()] == [{FIRST: fixed_of(server)}]
    assert remove(cloud.rest, server, FIRST).status_int == 403
    (found,) = cloud.rest.get("/os-floating-ips").json["floating_ips"]
    assert cloud.rest.delete(f"/os-floating-ips/{found['id']}").status_int == 403
    assert cloud.rest.get("/limits").json["limits"]["absolute"]["totalFloatingIpsUsed"] == 0
    server.delete()
    assert translations(cloud) == {}
    assert cloud.rest.get("/os-floating-ips").json == {"floating_ips": []}
    assert allocate(cloud.rest)["ip"] == FIRST


def test_translation_follows_a_server_that_is_shelved_and_comes_back(cloud):
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    server.act({"shelve": None})
    assert server.status == "SHELVED_OFFLOADED"
    assert translations(cloud) == {}
    server.act({"unshelve": None})
    assert server.status == "ACTIVE"
    assert translations(cloud) == {server.instance().host: {FIRST: fixed_of(server)}}


def move(cloud, server, host):
    """Let a server be on another host, as the end of a move does."""
    with cloud.database.transaction() as tx:
        tx.execute(
            sa.update(tables.instances)
            .where(tables.instances.c.uuid == server.uuid)
            .values(host=host)
        )


@pytest.mark.parametrize("source_lives", [True, False])
def test_translation_moves_with_the_server_from_host_to_host(cloud, source_lives):
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    source = server.instance().host
    (target,) = set(cloud.hosts) - {source}
    if not source_lives:
        cloud.crash_network(source)
        cloud.advance(3600)
    move(cloud, server, target)
    cloud.hosts[target].network_manager.heal()
    cloud.run_until_idle()
    if not source_lives:
        assert translations(cloud)[target] == {FIRST: fixed_of(server)}
        cloud.start_network(source)
    assert translations(cloud) == {target: {FIRST: fixed_of(server)}}
    assert ("cut", FIRST) in cloud.hosts[source].network.log


def test_host_that_has_lost_its_only_network_forgets_the_addresses_of_it(new_cloud):
    cloud = new_cloud(hosts=2, multi_host=False)
    add_pool(cloud)
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    (source,) = translations(cloud)
    (target,) = set(cloud.hosts) - {source}
    network = server.instance().vifs[0].network
    networks = cloud.bus.client(ConductorNetworks).anyone()
    networks.set_host(get_admin_context(), EVERYBODY, network.uuid, target)
    cloud.run_until_idle()
    assert translations(cloud) == {target: {FIRST: fixed_of(server)}}
    assert ("cut", FIRST) in cloud.hosts[source].network.log


def test_restart_of_nova_network_changes_nothing(cloud):
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    name = server.instance().host
    cloud.crash_network(name)
    cloud.hosts[name].network.log.clear()
    cloud.start_network(name)
    assert cloud.hosts[name].network.log == []


# --- DNS


def domain(rest, name, **values):
    body = {"domain_entry": {"scope": "public", **values}}
    return rest.put(f"/os-floating-ip-dns/{name}", body)


def entry(rest, name, address, kind="A", domain="example.org"):
    body = {"dns_entry": {"ip": address, "dns_type": kind}}
    return rest.put(f"/os-floating-ip-dns/{domain}/entries/{name}", body)


def test_domains_are_made_by_administrators_and_hold_names(cloud):
    admin = cloud.rest.as_admin()
    assert domain(cloud.rest, "example.org").status_int == 403
    expected = {
        "domain": "example.org", "scope": "public", "project": PROJECT,
        "availability_zone": None,
    }  # fmt: skip
    assert domain(admin, "example%252Eorg", project=PROJECT).json == {"domain_entry": expected}
    assert cloud.rest.get("/os-floating-ip-dns").json == {"domain_entries": [expected]}
    made = entry(cloud.rest, "www", FIRST, "a").json["dns_entry"]
    assert made == {
        "ip": FIRST, "id": None, "type": "A", "domain": "example.org", "name": "www",
    }  # fmt: skip
    assert cloud.rest.get("/os-floating-ip-dns/example.org/entries/www").json == {"dns_entry": made}
    assert cloud.rest.get(f"/os-floating-ip-dns/example.org/entries/{FIRST}").json == {
        "dns_entries": [made]
    }
    assert cloud.rest.delete("/os-floating-ip-dns/example.org/entries/www").status_int == 202
    assert cloud.rest.delete("/os-floating-ip-dns/example.org/entries/www").status_int == 404
    assert cloud.rest.get("/os-floating-ip-dns/example.org/entries/www").status_int == 404
    assert admin.delete("/os-floating-ip-dns/example.org").status_int == 202
    assert admin.delete("/os-floating-ip-dns/example.org").status_int == 404


def test_domain_of_another_project_is_not_there(cloud):
    domain(cloud.rest.as_admin(), "example.org", project="c" * 32)
    assert cloud.rest.get("/os-floating-ip-dns").json == {"domain_entries": []}
    assert entry(cloud.rest, "www", FIRST).status_int == 404


def test_names_in_a_shared_domain_are_of_own_addresses_only(cloud):
    domain(cloud.rest.as_admin(), "example.org")
    made = allocate(cloud.rest)
    stranger = cloud.api("bob", "project-2")
    assert entry(stranger, "www", FIRST).status_int == 400
    assert entry(cloud.rest, "www", FIRST).status_int == 200
    other = allocate(stranger)["ip"]
    assert entry(stranger, "www", other).status_int == 400
    assert stranger.delete("/os-floating-ip-dns/example.org/entries/www").status_int == 404
    cloud.rest.delete(f"/os-floating-ips/{made['id']}")
    assert cloud.rest.get("/os-floating-ip-dns/example.org/entries/www").status_int == 404


def test_private_domain_takes_no_project_and_public_no_zone(cloud):
    admin = cloud.rest.as_admin()
    assert domain(admin, "a.org", scope="private", project=PROJECT).status_int == 400
    assert domain(admin, "a.org", availability_zone="nova").status_int == 400
    assert domain(admin, "a.org", scope="private", availability_zone="none").status_int == 400
    made = domain(admin, "a.org", scope="private", availability_zone="nova")
    assert made.json["domain_entry"]["availability_zone"] == "nova"


@pytest.mark.parametrize("name", ["a%0Ab", "a,b", "-a", "a" * 64, "a..b", "%20"])
def test_net_15_names_that_could_reach_files_as_something_else_are_refused(cloud, name):
    admin = cloud.rest.as_admin()
    assert domain(admin, name).status_int == 400
    domain(admin, "example.org")
    assert entry(admin, name, FIRST).status_int == 400


def test_server_has_names_while_it_lives(new_cloud):
    cloud = new_cloud(hosts=1, conductor_settings={"instance_dns_domain": "example.org"})
    domain(cloud.rest.as_admin(), "example.org")
    server = cloud.boot(name="Web One")
    path = f"/os-floating-ip-dns/example.org/entries/{fixed_of(server)}"
    names = {one["name"] for one in cloud.rest.get(path).json["dns_entries"]}
    assert names == {"web-one", server.uuid}
    server.delete()
    assert cloud.rest.get(path).json == {"dns_entries": []}


def test_what_happens_to_an_address_is_told(cloud):
    server = cloud.boot()
    cloud.bus.notifies = True
    made = allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    remove(cloud.rest, server, FIRST)
    cloud.rest.delete(f"/os-floating-ips/{made['id']}")
    told = [(event.event_type, event.payload) for event in cloud.bus.notifications]
    payload = {"project_id": PROJECT, "floating_ip": FIRST, "instance_id": None}
    assert told == [
        ("network.floating_ip.allocate", payload),
        ("network.floating_ip.associate", payload | {"instance_id": server.uuid}),
        ("network.floating_ip.disassociate", payload | {"instance_id": server.uuid}),
        ("network.floating_ip.deallocate", payload),
    ]


@pytest.mark.parametrize("multi_host", [True, False])
def test_detached_interface_leaves_its_address_leading_nowhere(new_cloud, multi_host):
    cloud = new_cloud(hosts=2, multi_host=multi_host)
    add_pool(cloud)
    server = cloud.boot()
    allocate(cloud.rest)
    add(cloud.rest, server, FIRST)
    (targets,) = translations(cloud).values()
    assert targets == {FIRST: fixed_of(server)}
    (vif,) = server.instance().vifs
    assert cloud.rest.delete(f"/servers/{server.uuid}/os-interface/{vif.id}").status_int == 202
    cloud.run_until_idle()
    assert translations(cloud) == {}
    (found,) = cloud.rest.get("/os-floating-ips").json["floating_ips"]
    assert found["instance_id"] is None


def test_the_twentieth_address_costs_as_much_as_the_first(new_cloud):
    """Calls and statements do not grow with the addresses that a server has."""
    cloud = new_cloud(hosts=1)
    add_pool(cloud, "203.0.113.0/27")
    quotas = cloud.bus.client(ConductorQuotas).anyone()
    quotas.update(get_admin_context(), PROJECT, {"floating_ips": -1})
    server, counter = cloud.boot(), StatementCounter(cloud.database)
    costs = []
    for _ in range(20):
        made, given = measured(cloud, counter, lambda: allocate(cloud.rest))
        done, led = measured(cloud, counter, lambda ip=made["ip"]: add(cloud.rest, server, ip))
        assert done.status_int == 202
        costs.append((given, led))
    (given, led) = costs[0]
    assert given == (["allocate"], 6)
    assert led == (["associate", "refresh", "host_networks"], 22)
    assert costs[-1] == costs[0]


def measured(cloud, counter, work):
    """Do some work; return what came of it, the methods called, and how many statements ran."""
    counter.take()
    del cloud.bus.calls[:]
    result = work()
    return result, ([call.method for call in cloud.bus.calls], len(counter.take()))
