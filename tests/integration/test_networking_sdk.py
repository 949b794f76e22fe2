"""openstacksdk and the openstack command over the Networking API, without any server.

Both APIs of a cloud in memory are served on loopback; tokens are believed.
"""

import contextlib
import dataclasses
import json
import threading
import wsgiref.simple_server
from collections.abc import Iterable, Iterator
from typing import Any

import openstack
import pytest
from openstack.connection import Connection

from nova.api.openstack.environment import WsgiApp
from tests.fixtures.clients import Done, call
from tests.fixtures.cloud import FLAVORS, IMAGE_ID, make_cloud
from tests.fixtures.networking import POOL, NetworkingSite, make_networking_site
from tests.fixtures.rest import PROJECT
from tests.fixtures.time import frozen_clock

__all__ = ["frozen_clock"]

pytestmark = pytest.mark.integration


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(app: WsgiApp) -> Iterator[str]:
    """Serve an application on loopback; give its URL."""
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def images(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Be an image service of one image, as far as the command looks at it."""
    base = f"http://{environ['HTTP_HOST']}/v2/"
    versions = {"id": "v2.9", "status": "CURRENT", "links": [{"rel": "self", "href": base}]}
    found = environ["PATH_INFO"].endswith(IMAGE_ID)
    image = {"id": IMAGE_ID, "name": "cirros", "status": "active"}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(image if found else {"versions": [versions]}).encode()]


@dataclasses.dataclass(frozen=True)
class Clients:
    """The site with the addresses of its APIs."""

    site: NetworkingSite
    compute: str
    network: str
    image: str

    def connect(self, user: str = "alice", project: str = PROJECT) -> Connection:
        """Return the SDK in the hands of a user."""
        return openstack.connection.Connection(
            auth_type="admin_token",
            auth={"endpoint": self.network, "token": f"{user}:{project}"},
            compute_endpoint_override=f"{self.compute}/v2.1",
            network_endpoint_override=self.network,
            compute_api_version="2.1",
        )

    def run(self, line: str, user: str = "alice") -> Any:
        """Run a command of openstack that must succeed; return its table, if it has one."""
        done = self.call(line, user)
        assert done.code == 0, (line, done.out, done.err)
        return json.loads(done.out) if done.out.strip() else None

    def call(self, line: str, user: str = "alice") -> Done:
        """Run a command of openstack."""
        login = {
            "OS_AUTH_TYPE": "admin_token",
            "OS_ENDPOINT": self.network,
            "OS_TOKEN": f"{user}:{PROJECT}",
            "OS_COMPUTE_ENDPOINT_OVERRIDE": f"{self.compute}/v2.1",
            "OS_NETWORK_ENDPOINT_OVERRIDE": self.network,
            "OS_IMAGE_ENDPOINT_OVERRIDE": f"{self.image}/v2",
        }
        return call("openstack", line, login)


@pytest.fixture
def clients(frozen_clock: Any) -> Iterator[Clients]:
    """Give a cloud whose messages run by themselves."""
    cloud = make_cloud(frozen_clock, threads=4)
    site = make_networking_site(cloud)
    compute, network = served(cloud.rest.app), served(site.front.rest.app)
    with compute as compute_url, network as network_url, served(images) as image_url:
        yield Clients(site=site, compute=compute_url, network=network_url, image=image_url)
    cloud.close()


@pytest.fixture
def member(clients: Clients) -> Iterator[Connection]:
    """Give the SDK in the hands of a member."""
    with clients.connect() as connection:
        yield connection


def boot(clients: Clients, connection: Connection, **wanted: Any) -> Any:
    server = connection.compute.create_server(
        name="web", image_id=IMAGE_ID, flavor_id=FLAVORS["small"].flavorid, **wanted
    )
    clients.site.cloud.run_until_idle()
    found = connection.compute.get_server(server)
    assert found.status == "ACTIVE"
    return found


def test_networks_and_subnets_are_found_by_name(member: Connection) -> None:
    network = member.network.find_network("private", ignore_missing=False)
    assert (network.name, network.is_router_external, network.status) == (
        "private",
        False,
        "ACTIVE",
    )
    assert network.is_shared is True
    (subnet,) = member.network.subnets(network_id=network.id)
    assert [subnet.id] == network.subnet_ids
    assert (subnet.cidr, subnet.ip_version, subnet.gateway_ip) == ("10.0.0.0/24", 4, "10.0.0.1")
    assert member.network.find_subnet("private", ignore_missing=False).id == subnet.id
    (pool,) = member.network.networks(is_router_external=True)
    assert pool.name == POOL
    assert member.network.find_network("none") is None
    assert list(member.network.routers()) == []
    assert member.network.find_extension("router") is not None
    assert member.network.find_extension("tag-ports-during-bulk-creation") is None


def test_server_with_a_port_and_a_floating_address(clients: Clients, member: Connection) -> None:
    network = member.network.find_network("private", ignore_missing=False)
    port = member.network.create_port(network_id=network.id, name="front")
    assert member.network.find_port("front", ignore_missing=False).id == port.id
    server = boot(clients, member, networks=[{"port": port.id}])
    (found,) = member.network.ports(device_id=server.id)
    assert (found.id, found.fixed_ips) == (port.id, port.fixed_ips)
    assert found.status == "ACTIVE"
    pool = member.network.find_network(POOL, ignore_missing=False)
    address = member.network.create_ip(floating_network_id=pool.id)
    assert member.network.find_ip(address.floating_ip_address, ignore_missing=False).id == (
        address.id
    )
    led = member.network.update_ip(address, port_id=port.id)
    assert (led.status, led.fixed_ip_address) == ("ACTIVE", port.fixed_ips[0]["ip_address"])
    assert member.network.update_ip(address, port_id=None).status == "DOWN"
    member.network.delete_ip(address, ignore_missing=False)
    member.network.delete_port(port, ignore_missing=False)
    clients.site.cloud.run_until_idle()
    assert member.network.find_port("front") is None


def test_groups_and_rules(member: Connection) -> None:
    group = member.network.create_security_group(name="web", description="d")
    rule = member.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        ether_type="IPv4",
        protocol="tcp",
        port_range_min=22,
        port_range_max=22,
        remote_ip_prefix="0.0.0.0/0",
    )
    assert len(list(member.network.security_group_rules(security_group_id=group.id))) == 3
    member.network.delete_security_group_rule(rule, ignore_missing=False)
    assert member.network.find_security_group("web", ignore_missing=False).id == group.id
    member.network.delete_security_group(group, ignore_missing=False)
    assert member.network.find_security_group("web") is None
    assert member.network.find_security_group("default") is not None


def test_lists_by_pages_are_whole(clients: Clients, member: Connection) -> None:
    network = member.network.find_network("private", ignore_missing=False)
    made = {member.network.create_port(network_id=network.id).id for _ in range(5)}
    assert {port.id for port in member.network.ports(limit=2)} == made


def test_quotas(clients: Clients, member: Connection) -> None:
    quota = member.network.get_quota(PROJECT)
    assert quota.routers == 0
    compute = clients.site.cloud.rest.get(f"/os-quota-sets/{PROJECT}").json["quota_set"]
    assert (quota.ports, quota.floating_ips) == (compute["fixed_ips"], compute["floating_ips"])
    assert quota.security_groups == compute["security_groups"]
    assert quota.security_group_rules == compute["security_group_rules"]
    details = member.network.get_quota(PROJECT, details=True)
    assert details.ports["used"] == 0
    with clients.connect("admin", "c" * 32) as admin:
        assert admin.network.update_quota(PROJECT, floating_ips=7).floating_ips == 7
        assert [use.network_name for use in admin.network.network_ip_availabilities()] == [
            "private"
        ]


def test_openstack_commands(clients: Clients) -> None:
    run = clients.run
    assert {one["Name"] for one in run("network list -f json")} == {"private", POOL}
    assert run("network show private -f json")["name"] == "private"
    assert [one["Subnet"] for one in run("subnet list -f json")] == ["10.0.0.0/24"]
    assert run("subnet show private -f json")["cidr"] == "10.0.0.0/24"
    port = run("port create --network private p1 -f json")
    assert run("port list -f json")[0]["ID"] == port["id"]
    run("port set --name p2 p1")
    assert run("port show p2 -f json")["status"] == "DOWN"
    run("security group create web -f json")
    run("security group rule create --protocol tcp --dst-port 22 web -f json")
    assert len(run("security group rule list web -f json")) == 3
    assert {one["Name"] for one in run("security group list -f json")} == {"web", "default"}
    made = run(f"floating ip create {POOL} -f json")
    address = made["floating_ip_address"]
    refused = clients.call(f"floating ip set --port p2 {address}")
    assert refused.code == 1 and "has no server yet" in refused.err
    assert len(run("floating ip list -f json")) == 1
    run(f"floating ip delete {address}")
    run("port delete p2")
    run("security group delete web")
    assert run("router list -f json") == []
    refused = clients.call("router create r")
    assert refused.code == 1 and "Not supported by nova-network" in refused.err


def test_openstack_server_commands(clients: Clients) -> None:
    run, site = clients.run, clients.site
    flavor = FLAVORS["small"].flavorid
    made = run(f"server create --network private --flavor {flavor} --image {IMAGE_ID} web -f json")
    site.cloud.run_until_idle()
    (port,) = run(f"port list --server {made['id']} -f json")
    address = run(f"floating ip create {POOL} -f json")["floating_ip_address"]
    run(f"server add floating ip web {address}")
    assert run(f"floating ip show {address} -f json")["port_id"] == port["ID"]
    run(f"server remove floating ip web {address}")
    assert run(f"floating ip show {address} -f json")["port_id"] is None
    run("port create --network private second -f json")
    run("server add port web second")
    site.cloud.run_until_idle()
    assert len(run(f"port list --server {made['id']} -f json")) == 2
    run("server delete web")
    site.cloud.run_until_idle()
    (left,) = run("port list -f json")
    assert left["Name"] == "second"


def boot_by_command(clients: Clients, options: str = "", name: str = "web") -> str:
    flavor = FLAVORS["small"].flavorid
    usual = f"--network private --flavor {flavor} --image {IMAGE_ID}"
    made = clients.run(f"server create {usual} {options} {name} -f json")
    clients.site.cloud.run_until_idle()
    return str(made["id"])


def ports_of(clients: Clients, server_id: str) -> list[Any]:
    clients.site.cloud.run_until_idle()
    found = clients.run(f"port list --server {server_id} -f json")
    assert isinstance(found, list)
    return found


def groups_of(clients: Clients, server_id: str) -> set[str]:
    clients.site.cloud.run_until_idle()
    found = clients.run(f"server show {server_id} -f json")["security_groups"]
    return {group["name"] for group in found}


def test_openstack_puts_servers_into_groups(clients: Clients) -> None:
    run = clients.run
    for name in ("front", "back"):
        run(f"security group create {name} -f json")
    server_id = boot_by_command(clients, "--security-group front")
    assert groups_of(clients, server_id) == {"front"}
    run("server add security group web back")
    assert groups_of(clients, server_id) == {"front", "back"}
    (port,) = ports_of(clients, server_id)
    assert len(run(f"port show {port['ID']} -f json")["security_group_ids"]) == 2
    refused = clients.call("security group delete back")
    assert refused.code == 1 and "back" in refused.err
    run("server remove security group web front")
    assert groups_of(clients, server_id) == {"back"}
    assert clients.call("server remove security group web front").code == 1
    assert clients.call("server add security group web none").code == 1


def test_openstack_gives_and_takes_addresses_networks_and_ports(clients: Clients) -> None:
    run = clients.run
    server_id = boot_by_command(clients)
    run("server add fixed ip --fixed-ip-address 10.0.0.77 web private -f json")
    addresses = [one["Fixed IP Addresses"][0]["ip_address"] for one in ports_of(clients, server_id)]
    assert "10.0.0.77" in addresses and len(addresses) == 2
    run("server remove fixed ip web 10.0.0.77")
    assert all("10.0.0.77" not in str(port) for port in ports_of(clients, server_id))
    run("server add network web private")
    assert len(ports_of(clients, server_id)) >= 2
    run("port create --network private --fixed-ip ip-address=10.0.0.99 p -f json")
    run("server add port web p")
    assert any("10.0.0.99" in str(port) for port in ports_of(clients, server_id))
    refused = clients.call("server add port web p")
    assert refused.code == 1 and "belongs to" in refused.err
    run("server remove port web p")
    assert all("10.0.0.99" not in str(port) for port in ports_of(clients, server_id))
    assert run("port show p -f json")["fixed_ips"][0]["ip_address"] == "10.0.0.99"
    run("server remove network web private")
    assert ports_of(clients, server_id) == []


def test_openstack_boots_one_server_with_one_port(clients: Clients) -> None:
    port = clients.run("port create --network private p -f json")
    usual = f"--flavor {FLAVORS['small'].flavorid} --image {IMAGE_ID} --port p"
    first = clients.run(f"server create {usual} one -f json")
    clients.site.cloud.run_until_idle()
    refused = clients.call(f"server create {usual} two")
    assert refused.code == 1 and port["id"] in refused.err
    assert clients.run("port show p -f json")["device_id"] == first["id"]
