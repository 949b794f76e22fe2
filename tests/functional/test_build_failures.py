import copy
import json

import pytest

from nova import exception
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.context import get_admin_context
from nova.objects.instance import Scope
from nova.virt.fake import FakeSize

REFUSED = exception.DriverError(operation="start the guest", reason="/var/lib/secret is full")


def reports(cloud, server):
    client = cloud.bus.client(ConductorInstances).anyone()
    return client.explain(get_admin_context(), Scope(), server.uuid)


# --- No valid host


def test_no_valid_host_says_why_to_the_tenant_and_with_numbers_to_the_admin(cloud):
    server = cloud.boot("huge")
    found = server.show()
    assert found["status"] == "ERROR"
    assert found["fault"]["code"] == 500
    assert found["fault"]["message"] == (
        "No valid host was found. Of 2 hosts, RamFilter removed 2 (not enough free memory)."
    )
    (report,) = reports(cloud, server)
    ram = next(result for result in report.filters if result.name == "RamFilter")
    assert {entry.host for entry in ram.rejected} == {"host1", "host2"}
    assert all("999999 MB wanted" in entry.reason for entry in ram.rejected)
    assert cloud.usage()["instances"] == 1
    server.delete()
    cloud.assert_nothing_left()


def test_hosts_that_are_down_are_said_to_be_down(cloud):
    for host in list(cloud.hosts):
        cloud.crash_compute(host)
    cloud.advance(120)
    message = cloud.boot().show()["fault"]["message"]
    assert "ComputeFilter removed 2 (compute service disabled or down)" in message


def test_cloud_without_hosts_says_so(new_cloud):
    assert "There are no compute hosts." in new_cloud(hosts=0).boot().show()["fault"]["message"]


def test_cloud_that_is_full_serves_again_after_a_deletion(new_cloud):
    cloud = new_cloud(hosts=1, size=FakeSize(vcpus=1, memory_mb=1024, local_gb=200))
    first = cloud.boot()
    assert cloud.boot().status == "ERROR"
    first.delete()
    assert cloud.boot().status == "ACTIVE"


# --- Images


@pytest.mark.parametrize(
    "error",
    [
        exception.ImageNotFound(image_id="cirros"),
        exception.ImageUnacceptable(image_id="cirros", reason="it has a backing file"),
        exception.ImageTooLarge(image_id="cirros", need_bytes=5, allowed_bytes=4),
        exception.ImageCorrupt(image_id="cirros", algorithm="sha512"),
    ],
)
def test_img_refused_by_the_host_ends_the_build_with_a_reason(cloud, error):
    for host in cloud.hosts:
        cloud.driver(host).fail_next("spawn", error, count=3)
    server = cloud.boot()
    assert server.status == "ERROR"
    assert server.show()["fault"]["message"].endswith(str(error))
    spawns = [
        call for host in cloud.hosts for call in cloud.driver(host).calls if call[0] == "spawn"
    ]
    assert len(spawns) == 1
    server.delete()
    cloud.assert_nothing_left()


def test_img_unknown_to_the_api_is_refused_at_once(cloud):
    unknown = "99999999-2222-4333-8444-555555555555"
    body = {"server": {"name": "web", "flavorRef": "2", "imageRef": unknown}}
    answer = cloud.rest.post("/servers", body)
    assert answer.status_int == 400
    assert unknown in answer.text
    cloud.assert_nothing_left()


# --- Networks


def test_network_without_free_addresses_fails_with_a_reason(new_cloud):
    cloud = new_cloud(hosts=1, cidr="10.0.0.0/29")
    servers = [cloud.boot("tiny") for _ in range(8)]
    failed = [server for server in servers if server.status == "ERROR"]
    built = [server for server in servers if server.status == "ACTIVE"]
    assert failed
    assert built
    for server in failed:
        assert "fixed IP addresses" in server.show()["fault"]["message"]
    for server in servers:
        server.delete()
    cloud.assert_nothing_left()


