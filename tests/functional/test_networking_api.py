"""The Networking API over a whole cloud: each resource as its clients use it."""

import pytest

from nova.conductor.network_plan import ManagerKind, NetworkDefaults
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.objects.addresses import subnet_uuid
from nova.objects.floating_ip import pool_uuid
from nova.objects.network import NewNetwork
from tests.fixtures.networking import IN_RANGE, POOL, make_networking_site
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

UNKNOWN = "99999999-2222-4333-8444-555555555555"
NOT_SUPPORTED = "Not supported by nova-network: "


@pytest.fixture
def site(cloud):
    return make_networking_site(cloud)


@pytest.fixture
def front(site):
    return site.front


def add_network(site, label, **changes):
    client = site.cloud.bus.client(ConductorNetworks).anyone()
    new = NewNetwork(label=label, bridge=f"br-{label}", multi_host=True, **changes)
    (network,) = client.create(get_admin_context(), new)
    return network


# --- Versions, errors


def test_root_tells_the_version_without_a_token(front):
    for path in ("//", "//v2.0", "//v2.0/"):
        answer = front.rest.request("GET", path, X_Auth_Token="")
        assert answer.status_int == 200
    (version,) = front.rest.get("//", X_Auth_Token="").json["versions"]
    assert (version["id"], version["status"]) == ("v2.0", "CURRENT")
    assert version["links"] == [{"rel": "self", "href": "http://cloud.example:8774/v2.0/"}]


def test_every_error_has_the_form_of_this_api(front):
    nobody = front.as_user("", "")
    assert nobody.refused("GET", "/networks")[:2] == (401, "HTTPUnauthorized")
    assert front.refused("GET", "/trunks")[:2] == (404, "RouteNotFound")
    assert front.refused("PATCH", "/networks")[:2] == (405, "MethodNotAllowed")
    assert front.refused("POST", "/networks/x", name="n")[:2] == (405, "MethodNotAllowed")
    assert front.refused("POST", "/ports", name="x")[:2] == (400, "InvalidBody")
    answer = front.rest.request("POST", "//v2.0/ports", b"{")
    assert answer.json["NeutronError"]["type"] == "MalformedRequestBody"
    answer = front.rest.request("POST", "//v2.0/ports", b"x" * 200000)
    assert (answer.status_int, answer.json["NeutronError"]["type"]) == (413, "RequestTooLarge")


def test_refused_head_is_answered_without_a_body(front):
    for user, path, status in ((front, "/ports", 405), (front.as_user("", ""), "/ports", 401)):
        answer = user.send("HEAD", path)
        assert (answer.status_int, answer.body) == (status, b"")


def test_unexpected_errors_tell_nothing(site, front):
    site.cloud.database.close()
    site.cloud.stop_conductor()
    status, _kind, message = front.refused("GET", "/quotas/" + PROJECT)
    assert status in (500, 503)
    assert "Traceback" not in message and "sql" not in message.lower()


def test_every_answer_has_a_request_id(front):
    for path in ("//v2.0/networks", "//v2.0/nothing", "//"):
        assert front.rest.get(path).headers["X-Openstack-Request-Id"].startswith("req-")


def test_extensions_are_told_and_probed(front):
    aliases = {entry["alias"] for entry in front.get("/extensions")}
    wanted = {"security-group", "external-net", "router", "quotas", "network-ip-availability"}
    assert wanted <= aliases
    assert front.get("/extensions/router")["alias"] == "router"
    for alias in ("tag-ports-during-bulk-creation", "external-gateway-multihoming"):
        assert front.refused("GET", f"/extensions/{alias}")[0] == 404


# --- Networks and subnets


