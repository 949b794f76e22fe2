"""Ports: servers' interfaces by the Networking API, and those that wait for a server."""

import pytest

from nova.exception import DriverError
from nova.objects.addresses import subnet_uuid
from tests.fixtures.allocator import in_parallel
from tests.fixtures.networking import make_networking_site
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

UNKNOWN = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def site(cloud):
    return make_networking_site(cloud)


@pytest.fixture
def front(site):
    return site.front


@pytest.fixture
def network(front):
    (found,) = front.get("/networks?name=private")
    return found


def make_port(front, network, **wanted):
    return front.post("/ports", network_id=network["id"], **wanted)


def address_of(port):
    return port["fixed_ips"][0]["ip_address"]


def boot_with(site, *port_ids, **server):
    return site.cloud.boot(networks=[{"port": port_id} for port_id in port_ids], **server)


def interfaces(site, server):
    answer = site.cloud.rest.at("2.90").get(f"/servers/{server.uuid}/os-interface")
    return answer.json["interfaceAttachments"]


def test_port_of_a_server_is_its_interface(site, front, network):
    server = site.cloud.boot()
    (port,) = front.get(f"/ports?device_id={server.uuid}")
    (interface,) = interfaces(site, server)
    assert port["id"] == interface["port_id"]
    assert port["mac_address"] == interface["mac_addr"]
    assert port["fixed_ips"] == interface["fixed_ips"]
    assert port["network_id"] == interface["net_id"] == network["id"]
    assert port["status"] == "ACTIVE"
    assert (port["device_owner"], port["project_id"]) == ("compute:nova", PROJECT)
    assert front.get(f"/ports/{port['id']}") == port


def test_binding_is_told_to_administrators_alone(site, front):
    server = site.cloud.boot()
    (seen,) = front.get("/ports")
    assert "binding:host_id" not in seen
    (seen,) = front.as_admin().get(f"/ports?device_id={server.uuid}")
    assert seen["binding:host_id"] == server.instance().host


def test_new_port_has_an_address_and_no_server(front, network):
    port = make_port(front, network, name="p")
    assert port["status"] == "DOWN" and port["device_id"] == ""
    (fixed,) = port["fixed_ips"]
    assert fixed["subnet_id"] == subnet_uuid(network["id"], 4)
    assert front.get("/ports?name=p") == [port]
    assert front.get(f"/ports?fixed_ips=ip_address%3D{fixed['ip_address']}") == [port]
    assert front.get("/ports?device_id=") == [port]


def test_port_gets_the_address_and_mac_that_are_asked_for(front, network):
    wanted = [{"ip_address": "10.0.0.77", "subnet_id": subnet_uuid(network["id"], 4)}]
    port = make_port(front, network, fixed_ips=wanted, mac_address="FA:16:3E:00:00:07")
    assert address_of(port) == "10.0.0.77"
    assert port["mac_address"] == "fa:16:3e:00:00:07"
    again = {"network_id": network["id"]}
    assert front.refused("POST", "/ports", **again, fixed_ips=wanted)[:2] == (
        409,
        "FixedIpAlreadyInUse",
    )
    status, kind, _ = front.refused("POST", "/ports", **again, mac_address=port["mac_address"])
    assert (status, kind) == (400, "PortInvalid")
    status, kind, _ = front.refused("POST", "/ports", **again, mac_address="01:00:5e:00:00:07")
    assert (status, kind) == (400, "PortInvalid")


def test_port_is_the_project_s_own(front, network):
    port = make_port(front, network)
    other = front.as_user("bob", OTHER_PROJECT)
    assert other.get("/ports") == []
    assert other.refused("GET", f"/ports/{port['id']}")[0] == 404
    assert other.refused("DELETE", f"/ports/{port['id']}")[0] == 404
    assert other.refused("PUT", f"/ports/{port['id']}", name="x")[0] == 404
    status, kind, _ = other.refused("POST", "/ports", network_id=network["id"], project_id=PROJECT)
    assert (status, kind) == (403, "PolicyNotAuthorized")


