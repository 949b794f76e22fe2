"""Interfaces that servers get and lose, from REST to hypervisor and DHCP."""

import ipaddress

import pytest

from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.context import get_admin_context
from nova.exception import DriverError
from nova.objects.addresses import subnet_uuid
from nova.objects.network import NewNetwork
from tests.fixtures.rest import OTHER_PROJECT, PROJECT

REFUSED = DriverError(operation="attach the interface", reason="no")
UNKNOWN = "99999999-2222-4333-8444-555555555555"


def make_network(cloud, label="second", cidr="10.1.0.0/24", **changes):
    """Add a network and return it."""
    networks = cloud.bus.client(ConductorNetworks).anyone()
    new = NewNetwork(label=label, cidr=cidr, bridge=f"br-{label}"[:15], multi_host=True, **changes)
    (network,) = networks.create(get_admin_context(), new)
    cloud.run_until_idle()
    return network


def path(server, vif_id=None):
    return f"/servers/{server.uuid}/os-interface" + (f"/{vif_id}" if vif_id else "")


def request(cloud, server, version="2.90", **wanted):
    body = {"interfaceAttachment": wanted} if wanted else {}
    return cloud.rest.at(version).post(path(server), body)


def attach(cloud, server, version="2.90", **wanted):
    answer = request(cloud, server, version, **wanted)
    assert answer.status_int == 200, answer.text
    cloud.run_until_idle()
    return answer.json["interfaceAttachment"]


def detach(cloud, server, vif_id):
    answer = cloud.rest.delete(path(server, vif_id))
    assert answer.status_int == 202, answer.text
    assert answer.body == b""
    cloud.run_until_idle()


def interfaces(cloud, server, version="2.90"):
    return cloud.rest.at(version).get(path(server)).json["interfaceAttachments"]


def addresses(server):
    return [vif.fixed_ip for vif in server.instance().vifs]


def in_guest(cloud, server):
    """Return the MAC addresses that the guest has."""
    return set(cloud.driver(server.instance().host).guests[server.uuid].interfaces)


def assert_agreed(cloud, server):
    """Check that guest, DHCP and conductor have the same interfaces."""
    vifs = server.instance().vifs
    assert in_guest(cloud, server) == {vif.address for vif in vifs}
    lines = cloud.dhcp_lines()
    assert len(lines) == len(vifs)
    for vif in vifs:
        assert [line for line in lines if vif.address in line and vif.fixed_ip in line]
    given = [address for found in cloud.bindings().values() for address in found]
    assert sorted(given) == sorted(vif.fixed_ip for vif in vifs)


# --- Attach and detach


def test_interface_comes_with_an_address_and_goes_with_it(cloud):
    server, network = cloud.boot(), make_network(cloud)
    before = addresses(server)
    made = attach(cloud, server, net_id=network.uuid)
    (fixed_ip,) = made["fixed_ips"]
    assert ipaddress.ip_address(fixed_ip["ip_address"]) in ipaddress.ip_network("10.1.0.0/24")
    assert (made["net_id"], made["port_state"]) == (network.uuid, "ACTIVE")
    assert addresses(server) == [*before, fixed_ip["ip_address"]]
    assert interfaces(cloud, server)[1] == made
    shown = cloud.rest.at("2.90").get(path(server, made["port_id"]))
    assert shown.json == {"interfaceAttachment": made}
    assert_agreed(cloud, server)

    detach(cloud, server, made["port_id"])
    assert addresses(server) == before
    assert_agreed(cloud, server)
    assert [record.action for record in server.actions()][:2] == [
        "detach_interface",
        "attach_interface",
    ]
    assert [record.events[0].event for record in server.actions()][:2] == [
        "compute_detach_interface",
        "compute_attach_interface",
    ]
    server.delete()
    cloud.assert_nothing_left()


def test_second_interface_in_a_network_survives_the_end_of_the_first(cloud):
    server = cloud.boot()
    first = server.instance().vifs[0]
    attach(cloud, server, net_id=first.network.uuid)
    assert_agreed(cloud, server)
    detach(cloud, server, first.id)
    assert first.id not in {vif.id for vif in server.instance().vifs}
    assert_agreed(cloud, server)


def test_without_a_wish_the_server_gets_a_network_that_it_is_not_in(cloud):
    server, network = cloud.boot(), make_network(cloud)
    assert attach(cloud, server)["net_id"] == network.uuid
    assert attach(cloud, server)["net_id"] == server.instance().vifs[0].network.uuid


def test_stopped_server_gets_its_interface_at_its_start(cloud):
    server, network = cloud.boot(), make_network(cloud)
    server.act({"os-stop": None})
    assert attach(cloud, server, net_id=network.uuid)["port_state"] == "DOWN"
    server.act({"os-start": None})
    assert_agreed(cloud, server)