def test_networks_are_those_of_the_project_and_the_pools(site, front):
    own = add_network(site, "own", cidr="10.7.0.0/24", project_id=PROJECT)
    add_network(site, "foreign", cidr="10.8.0.0/24", project_id=OTHER_PROJECT)
    found = {network["name"]: network for network in front.get("/networks")}
    assert set(found) == {"private", "own", POOL}
    assert (found["own"]["id"], found["own"]["shared"]) == (own.uuid, False)
    assert found["private"]["shared"] is True
    assert (found[POOL]["id"], found[POOL]["router:external"]) == (pool_uuid(POOL), True)
    assert {one["name"] for one in front.as_admin().get("/networks")} == {*found, "foreign"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=private", ["private"]),
        ("name=private&name=own", ["own", "private"]),
        ("router:external=True", [POOL]),
        ("router%3Aexternal=False", ["own", "private"]),
        ("shared=true", ["private"]),
        (f"project_id={PROJECT}", ["own"]),
        (f"tenant_id={PROJECT}", ["own"]),
        ("status=DOWN", []),
        ("unknown=x", ["own", "private", POOL]),
        ("id=x", []),
    ],
)
def test_networks_are_filtered_by_equality(site, front, query, names):
    add_network(site, "own", cidr="10.7.0.0/24", project_id=PROJECT)
    assert sorted(one["name"] for one in front.get(f"/networks?{query}")) == names


def test_lookup_of_a_network_by_name_is_404_then_a_list(front):
    assert front.refused("GET", "/networks/private")[:2] == (404, "NetworkNotFound")
    (found,) = front.get("/networks?name=private")
    assert front.get(f"/networks/{found['id']}") == found
    assert front.get(f"/networks/{pool_uuid(POOL)}")["name"] == POOL
    assert front.refused("GET", f"/networks/{UNKNOWN}")[0] == 404


def test_provider_attributes_are_for_administrators(site, front):
    network = add_network(
        site, "v", cidr="10.7.0.0/24", vlan=7, bridge_interface="eth1", project_id=PROJECT
    )
    assert not any(key.startswith("provider:") for key in front.get(f"/networks/{network.uuid}"))
    seen = front.as_admin().get(f"/networks/{network.uuid}")
    assert seen["provider:network_type"] == "vlan"
    assert seen["provider:segmentation_id"] == 7
    assert seen["provider:physical_network"] == "eth1"


def test_dual_stack_network_has_two_subnets(site, front):
    network = add_network(
        site, "dual", cidr="10.7.0.0/24", cidr_v6="fd00:7::/64", dns1="192.0.2.53"
    )
    four, six = front.get(f"/subnets?network_id={network.uuid}")
    assert front.get(f"/networks/{network.uuid}")["subnets"] == [four["id"], six["id"]]
    assert (four["id"], six["id"]) == tuple(subnet_uuid(network.uuid, each) for each in (4, 6))
    assert (four["cidr"], four["ip_version"], four["name"]) == ("10.7.0.0/24", 4, "dual")
    assert four["dns_nameservers"] == ["192.0.2.53"] and six["dns_nameservers"] == []
    assert (six["cidr"], six["ip_version"], six["ipv6_ra_mode"]) == ("fd00:7::/64", 6, "slaac")
    assert four["allocation_pools"][0]["end"] == "10.7.0.254"
    assert front.get(f"/subnets/{four['id']}") == four
    assert front.get("/subnets?ip_version=6") == [six]
    assert front.refused("GET", "/subnets/dual")[:2] == (404, "SubnetNotFound")


def test_empty_network_is_deleted_by_an_administrator(site, front):
    network = add_network(site, "old", cidr="10.7.0.0/24")
    path = f"/networks/{network.uuid}"
    assert front.refused("DELETE", path)[0] == 403
    admin = front.as_admin()
    assert admin.put(path, name="new", admin_state_up=True)["name"] == "new"
    assert admin.refused("PUT", path, mtu=1400)[1] == "NetworkingUnsupported"
    admin.delete(path)
    assert admin.refused("GET", path)[0] == 404
    assert admin.refused("DELETE", f"/networks/{pool_uuid(POOL)}")[0] == 400


def test_network_in_use_is_not_deleted(site, front):
    (network,) = front.get("/networks?name=private")
    front.post("/ports", network_id=network["id"])
    status, kind, _ = front.as_admin().refused("DELETE", f"/networks/{network['id']}")
    assert (status, kind) == (409, "NetworkInUse")


# --- Lists