def test_lookup_of_a_port_by_name_is_404_then_a_list(front, network):
    port = make_port(front, network, name="web")
    assert front.refused("GET", "/ports/web")[0] == 404
    assert [one["id"] for one in front.get("/ports?name=web")] == [port["id"]]


def test_server_is_booted_with_a_port(site, front, network):
    port = make_port(front, network, name="p")
    server = boot_with(site, port["id"])
    assert server.status == "ACTIVE"
    seen = front.get(f"/ports/{port['id']}")
    assert (seen["device_id"], seen["status"], seen["name"]) == (server.uuid, "ACTIVE", "p")
    assert seen["fixed_ips"] == port["fixed_ips"]
    (vif,) = server.instance().vifs
    assert (vif.id, vif.address, vif.fixed_ip) == (
        port["id"],
        port["mac_address"],
        address_of(port),
    )
    assert any(vif.address in line and vif.fixed_ip in line for line in site.cloud.dhcp_lines())


def test_port_stays_with_its_address_when_its_server_goes(site, front, network):
    port = make_port(front, network)
    server = boot_with(site, port["id"])
    server.delete()
    assert front.get(f"/ports/{port['id']}") == port
    assert site.cloud.dhcp_lines() == []
    again = boot_with(site, port["id"])
    assert again.instance().vifs[0].fixed_ip == address_of(port)


def test_port_of_a_failed_build_waits_for_another_server(site, front, network):
    port = make_port(front, network)
    for host in site.cloud.hosts:
        site.cloud.driver(host).fail_next("spawn", DriverError(operation="boot", reason="no"))
    server = boot_with(site, port["id"])
    assert server.status == "ERROR"
    server.delete()
    assert front.get(f"/ports/{port['id']}")["device_id"] == ""
    assert boot_with(site, port["id"]).status == "ACTIVE"


def test_port_follows_its_server_to_another_host(site, front, network):
    port = make_port(front, network)
    site.cloud.driver("host1").fail_next("spawn", DriverError(operation="boot", reason="no"))
    server = boot_with(site, port["id"])
    assert server.status == "ACTIVE"
    assert front.get(f"/ports/{port['id']}")["device_id"] == server.uuid


@pytest.mark.parametrize("port_id", [UNKNOWN, "foreign"])
def test_boot_with_a_port_that_is_not_there_is_refused(site, front, network, port_id):
    if port_id == "foreign":
        port_id = make_port(front.as_user("bob", OTHER_PROJECT), network)["id"]
    body = {"name": "x", "flavorRef": "2", "imageRef": site.cloud.image_id}
    body["networks"] = [{"port": port_id}]
    answer = site.cloud.rest.at("2.37").post("/servers", {"server": body})
    assert answer.status_int == 400
    assert port_id in answer.text


def test_boot_with_a_port_in_use_is_refused(site, front, network):
    port = make_port(front, network)
    boot_with(site, port["id"])
    body = {"name": "x", "flavorRef": "2", "imageRef": site.cloud.image_id}
    body["networks"] = [{"port": port["id"]}]
    assert site.cloud.rest.at("2.37").post("/servers", {"server": body}).status_int == 409
    body |= {"min_count": 2, "max_count": 2}
    assert site.cloud.rest.at("2.37").post("/servers", {"server": body}).status_int == 400


def ask_with(site, port_id):
    """Ask for a server with a port; nothing has run yet."""
    body = {"name": "x", "flavorRef": "2", "imageRef": site.cloud.image_id}
    body["networks"] = [{"port": port_id}]
    return site.cloud.rest.at("2.37").post("/servers", {"server": body})


def asked(site, answer):
    assert answer.status_int == 202, answer.text
    path = f"/servers/{answer.json['server']['id']}"
    return site.cloud.rest.get(path).json["server"]