def test_address_can_be_chosen(cloud):
    server, network = cloud.boot(), make_network(cloud)
    wish = [{"ip_address": "10.1.0.77"}]
    made = attach(cloud, server, net_id=network.uuid, fixed_ips=wish)
    subnet = subnet_uuid(network.uuid, 4)
    assert made["fixed_ips"] == [{"ip_address": "10.1.0.77", "subnet_id": subnet}]
    answer = request(cloud, server, net_id=network.uuid, fixed_ips=wish)
    assert answer.status_int == 409
    outside = [{"ip_address": "10.9.0.77"}]
    assert request(cloud, server, net_id=network.uuid, fixed_ips=outside).status_int == 400
    assert_agreed(cloud, server)


def test_tag_is_kept_and_shown_from_2_70(cloud):
    server = cloud.boot()
    made = attach(cloud, server, version="2.49", tag="lan")
    assert "tag" not in made
    assert [each["tag"] for each in interfaces(cloud, server, "2.70")] == [None, "lan"]
    assert all("tag" not in each for each in interfaces(cloud, server, "2.69"))
    assert request(cloud, server, "2.48", tag="lan").status_int == 400


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"net_id": UNKNOWN}, 404),
        ({"port_id": UNKNOWN}, 404),
        ({"net_id": UNKNOWN, "port_id": UNKNOWN}, 400),
        ({"fixed_ips": [{"ip_address": "10.0.0.9"}]}, 400),
        ({"net_id": UNKNOWN, "fixed_ips": []}, 400),
        ({"net_id": "no uuid"}, 400),
        ({"surprise": 1}, 400),
    ],
)
def test_wish_that_can_not_be_granted_changes_nothing(cloud, wanted, status):
    server = cloud.boot()
    assert request(cloud, server, **wanted).status_int == status
    cloud.run_until_idle()
    assert len(server.instance().vifs) == 1
    assert len(server.actions()) == 1
    assert_agreed(cloud, server)


def test_network_without_free_addresses_gives_none(cloud):
    server = cloud.boot()
    network = make_network(cloud, cidr="10.1.0.0/29")
    found = 0
    while (answer := request(cloud, server, net_id=network.uuid)).status_int == 200:
        cloud.run_until_idle()
        found += 1
    assert answer.status_int in (400, 403, 409, 503), answer.text
    assert len(server.instance().vifs) == 1 + found
    assert_agreed(cloud, server)


def test_number_of_interfaces_is_limited(cloud):
    server = cloud.boot()
    for _ in range(15):
        attach(cloud, server)
    assert request(cloud, server).status_int == 403
    assert len(server.instance().vifs) == 16


def test_subnets_of_both_families_differ_and_stay_the_same(cloud):
    server = cloud.boot()
    network = make_network(cloud, cidr_v6="2001:db8::/64")
    pairs = [attach(cloud, server, net_id=network.uuid)["fixed_ips"] for _ in range(2)]
    ids = [[each["subnet_id"] for each in pair] for pair in pairs]
    assert ids[0] == ids[1]
    assert len({*ids[0], network.uuid}) == 3


def test_md_04_address_of_an_interface_that_is_gone_is_forgotten(cloud):
    server = cloud.boot()
    made = attach(cloud, server)
    assert not [record for record in cloud.bus.calls if record.method == "forget"]
    detach(cloud, server, made["port_id"])
    assert len([record for record in cloud.bus.calls if record.method == "forget"]) == 1


def test_address_of_an_interface_that_is_gone_can_be_taken_by_another_server(cloud):
    first, second = cloud.boot(), cloud.boot()
    network = make_network(cloud)
    wish = {"net_id": network.uuid, "fixed_ips": [{"ip_address": "10.1.0.77"}]}
    made = attach(cloud, first, **wish)
    assert request(cloud, second, **wish).status_int == 409
    detach(cloud, first, made["port_id"])
    attach(cloud, second, **wish)
    assert addresses(second)[-1] == "10.1.0.77"


# --- Two tenants


def test_az_03_interface_of_another_server_is_not_found_through_ones_own(cloud):
    mine, theirs = cloud.boot(), cloud.boot()
    foreign = theirs.instance().vifs[0].id
    for vif_id in (foreign, UNKNOWN, "no-uuid"):
        assert cloud.rest.get(path(mine, vif_id)).status_int == 404
        assert cloud.rest.delete(path(mine, vif_id)).status_int == 404
    cloud.run_until_idle()
    assert len(theirs.instance().vifs) == 1
    assert len(mine.actions()) == 1


def test_az_01_server_of_another_project_is_not_found(cloud):
    server = cloud.boot()
    other = cloud.api("bob", OTHER_PROJECT)
    vif_id = server.instance().vifs[0].id
    answers = [
        other.get(path(server)),
        other.get(path(server, vif_id)),
        other.post(path(server), {}),
        other.post(path(server), {"interfaceAttachment": {"port_id": vif_id}}),
        other.delete(path(server, vif_id)),
    ]
    assert [answer.status_int for answer in answers] == [404] * len(answers)
    cloud.run_until_idle()
    assert_agreed(cloud, server)


def test_az_02_network_of_another_project_can_not_be_used(cloud):
    server = cloud.boot()
    private = make_network(cloud, label="theirs", project_id=OTHER_PROJECT)
    assert request(cloud, server, net_id=private.uuid).status_int == 404
    own = make_network(cloud, label="ours", cidr="10.2.0.0/24", project_id=PROJECT)
    assert attach(cloud, server, net_id=own.uuid)["net_id"] == own.uuid