def test_lists_have_pages_order_and_fields(site, front):
    for name in "abc":
        front.post("/security-groups", name=name)
    rest = front.rest

    def names(query):
        return [one["name"] for one in front.get(f"/security-groups?{query}")]

    assert names("sort_key=name&sort_dir=desc") == ["default", "c", "b", "a"] or names(
        "sort_key=name&sort_dir=desc"
    ) == ["c", "b", "a"]
    first = rest.get("//v2.0/security-groups?limit=1&sort_key=name").json
    (link,) = first["security_groups_links"]
    assert link["rel"] == "next"
    second = rest.get("/" + link["href"].removeprefix("http://cloud.example:8774")).json
    assert [one["name"] for one in second["security_groups"]] == ["b"]
    marker = second["security_groups"][0]["id"]
    back = f"sort_key=name&page_reverse=True&marker={marker}"
    assert names(back) == ["a"]
    assert front.refused("GET", f"/security-groups?marker={UNKNOWN}")[:2] == (
        400,
        "MarkerNotFound",
    )
    assert front.refused("GET", "/security-groups?sort_key=nothing")[0] == 400
    (found,) = front.get("/security-groups?name=a&fields=id&fields=name")
    assert set(found) == {"id", "name"}


# --- Floating addresses


def test_floating_address_leads_to_a_port_and_back(site, front):
    server = site.cloud.boot()
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    made = front.post("/floatingips", floating_network_id=pool_uuid(POOL), description="d")
    path = f"/floatingips/{made['id']}"
    assert (made["status"], made["port_id"], made["description"]) == ("DOWN", None, "d")
    assert front.refused("GET", f"/floatingips/{made['floating_ip_address']}")[0] == 404
    assert front.get(f"/floatingips?floating_ip_address={made['floating_ip_address']}") == [made]
    led = front.put(path, port_id=port["id"])
    assert (led["status"], led["port_id"]) == ("ACTIVE", port["id"])
    assert led["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert front.put(path, port_id=None)["status"] == "DOWN"
    assert front.put(path, port_id=None)["status"] == "DOWN"
    assert front.put(path, description="e")["description"] == "e"
    assert front.refused("PUT", path, port_id=UNKNOWN)[0] == 404
    front.delete(path)
    assert front.refused("GET", path)[:2] == (404, "FloatingIpNotFound")


def test_allocation_with_a_port_that_is_not_there_allocates_nothing(front):
    wanted = {"floating_network_id": pool_uuid(POOL), "port_id": UNKNOWN}
    assert front.refused("POST", "/floatingips", **wanted)[:2] == (404, "PortNotFound")
    assert front.get("/floatingips") == []


def test_floating_addresses_are_the_project_s_own(front):
    made = front.post("/floatingips", floating_network_id=pool_uuid(POOL))
    other = front.as_user("bob", OTHER_PROJECT)
    assert other.get("/floatingips") == []
    assert other.refused("DELETE", f"/floatingips/{made['id']}")[0] == 404
    wanted = {"floating_network_id": UNKNOWN}
    assert other.refused("POST", "/floatingips", **wanted)[:2] == (404, "NetworkNotFound")


def test_empty_pool_is_a_conflict(front):
    for _ in range(IN_RANGE):
        front.post("/floatingips", floating_network_id=pool_uuid(POOL))
    wanted = {"floating_network_id": pool_uuid(POOL)}
    assert front.refused("POST", "/floatingips", **wanted)[:2] == (409, "NoMoreFloatingIps")


# --- Security groups


def test_project_has_its_default_group_with_two_egress_rules(front):
    (group,) = front.get("/security-groups?name=default")
    egress = [rule for rule in group["security_group_rules"] if rule["direction"] == "egress"]
    assert [rule["ethertype"] for rule in egress] == ["IPv4", "IPv6"]
    assert front.refused("GET", "/security-groups/default")[0] == 404
    rules = front.get(f"/security-group-rules?security_group_id={group['id']}")
    assert rules == group["security_group_rules"]
    assert front.get(f"/security-group-rules/{egress[0]['id']}") == egress[0]


def test_administrators_clear_away_the_default_group_of_a_project(front):
    (group,) = front.get("/security-groups?name=default")
    path = f"/security-groups/{group['id']}"
    assert front.refused("DELETE", path)[0] in (400, 409)
    front.as_admin().delete(path)
    assert front.refused("GET", path)[0] == 404
    (anew,) = front.get("/security-groups?name=default")
    assert anew["id"] != group["id"]


def test_life_of_a_group(front):
    group = front.post("/security-groups", name="web", description="d", stateful=True)
    path = f"/security-groups/{group['id']}"
    assert len(group["security_group_rules"]) == 2
    assert front.put(path, name="www")["name"] == "www"
    assert front.get(path)["description"] == "d"
    assert front.refused("PUT", path, stateful=False)[1] == "NetworkingUnsupported"
    front.delete(path)
    assert front.refused("GET", path)[:2] == (404, "SecurityGroupNotFound")


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (
            {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22},
            {"protocol": "tcp", "port_range_min": 22, "remote_ip_prefix": "0.0.0.0/0"},
        ),
        (
            {"protocol": "tcp", "remote_ip_prefix": "10.0.0.0/8"},
            {"port_range_min": 1, "port_range_max": 65535, "remote_ip_prefix": "10.0.0.0/8"},
        ),
        ({"protocol": "icmp"}, {"protocol": "icmp", "port_range_min": None}),
        (
            {"protocol": "ipv6-icmp", "ethertype": "IPv6", "remote_ip_prefix": "::/0"},
            {"protocol": "ipv6-icmp", "ethertype": "IPv6", "port_range_max": None},
        ),
        ({"protocol": "17"}, {"protocol": "udp"}),
        ({"protocol": None}, {"protocol": None, "port_range_min": None}),
    ],
)
def test_rules_of_incoming_traffic(front, wanted, shown):
    group = front.post("/security-groups", name="web")
    rule = front.post(
        "/security-group-rules",
        security_group_id=group["id"],
        direction="ingress",
        **{"ethertype": "IPv4", **wanted},
    )
    assert shown.items() <= rule.items()
    path = f"/security-group-rules/{rule['id']}"
    assert front.get(path) == rule
    front.delete(path)
    assert front.refused("GET", path)[:2] == (404, "SecurityGroupRuleNotFound")


