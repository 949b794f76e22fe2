"""openstacksdk's compute proxy; the bare API tells what each call did.

The fake hypervisor and a network in memory stand in for the machines.
"""

import uuid
from collections.abc import Iterator

import openstack
import pytest
from openstack import exceptions
from openstack.connection import Connection

from tests.fixtures import client_site
from tests.fixtures.client_site import ADMIN, IMAGE, LARGE, MEMBER, SMALL
from tests.fixtures.clients import Client, wait_for
from tests.fixtures.real_site import HOST, NETWORK, missing

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(missing()),
        reason="no servers are named: eval $(tools/services up --dir DIR rabbitmq identity)",
    ),
]

PATIENCE_S = 90


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run a cloud."""
    with client_site.client_site(tmp_path_factory.mktemp("site")):
        yield


def connect(client: Client) -> Connection:
    """Return what a program with the user's login has."""
    login = {key[3:].lower(): value for key, value in client.login.items()}
    return openstack.connect(**login)


@pytest.fixture(scope="module")
def member(site: None) -> Iterator[Connection]:
    """Give the cloud in the hands of a member."""
    with connect(MEMBER) as connection:
        yield connection


@pytest.fixture(scope="module")
def admin(site: None) -> Iterator[Connection]:
    """Give the cloud in the hands of the administrator."""
    with connect(ADMIN) as connection:
        yield connection


@pytest.fixture
def name() -> str:
    """Return a name that nothing else has."""
    return f"s-{uuid.uuid4().hex[:8]}"


def test_life_of_a_server(member: Connection, name: str) -> None:
    compute = member.compute
    flavor, image = compute.find_flavor(SMALL), member.image.find_image(IMAGE)
    made = compute.create_server(
        name=name, image_id=image.id, flavor_id=flavor.id, networks="auto", metadata={"a": "b"}
    )
    server = compute.wait_for_server(made, interval=1, wait=PATIENCE_S)
    assert (server.status, server.flavor.original_name) == ("ACTIVE", SMALL)
    assert NETWORK in server.addresses
    assert compute.find_server(name).id == server.id
    assert server.id in {one.id for one in compute.servers(name=name)}
    assert [one.id for one in compute.servers(details=False, limit=1, name=name)] == [server.id]

    compute.set_server_metadata(server, c="d")
    compute.delete_server_metadata(compute.get_server(server), ["a"])
    assert MEMBER.api.server(server.id)["metadata"] == {"c": "d"}
    compute.add_tag_to_server(server, "red")
    assert MEMBER.api.server(server.id)["tags"] == ["red"]
    compute.remove_tags_from_server(server)
    assert MEMBER.api.server(server.id)["tags"] == []
    compute.update_server(server, name=f"{name}-new")
    assert MEMBER.api.server(server.id)["name"] == f"{name}-new"

    (interface,) = list(compute.server_interfaces(server))[:1]
    assert compute.get_server_interface(interface.port_id, server).mac_addr == interface.mac_addr
    assert [one.action for one in compute.server_actions(server)] == ["create"]
    assert compute.get_server_console_output(server)["output"]

    compute.stop_server(server)
    compute.wait_for_server(server, "SHUTOFF", interval=1, wait=PATIENCE_S)
    compute.start_server(server)
    MEMBER.api.wait(server.id, "ACTIVE")
    compute.resize_server(server, LARGE)
    MEMBER.api.wait(server.id, "VERIFY_RESIZE")
    compute.revert_server_resize(server)
    MEMBER.api.wait(server.id, "ACTIVE")
    taken = compute.create_server_image(server, f"{name}-image")
    wait_for(lambda: member.image.get_image(taken.id).status == "active", lambda: taken)
    member.image.delete_image(taken.id)

    compute.delete_server(server, force=True)
    compute.wait_for_delete(server, interval=1, wait=PATIENCE_S)
    assert compute.find_server(f"{name}-new") is None
    with pytest.raises(exceptions.NotFoundException):
        compute.get_server(server.id)


def test_the_cloud_layer_makes_and_removes_a_server(member: Connection, name: str) -> None:
    server = member.create_server(
        name, image=IMAGE, flavor=SMALL, wait=True, timeout=PATIENCE_S, auto_ip=False, network=[]
    )
    assert member.get_server(name).id == server.id
    assert member.get_server(name).status == "ACTIVE"
    assert member.delete_server(name)
    wait_for(lambda: MEMBER.api.server(server.id)["status"] == "SOFT_DELETED", lambda: server.id)


def test_keypairs_and_groups(member: Connection, name: str) -> None:
    compute = member.compute
    made = compute.create_keypair(name=name)
    assert compute.find_keypair(name).fingerprint == made.fingerprint
    assert name in {one.name for one in compute.keypairs()}
    compute.delete_keypair(name)
    assert compute.find_keypair(name) is None
    group = compute.create_server_group(name=name, policy="affinity")
    assert compute.find_server_group(name).id == group.id
    assert compute.get_server_group(group.id).policy == "affinity"
    compute.delete_server_group(group)
    assert MEMBER.api.send("GET", f"/os-server-groups/{group.id}").status_code == 404


def test_aggregates_flavors_and_hosts(admin: Connection, name: str) -> None:
    compute = admin.compute
    made = compute.create_aggregate(name=name)
    compute.add_host_to_aggregate(made, HOST)
    compute.set_aggregate_metadata(made, {"ssd": "true"})
    found = ADMIN.api.get(f"/os-aggregates/{made.id}")["aggregate"]
    assert (found["hosts"], found["metadata"]["ssd"]) == ([HOST], "true")
    assert compute.find_aggregate(name).id == made.id
    assert "nova" in {one.name for one in compute.availability_zones()}
    compute.remove_host_from_aggregate(made, HOST)
    compute.delete_aggregate(made)
    assert compute.find_aggregate(name) is None

    flavor = compute.create_flavor(name=name, ram=32, vcpus=1, disk=1)
    compute.create_flavor_extra_specs(flavor, {"a": "b"})
    assert compute.fetch_flavor_extra_specs(compute.find_flavor(name)).extra_specs == {"a": "b"}
    compute.delete_flavor(flavor)
    assert compute.find_flavor(name) is None

    assert compute.find_hypervisor(HOST).state == "up"
    services = compute.services(binary="nova-compute")
    assert {(one.host, one.state) for one in services} == {(HOST, "up")}