def test_locked_server_keeps_its_interfaces(cloud):
    server = cloud.boot()
    server.act({"lock": None})
    vif_id = server.instance().vifs[0].id
    assert request(cloud, server).status_int == 409
    assert cloud.rest.delete(path(server, vif_id)).status_int == 409


# --- What goes wrong


def test_interface_that_the_host_can_not_attach_is_given_back(cloud):
    server = cloud.boot()
    cloud.driver(server.instance().host).fail_next("attach_interface", REFUSED)
    attach(cloud, server)
    assert len(server.instance().vifs) == 1
    assert_agreed(cloud, server)
    newest = server.actions()[0]
    assert (newest.message, newest.events[0].result) == ("Error", "Error")
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    server.delete()
    cloud.assert_nothing_left()


def test_interface_that_the_guest_does_not_let_go_stays(cloud):
    server = cloud.boot()
    vif_id = server.instance().vifs[0].id
    cloud.driver(server.instance().host).fail_next("detach_interface", REFUSED)
    detach(cloud, server, vif_id)
    assert [vif.id for vif in server.instance().vifs] == [vif_id]
    assert_agreed(cloud, server)
    detach(cloud, server, vif_id)
    assert server.instance().vifs == ()
    assert_agreed(cloud, server)


@pytest.mark.parametrize("fault", ["drop_next", "double_next", "delay_next"])
@pytest.mark.parametrize("message", ["run_operation", "start", "finish"])
def test_both_end_whatever_happens_to_their_messages(cloud, fault, message):
    server = cloud.boot()
    getattr(cloud.bus, fault)(message)
    made = attach(cloud, server)
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert len(server.instance().vifs) == 2
    assert_agreed(cloud, server)
    getattr(cloud.bus, fault)(message)
    detach(cloud, server, made["port_id"])
    cloud.advance(20)
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert len(server.instance().vifs) == 1
    assert_agreed(cloud, server)


@pytest.mark.parametrize("operation", ["attach_interface", "detach_interface"])
def test_both_go_on_after_the_restart_of_compute(cloud, operation):
    server = cloud.boot()
    host = server.instance().host
    made = attach(cloud, server)
    cloud.crash_compute_during(host, operation)
    if operation == "attach_interface":
        attach(cloud, server)
    else:
        detach(cloud, server, made["port_id"])
    cloud.restart_compute(host)
    expected = 3 if operation == "attach_interface" else 1
    assert len(server.instance().vifs) == expected
    assert_agreed(cloud, server)


def test_net_01_guest_does_not_get_back_an_interface_that_it_is_losing(cloud):
    server = cloud.boot()
    made, host = attach(cloud, server), server.instance().host
    cloud.crash_compute(host)
    assert cloud.rest.delete(path(server, made["port_id"])).status_int == 202
    reboot = {"reboot": {"type": "SOFT"}}
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", reboot)
    assert answer.status_int == 409
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    cloud.restart_compute(host)
    server.act(reboot)
    assert len(server.instance().vifs) == 1
    assert_agreed(cloud, server)


@pytest.mark.parametrize("verb", ["attach", "detach"])
def test_hard_reboot_in_the_middle_leaves_guest_and_records_alike(cloud, verb):
    server = cloud.boot()
    made, host = attach(cloud, server), server.instance().host
    cloud.crash_compute(host)
    if verb == "attach":
        assert request(cloud, server).status_int == 200
    else:
        assert cloud.rest.delete(path(server, made["port_id"])).status_int == 202
    server.act({"reboot": {"type": "HARD"}})
    cloud.restart_compute(host)
    cloud.advance(20)
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert len(server.instance().vifs) == (3 if verb == "attach" else 2)
    assert_agreed(cloud, server)


def test_server_that_is_losing_an_interface_can_be_deleted(cloud):
    server = cloud.boot()
    made = attach(cloud, server)
    assert cloud.rest.delete(path(server, made["port_id"])).status_int == 202
    server.delete()
    cloud.advance(60)
    cloud.assert_nothing_left()


def test_doubled_detach_takes_one_interface_only(cloud):
    server = cloud.boot()
    made = attach(cloud, server)
    for _ in range(2):
        assert cloud.rest.delete(path(server, made["port_id"])).status_int == 202
    cloud.run_until_idle()
    assert len(server.instance().vifs) == 1
    assert_agreed(cloud, server)


def test_deletion_in_the_middle_of_an_attachment_leaves_nothing(cloud):
    server = cloud.boot()
    driver = cloud.driver(server.instance().host)
    driver.during_next("attach_interface", server.request_delete)
    assert request(cloud, server).status_int == 200
    cloud.run_until_idle()
    cloud.advance(60)
    cloud.assert_nothing_left()


def test_attachment_takes_one_call_and_statements_do_not_grow(cloud):
    server = cloud.boot()
    counts = []
    for _ in range(6):
        cloud.statements.take()
        assert request(cloud, server).status_int == 200
        counts.append(len(cloud.statements.take()))
        cloud.run_until_idle()
    assert counts[-1] <= counts[0]