def test_rule_may_name_a_group_as_source(front):
    group = front.post("/security-groups", name="web")
    rule = front.post(
        "/security-group-rules",
        security_group_id=group["id"],
        direction="ingress",
        protocol="tcp",
        remote_group_id=group["id"],
    )
    assert (rule["remote_group_id"], rule["remote_ip_prefix"]) == (group["id"], None)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"protocol": "gre"}, (400, "NetworkingUnsupported")),
        ({"direction": "egress"}, (409, "DefaultRuleFixed")),
        ({"port_range_min": 1, "port_range_max": 2}, (400, "SecurityGroupRuleInvalid")),
        ({"protocol": "tcp", "port_range_min": 1}, (400, "SecurityGroupRuleInvalid")),
        ({"remote_ip_prefix": "::/0"}, (400, "SecurityGroupRuleInvalid")),
        ({"protocol": "tcp", "security_group_id": UNKNOWN}, (404, "SecurityGroupNotFound")),
        ({"security_group_id": "name"}, (404, "SecurityGroupNotFound")),
    ],
)
def test_rules_that_can_not_be_had(front, wanted, expected):
    group = front.post("/security-groups", name="web")
    usual = {"security_group_id": group["id"], "direction": "ingress", "ethertype": "IPv4"}
    assert front.refused("POST", "/security-group-rules", **{**usual, **wanted})[:2] == expected


def test_egress_rule_stays(front):
    group = front.post("/security-groups", name="web")
    rule = group["security_group_rules"][0]
    status, _, message = front.refused("DELETE", f"/security-group-rules/{rule['id']}")
    assert status == 409 and message.startswith(NOT_SUPPORTED)
    other = front.as_user("bob", OTHER_PROJECT)
    assert other.refused("DELETE", f"/security-group-rules/{rule['id']}")[0] == 404