def test_addresses_of_deleted_servers_are_given_out_again(new_cloud):
    cloud = new_cloud(hosts=1, cidr="10.0.0.0/29")
    for _ in range(20):
        server = cloud.boot("tiny")
        assert server.status == "ACTIVE"
        server.delete()


def test_host_whose_network_fails_is_replaced_by_another(cloud):
    cloud.hosts["host1"].network.fail_next("ensure_server", 10)
    for _ in range(2):
        server = cloud.boot()
        assert (server.status, server.instance().host) == ("ACTIVE", "host2")
    assert cloud.driver("host1").list_files() == set()
    assert cloud.claims()["host1"] == (0, 0, 0, 0)


# --- The hypervisor


def test_refused_server_is_built_on_the_next_host(cloud):
    refuse_the_first(cloud)
    server = cloud.boot(config_drive=True)
    assert server.status == "ACTIVE"
    last = server.instance().host
    (first,) = set(cloud.hosts) - {last}
    assert ("spawn", server.uuid) in cloud.driver(first).calls
    assert cloud.driver(first).list_files() == set()
    assert cloud.claims()[first] == (0, 0, 0, 0)
    assert len(cloud.dhcp_lines()) == 1
    files = cloud.driver(last).guests[server.uuid].config_drive
    document = json.loads(files["openstack/latest/meta_data.json"])
    assert document["admin_pass"] == server.admin_password


def refuse_the_first(cloud):
    """Let whichever host is asked first refuse the next server."""

    def refuse():
        for host in cloud.hosts.values():
            host.driver.forget_failures()
        raise REFUSED

    for host in cloud.hosts.values():
        host.driver.during_next("spawn", refuse)


def as_admin(cloud):
    """Return the same cloud in the hands of an administrator."""
    found = copy.copy(cloud)
    found.rest = cloud.rest.as_admin()
    return found


def test_server_forced_to_a_host_is_built_there_or_nowhere(cloud):
    admin = as_admin(cloud)
    assert admin.boot(availability_zone="nova:host2").instance().host == "host2"
    cloud.driver("host2").fail_next("spawn", REFUSED)
    server = admin.boot(availability_zone="nova:host2")
    assert server.status == "ERROR"
    assert [call for call in cloud.driver("host1").calls if call[0] == "spawn"] == []
    assert admin.boot(availability_zone="nova:nowhere").status == "ERROR"


def test_server_that_every_host_refuses_ends_in_error_after_the_attempts(new_cloud):
    cloud = new_cloud(hosts=5)
    for host in cloud.hosts:
        cloud.driver(host).fail_next("spawn", REFUSED, count=5)
    server = cloud.boot()
    found = server.show()
    assert found["status"] == "ERROR"
    assert "secret" not in found["fault"]["message"]
    tried = [
        host for host in cloud.hosts for call in cloud.driver(host).calls if call[0] == "spawn"
    ]
    assert len(tried) == 3
    assert len(set(tried)) == 3
    assert len(cloud.dhcp_lines()) == 0
    assert set(cloud.claims().values()) == {(0, 0, 0, 0)}
    (create,) = server.actions()
    assert create.message == "Error"
    assert any("secret" in (event.traceback or "") for event in create.events)
    server.delete()
    cloud.assert_nothing_left()


def test_fault_names_the_last_failure_when_no_host_is_left(new_cloud):
    cloud = new_cloud(hosts=1)
    cloud.driver("host1").fail_next("spawn", REFUSED)
    assert cloud.boot().show()["fault"]["message"] == (
        "No valid host was found. Of 1 host, IgnoredHosts removed 1 (an earlier attempt failed "
        "there). The last attempt failed: The hypervisor could not start the server."
    )


def test_host_where_builds_failed_is_avoided_afterwards(new_cloud):
    cloud = new_cloud(hosts=3)
    cloud.driver("host1").fail_next("spawn", REFUSED)
    for _ in range(3):
        cloud.boot()
    cloud.advance(10)
    hosts = {cloud.boot().instance().host for _ in range(6)}
    assert "host1" not in hosts