def test_one_of_two_servers_that_are_booted_at_once_gets_a_port(site, front, network):
    port = make_port(front, network)
    answers = [ask_with(site, port["id"]) for _ in range(2)]
    site.cloud.run_until_idle()
    winner, loser = (asked(site, answer) for answer in answers)
    assert (winner["status"], loser["status"]) == ("ACTIVE", "ERROR")
    assert port["id"] in loser["fault"]["message"]
    assert front.get(f"/ports/{port['id']}")["device_id"] == winner["id"]
    assert front.get(f"/ports?device_id={loser['id']}") == []
    site.cloud.rest.delete(f"/servers/{loser['id']}")
    site.cloud.run_until_idle()
    seen = front.get(f"/ports/{port['id']}")
    assert (seen["device_id"], seen["fixed_ips"]) == (winner["id"], port["fixed_ips"])


def test_servers_that_are_booted_in_parallel_share_no_port(site, front, network):
    port = make_port(front, network)
    answers = in_parallel(6, lambda number: ask_with(site, port["id"]))
    site.cloud.run_until_idle()
    servers = [asked(site, answer) for answer in answers if answer.status_int != 409]
    winners = [server for server in servers if server["status"] == "ACTIVE"]
    assert [server["id"] for server in winners] == [front.get(f"/ports/{port['id']}")["device_id"]]
    assert {server["status"] for server in servers} <= {"ACTIVE", "ERROR"}


def test_port_that_is_attached_to_two_servers_at_once_is_in_one(site, front, network):
    port = make_port(front, network)
    servers = [site.cloud.boot() for _ in range(2)]
    body = {"interfaceAttachment": {"port_id": port["id"]}}
    rest = site.cloud.rest.at("2.90")
    answers = in_parallel(
        2, lambda number: rest.post(f"/servers/{servers[number].uuid}/os-interface", body)
    )
    assert sorted(answer.status_int for answer in answers) == [200, 409]
    site.cloud.run_until_idle()
    (winner,) = (
        server for server, answer in zip(servers, answers, strict=True) if answer.status_int == 200
    )
    assert front.get(f"/ports/{port['id']}")["device_id"] == winner.uuid
    assert [len(server.instance().vifs) for server in servers if server != winner] == [1]


def test_server_whose_port_is_deleted_before_it_is_built_fails(site, front, network):
    port = make_port(front, network)
    answer = ask_with(site, port["id"])
    front.delete(f"/ports/{port['id']}")
    site.cloud.run_until_idle()
    server = asked(site, answer)
    assert server["status"] == "ERROR" and port["id"] in server["fault"]["message"]
    assert site.ports() == []


def test_port_in_use_is_renamed_and_stays_in_use(site, front, network):
    port = make_port(front, network)
    server = boot_with(site, port["id"])
    before = front.get(f"/ports/{port['id']}")
    path = f"/ports/{port['id']}"
    assert front.put(path, name="n", device_id=server.uuid) == {**before, "name": "n"}
    for change in ({"device_id": ""}, {"device_id": UNKNOWN}, {"mac_address": "fa:16:3e:0:0:1"}):
        assert front.refused("PUT", path, **change)[:2] == (400, "NetworkingUnsupported")
    assert front.get(path) == {**before, "name": "n"}


def test_port_that_is_deleted_twice_while_in_use_is_gone_once(site, front, network):
    port = make_port(front, network)
    server = boot_with(site, port["id"])
    answers = [front.send("DELETE", f"/ports/{port['id']}") for _ in range(2)]
    assert [answer.status_int for answer in answers] in ([204, 204], [204, 404], [204, 409])
    site.cloud.run_until_idle()
    assert server.instance().vifs == ()
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert site.ports() == []