# --- The rest


def test_there_are_no_routers(front):
    assert front.get("/routers") == []
    assert front.refused("GET", "/routers/r")[:2] == (404, "RouterNotFound")
    status, _, message = front.refused("POST", "/routers", name="r")
    assert status == 400 and message.startswith(NOT_SUPPORTED)
    answer = front.send("PUT", "/routers/r/add_router_interface", {"subnet_id": UNKNOWN})
    assert answer.status_int == 404


def test_use_of_networks_is_told_to_administrators(site, front):
    site.cloud.boot()
    assert front.refused("GET", "/network-ip-availabilities")[0] == 403
    (found,) = front.as_admin().get("/network-ip-availabilities?ip_version=4")
    # The server's own, and those of the two hosts.
    assert (found["network_name"], found["used_ips"]) == ("private", 3)
    assert found["total_ips"] == 253
    one = front.as_admin().get(f"/network-ip-availabilities/{found['network_id']}")
    assert one == found
    assert front.as_admin().get("/network-ip-availabilities?ip_version=6") == []


def test_use_of_networks_has_pages_by_network(site, front):
    ids = {add_network(site, name, cidr=f"10.{name}.0.0/24").uuid for name in "78"}
    path = "/network-ip-availabilities?limit=1&sort_key=network_name"
    first = front.as_admin().send("GET", path).json
    (link,) = first["network_ip_availabilities_links"]
    marker = first["network_ip_availabilities"][0]["network_id"]
    assert f"marker={marker}" in link["href"] and marker in ids
    (second,) = front.as_admin().get(f"{path}&marker={marker}")
    assert second["network_id"] in ids - {marker}


@pytest.mark.parametrize("key", ["description", "project_id", "tenant_id"])
def test_text_that_is_too_long_for_the_database_is_400(front, key):
    long = {"floating_network_id": pool_uuid(POOL), key: "x" * 256}
    assert front.as_admin().refused("POST", "/floatingips", **long)[:2] == (400, "InvalidBody")


def test_quotas_are_those_of_the_compute_api(site, front):
    path = f"/quotas/{PROJECT}"
    limits = front.get(path)
    assert set(limits) == {
        "network", "subnet", "port", "router", "floatingip", "security_group",
        "security_group_rule",
    }  # fmt: skip
    assert front.get(f"{path}/default") == limits
    assert front.refused("PUT", path, floatingip=3)[0] == 403
    admin = front.as_admin()
    assert admin.put(path, floatingip=3, check_limit=True)["floatingip"] == 3
    assert front.get(f"{path}/details")["floatingip"]["limit"] == 3
    assert site.cloud.rest.get(f"/os-quota-sets/{PROJECT}").json["quota_set"]["floating_ips"] == 3
    assert admin.refused("PUT", path, network=3)[1] == "NetworkingUnsupported"
    admin.delete(path)
    assert front.get(path) == limits
    assert front.as_user("bob", OTHER_PROJECT).refused("GET", path)[0] == 403


def test_quotas_equal_those_of_the_compute_api(site, front):
    site.cloud.boot()
    front.post("/security-groups", name="web")
    front.post("/floatingips", floating_network_id=pool_uuid(POOL))
    own = f"/os-quota-sets/{PROJECT}/detail"
    compute = site.cloud.rest.as_admin().get(own).json["quota_set"]
    seen = front.get(f"/quotas/{PROJECT}/details")
    names = {
        "port": "fixed_ips",
        "floatingip": "floating_ips",
        "security_group": "security_groups",
        "security_group_rule": "security_group_rules",
    }
    for name, other in names.items():
        assert seen[name]["limit"] == compute[other]["limit"], name
        assert seen[name]["used"] == compute[other]["in_use"], name
    assert [seen[name]["used"] for name in names] == [1, 1, 2, 0]


def test_quota_of_networks_is_the_limit_of_what_projects_make(new_cloud):
    limited = NetworkDefaults(manager=ManagerKind.VLAN, vlan_interface="eth1", per_project=3)
    site = make_networking_site(new_cloud(conductor_settings={"network": limited}))
    add_network(site, "own", cidr="10.7.0.0/24", cidr_v6="fd00:7::/64", project_id=PROJECT)
    seen = site.front.get(f"/quotas/{PROJECT}/details")
    assert seen["network"] == {"limit": 3, "used": 1, "reserved": 0}
    assert seen["subnet"]["used"] == 2
    assert site.front.get(f"/quotas/{PROJECT}")["network"] == 3
    assert site.front.get(f"/quotas/{PROJECT}/default")["network"] == 3
    admin = site.front.as_admin()
    assert admin.put(f"/quotas/{PROJECT}", network=3, floatingip=4)["network"] == 3
    assert admin.refused("PUT", f"/quotas/{PROJECT}", network=4)[1] == "NetworkingUnsupported"


def test_what_may_be_empty_is_empty(front):
    assert front.get("/availability_zones") == []
    assert front.as_admin().get("/agents") == []
    assert front.as_admin().get("/quotas") == []


# What hosts ask for when something about them changes.
OF_HOSTS = {"host_networks", "settled"}


def calls_of(site, method, path, user=None, **wanted):
    """Send a request that succeeds; return how many conductor calls it makes."""
    before = len(site.cloud.bus.calls)
    body = {path.split("/")[1].replace("-", "_").removesuffix("s"): wanted} if wanted else None
    answer = (user or site.front).send(method, path, body)
    assert answer.status_int in (200, 201, 204), answer.text
    calls = [call for call in site.cloud.bus.calls[before:] if call.topic == "conductor"]
    return len([call for call in calls if call.method not in OF_HOSTS])


def test_every_read_is_one_conductor_call(site, front):
    server = site.cloud.boot()
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    made = front.post("/floatingips", floating_network_id=pool_uuid(POOL))
    (group,) = front.get("/security-groups?name=default")
    for path in (
        "/networks",
        "/networks?router:external=True",
        f"/networks/{port['network_id']}",
        f"/networks/{pool_uuid(POOL)}",
        "/subnets",
        f"/subnets/{port['fixed_ips'][0]['subnet_id']}",
        "/ports",
        f"/ports/{port['id']}",
        "/floatingips",
        f"/floatingips/{made['id']}",
        "/security-groups",
        f"/security-groups/{group['id']}",
        "/security-group-rules",
        f"/security-group-rules?security_group_id={group['id']}",
        f"/quotas/{PROJECT}",
        f"/quotas/{PROJECT}/default",
        f"/quotas/{PROJECT}/details",
    ):
        assert calls_of(site, "GET", path) == 1, path


def test_every_change_is_one_conductor_call(site, front):
    server, admin = site.cloud.boot(), front.as_admin()
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    pool, network = {"floating_network_id": pool_uuid(POOL)}, {"network_id": port["network_id"]}
    subnet_id = port["fixed_ips"][0]["subnet_id"]
    assert calls_of(site, "POST", "/floatingips", **pool) == 1
    assert calls_of(site, "POST", "/floatingips", **pool, port_id=port["id"]) == 1
    for floating in front.get("/floatingips"):
        path = f"/floatingips/{floating['id']}"
        assert calls_of(site, "PUT", path, port_id=port["id"]) == 1
        assert calls_of(site, "PUT", path, description="d") == 1
        assert calls_of(site, "DELETE", path) == 1
    assert calls_of(site, "PUT", f"/networks/{port['network_id']}", admin, name="n") == 1
    assert calls_of(site, "PUT", f"/subnets/{subnet_id}", admin, name="n") == 1
    assert calls_of(site, "PUT", f"/ports/{port['id']}", name="n") == 1
    assert calls_of(site, "POST", "/ports", **network) == 1
    (made,) = front.get("/ports?device_id=")
    assert calls_of(site, "DELETE", f"/ports/{made['id']}") == 1
    own = add_network(site, "own", cidr="10.7.0.0/24")
    assert calls_of(site, "DELETE", f"/subnets/{subnet_uuid(own.uuid, 4)}", admin) == 1
    assert calls_of(site, "DELETE", f"/networks/{own.uuid}", admin) == 1