def test_port_is_attached_and_detached(site, front, network):
    server = site.cloud.boot()
    port = make_port(front, network)
    path = f"/servers/{server.uuid}/os-interface"
    answer = site.cloud.rest.at("2.90").post(path, {"interfaceAttachment": {"port_id": port["id"]}})
    assert answer.status_int == 200, answer.text
    assert answer.json["interfaceAttachment"]["port_id"] == port["id"]
    site.cloud.run_until_idle()
    assert front.get(f"/ports/{port['id']}")["device_id"] == server.uuid
    assert len(front.get(f"/ports?device_id={server.uuid}")) == 2
    again = site.cloud.rest.at("2.90").post(path, {"interfaceAttachment": {"port_id": port["id"]}})
    assert again.status_int == 409
    assert site.cloud.rest.delete(f"{path}/{port['id']}").status_int == 202
    site.cloud.run_until_idle()
    assert front.get(f"/ports/{port['id']}") == port


def test_attach_of_a_port_that_fails_leaves_the_port(site, front, network):
    server = site.cloud.boot()
    port = make_port(front, network)
    driver = site.cloud.driver(server.instance().host)
    driver.fail_next("attach_interface", DriverError(operation="attach", reason="no"))
    path = f"/servers/{server.uuid}/os-interface"
    site.cloud.rest.at("2.90").post(path, {"interfaceAttachment": {"port_id": port["id"]}})
    site.cloud.run_until_idle()
    assert front.get(f"/ports/{port['id']}") == port


def test_deleting_a_port_detaches_it(site, front, network):
    port = make_port(front, network)
    server = boot_with(site, port["id"])
    front.delete(f"/ports/{port['id']}")
    site.cloud.run_until_idle()
    assert front.refused("GET", f"/ports/{port['id']}")[:2] == (404, "PortNotFound")
    assert server.instance().vifs == ()
    assert site.cloud.dhcp_lines() == []


def test_address_of_a_deleted_port_is_given_again(site, front, network):
    port = make_port(front, network)
    front.delete(f"/ports/{port['id']}")
    assert front.refused("DELETE", f"/ports/{port['id']}")[0] == 404
    assert address_of(make_port(front, network)) == address_of(port)
    assert len(site.ports()) == 1


def test_port_can_be_renamed_and_nothing_else(site, front, network):
    port = make_port(front, network)
    path = f"/ports/{port['id']}"
    assert front.put(path, name="n")["name"] == "n"
    assert front.put(path, admin_state_up=True, mac_address=port["mac_address"])["name"] == "n"
    for change in (
        {"admin_state_up": False},
        {"fixed_ips": []},
        {"security_groups": [UNKNOWN]},
        {"device_id": UNKNOWN},
        {"allowed_address_pairs": [{"ip_address": "10.0.0.1"}]},
    ):
        status, kind, message = front.refused("PUT", path, **change)
        assert (status, kind) == (400, "NetworkingUnsupported"), message
        assert message.startswith("Not supported by nova-network: ")


def test_ports_count_as_fixed_addresses(new_cloud):
    site = make_networking_site(new_cloud(quotas={"fixed_ips": 2}))
    (network,) = site.front.get("/networks?name=private")
    port = make_port(site.front, network)
    assert site.front.get(f"/quotas/{PROJECT}/details")["port"] == {
        "limit": 2,
        "used": 1,
        "reserved": 0,
    }
    assert boot_with(site, port["id"]).status == "ACTIVE"
    make_port(site.front, network)
    status, kind, _ = site.front.refused("POST", "/ports", network_id=network["id"])
    assert (status, kind) == (409, "QuotaExceeded")


def test_full_network_has_no_more_ports(new_cloud):
    site = make_networking_site(new_cloud(hosts=1, cidr="10.0.0.0/29"))
    (network,) = site.front.get("/networks?name=private")
    # One address is the host's own.
    for _ in range(4):
        make_port(site.front, network)
    status, kind, _ = site.front.refused("POST", "/ports", network_id=network["id"])
    assert (status, kind) == (409, "NoMoreFixedIps")


def test_port_costs_one_conductor_call(site, front, network):
    before = len(site.cloud.bus.calls)
    front.get("/ports")
    assert len(site.cloud.bus.calls) - before == 1
