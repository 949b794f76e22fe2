"""Every compute command of the real openstack client; the bare API tells what each one did.

The fake hypervisor and a network in memory stand in for the machines.
"""

import importlib.metadata
import pathlib
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.client_site import (
    ADMIN,
    IMAGE,
    LARGE,
    MEMBER,
    OTHER_IMAGE,
    OTHER_NETWORK,
    SMALL,
    STRANGER,
    client_site,
    images,
)
from tests.fixtures.clients import Client, missing_clients, wait_for
from tests.fixtures.real_site import HOST, NETWORK, missing

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(missing() or missing_clients()),
        reason="no servers are named: eval $(tools/services up --dir DIR rabbitmq identity)",
    ),
]

TOURS = ("test_openstack_tour.py", "test_openstack_client.py")


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run a cloud."""
    with client_site(tmp_path_factory.mktemp("site")):
        yield


@pytest.fixture
def name() -> str:
    """Return a name that nothing else has."""
    return f"t-{uuid.uuid4().hex[:8]}"


def create(name: str, options: str = "", client: Client = MEMBER) -> str:
    """Make a server and return its id."""
    made = client.json(f"server create --image {IMAGE} --flavor {SMALL} {options} {name}")
    client.api.wait(made["id"], "ACTIVE")
    return str(made["id"])


@pytest.fixture
def server(name: str) -> Iterator[str]:
    """Give a server of the member; its name is that of the fixture name."""
    made = create(name)
    yield made
    if not MEMBER.api.is_gone(made):
        MEMBER.api.send("POST", f"/servers/{made}/action", {"unlock": None})
        MEMBER.api.send("POST", f"/servers/{made}/action", {"forceDelete": None})
        # Left behind, it would keep its host in its availability zone.
        wait_for(lambda: MEMBER.api.is_gone(made), lambda: made)


def actions(server: str) -> list[str]:
    """Return what was asked of a server, the last first."""
    found = MEMBER.api.get(f"/servers/{server}/os-instance-actions")["instanceActions"]
    return [row["action"] for row in found]


def test_every_compute_command_is_toured() -> None:
    points = importlib.metadata.entry_points(group="openstack.compute.v2")
    commands = {point.name.replace("_", " ") for point in points}
    folder = pathlib.Path(__file__).parent
    text = " ".join((folder / tour).read_text() for tour in TOURS).replace('", "', " ")
    assert commands and {one for one in commands if one not in text} == set()


# --- Servers: power and states --------------------------------------------------------------


def test_stop_and_start(server: str, name: str) -> None:
    MEMBER.run(f"server stop {name}")
    assert MEMBER.api.wait(server, "SHUTOFF")["OS-EXT-STS:power_state"] == 4
    MEMBER.run(f"server start {name}")
    assert MEMBER.api.wait(server, "ACTIVE")["OS-EXT-STS:power_state"] == 1
    ADMIN.run(f"server stop --all-projects {name}")
    MEMBER.api.wait(server, "SHUTOFF")
    assert "vm_state stopped" in MEMBER.refused(f"server pause {name}")


def test_reboot(server: str, name: str) -> None:
    MEMBER.run(f"server reboot --soft {name}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"server reboot --hard --wait {name}")
    MEMBER.api.wait(server, "ACTIVE")
    assert actions(server) == ["reboot", "reboot", "create"]


def test_pause_and_suspend(server: str, name: str) -> None:
    MEMBER.run(f"server pause {name}")
    assert MEMBER.api.wait(server, "PAUSED")["OS-EXT-STS:power_state"] == 3
    MEMBER.run(f"server unpause {name}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"server suspend {name}")
    MEMBER.api.wait(server, "SUSPENDED")
    assert "vm_state suspended" in MEMBER.refused(f"server unpause {name}")
    MEMBER.run(f"server resume {name}")
    MEMBER.api.wait(server, "ACTIVE")


def test_lock(server: str, name: str) -> None:
    MEMBER.run(f"server lock --reason 'on holiday' {name}")
    found = MEMBER.api.server(server)
    assert (found["locked"], found["locked_reason"]) == (True, "on holiday")
    assert name in MEMBER.column("server list --locked")
    assert "locked" in MEMBER.refused(f"server stop {name}")
    MEMBER.run(f"server unlock {name}")
    found = MEMBER.api.server(server)
    assert (found["locked"], found["locked_reason"]) == (False, None)
    assert name in MEMBER.column("server list --unlocked")


def test_rescue(server: str, name: str) -> None:
    MEMBER.run(f"server rescue --image {OTHER_IMAGE} --password rescued {name}")
    MEMBER.api.wait(server, "RESCUE")
    MEMBER.run(f"server unrescue {name}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"server rescue {name}")
    MEMBER.api.wait(server, "RESCUE")
    MEMBER.run(f"server unrescue {name}")
    MEMBER.api.wait(server, "ACTIVE")
    assert actions(server) == ["unrescue", "rescue"] * 2 + ["create"]


def test_rebuild(server: str, name: str) -> None:
    change = "--description other --property a=b --password secret --hostname inner"
    MEMBER.run(f"server rebuild --image {OTHER_IMAGE} --name {name}-new {change} {name}")
    found = MEMBER.api.wait(server, "ACTIVE")
    assert found["image"]["id"] == MEMBER.json(f"image show {OTHER_IMAGE}")["id"]
    assert (found["name"], found["description"]) == (f"{name}-new", "other")
    assert (found["metadata"], found["OS-EXT-SRV-ATTR:hostname"]) == ({"a": "b"}, "inner")
    MEMBER.run(f"server rebuild --wait {name}-new")
    assert MEMBER.api.server(server)["image"] == found["image"]


def test_resize(server: str, name: str) -> None:
    for confirm, revert in (
        ("server resize confirm", "server resize revert"),
        ("server migration confirm", "server migration revert"),
        ("server migrate confirm", "server migrate revert"),
        ("server resize --confirm", "server resize --revert"),
    ):
        MEMBER.run(f"server resize --flavor {LARGE} {name}")
        found = MEMBER.api.wait(server, "VERIFY_RESIZE")
        assert found["flavor"]["original_name"] == LARGE
        MEMBER.run(f"{revert} {name}")
        assert MEMBER.api.wait(server, "ACTIVE")["flavor"]["original_name"] == SMALL
        MEMBER.run(f"server resize --flavor {LARGE} {name}")
        MEMBER.api.wait(server, "VERIFY_RESIZE")
        MEMBER.run(f"{confirm} {name}")
        assert MEMBER.api.wait(server, "ACTIVE")["flavor"]["original_name"] == LARGE
        MEMBER.run(f"server resize --flavor {SMALL} {name}")
        MEMBER.api.wait(server, "VERIFY_RESIZE")
        MEMBER.run(f"server resize confirm {name}")
        MEMBER.api.wait(server, "ACTIVE")
    assert "vm_state active" in MEMBER.refused(f"server resize confirm {name}")


def test_migrations(server: str, name: str) -> None:
    MEMBER.run(f"server resize --flavor {LARGE} {name}")
    MEMBER.api.wait(server, "VERIFY_RESIZE")
    (row,) = ADMIN.json(f"server migration list --server {server}")
    assert (row["Status"], row["Type"], row["Dest Compute"]) == ("finished", "resize", HOST)
    assert row in ADMIN.json("server migration list")
    assert row in ADMIN.json("server migration list --type resize --status finished")
    assert ADMIN.json(f"server migration list --host {HOST} --status error") == []
    MEMBER.refused("server migration list")
    ADMIN.refused(f"server migration abort {server} {row['Id']}")
    ADMIN.refused(f"server migration force complete {server} {row['Id']}")
    # The client asks for the migration by the server's id.
    ADMIN.refused(f"server migration show {server} {row['Id']}")
    MEMBER.run(f"server resize revert {name}")
    MEMBER.api.wait(server, "ACTIVE")
    (row,) = ADMIN.json(f"server migration list --server {server}")
    assert row["Status"] == "reverted"


def test_moves_need_another_host(server: str) -> None:
    for move in ("server migrate", "server migrate --live-migration --host other"):
        ADMIN.refused(f"{move} {server}")
    ADMIN.refused(f"server evacuate {server}")
    assert MEMBER.api.wait(server, "ACTIVE")["id"] == server


def test_shelve(server: str, name: str) -> None:
    MEMBER.run(f"server shelve {name}")
    wait_for(lambda: MEMBER.api.server(server)["status"][:7] == "SHELVED", lambda: name)
    MEMBER.run(f"server shelve --offload --wait {name}")
    assert ADMIN.api.wait(server, "SHELVED_OFFLOADED")["OS-EXT-SRV-ATTR:host"] is None
    MEMBER.run(f"server unshelve --wait {name}")
    assert ADMIN.api.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == HOST
    assert actions(server)[0] == "unshelve"


def test_delete_and_restore(server: str, name: str) -> None:
    MEMBER.run(f"server delete {name}")
    MEMBER.api.wait(server, "SOFT_DELETED")
    MEMBER.run(f"server restore {server}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"server delete --force --wait {name}")
    assert MEMBER.api.is_gone(server)
    assert "No Server found" in MEMBER.refused(f"server delete {name}")


def test_dump(server: str, name: str) -> None:
    MEMBER.run(f"server dump create {name}")
    wait_for(lambda: actions(server)[0] == "trigger_crash_dump", lambda: actions(server))
    MEMBER.api.wait(server, "ACTIVE")


def test_state_and_password(server: str, name: str) -> None:
    ADMIN.run(f"server set --auto-approve --state error {server}")
    MEMBER.api.wait(server, "ERROR")
    ADMIN.run(f"server set --auto-approve --state active {server}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.refused(f"server set --auto-approve --state error {server}")
    MEMBER.run(f"server set --password secret {name}")
    MEMBER.api.wait(server, "ACTIVE")
    assert actions(server)[0] == "changePassword"


# --- Servers: what is known of them ---------------------------------------------------------


def test_list_and_its_filters(server: str, name: str) -> None:
    MEMBER.run(f"server set --tag red --property a=b {name}")
    (address,) = MEMBER.api.server(server)["addresses"][NETWORK]
    found = (
        f"--name {name}", f"--name '^{name}$' --status ACTIVE", f"--ip {address['addr']}",
        f"--flavor {SMALL} --image {IMAGE}", "--tags red", "--long", "--no-name-lookup",
        "--name-lookup-one-by-one", "--changes-since 2020-01-01", "--unlocked",
        "--limit 99", "--availability-zone nova", "--vm-state active", "--power-state running",
    )  # fmt: skip
    for options in found:
        assert name in MEMBER.column(f"server list {options}"), options
    for options in (
        f"--name x{name}", "--status ERROR", "--not-tags red", "--locked", "--key-name none",
        "--changes-before 2020-01-01", f"--flavor {LARGE}", f"--image {OTHER_IMAGE}",
    ):  # fmt: skip
        assert name not in MEMBER.column(f"server list {options}"), options
    for options in (
        "--all-projects", f"--host {HOST} --all-projects", "--project demo",
        "--user demo --all-projects", "--all-projects --long",
    ):  # fmt: skip
        assert name in ADMIN.column(f"server list {options}"), options
    assert name not in STRANGER.column("server list")
    STRANGER.refused("server list --all-projects")
    STRANGER.refused("server list --flavor none")
    (row,) = ADMIN.json(f"server list --name {name} --all-projects --long")
    assert (row["Host"], row["Power State"], row["Availability Zone"]) == (HOST, 1, "nova")


def test_show(server: str, name: str) -> None:
    shown = MEMBER.json(f"server show {name}")
    assert (shown["id"], shown["status"], shown["image"].split()[0]) == (server, "ACTIVE", IMAGE)
    assert MEMBER.json(f"server show {server}")["name"] == name
    told = ADMIN.json(f"server show --diagnostics {server}")
    assert (told["state"], told["driver"]) == ("running", "fake") or told
    # Without a version, the client asks for the topology at 2.1, where there is none.
    text = ADMIN.run(f"--os-compute-api-version 2.96 server show --topology {server}")
    assert "nodes" in text
    MEMBER.refused(f"server show --diagnostics {server}")
    assert "No Server found" in STRANGER.refused(f"server show {server}")


def test_set_and_unset(server: str, name: str) -> None:
    new = f"{name}-new"
    change = "--property a=b --property c=d --tag red --tag blue --description words"
    MEMBER.run(f"server set --name {new} --hostname inner {change} {name}")
    found = MEMBER.api.server(server)
    assert (found["name"], found["description"]) == (new, "words")
    assert (found["metadata"], set(found["tags"])) == ({"a": "b", "c": "d"}, {"red", "blue"})
    assert found["OS-EXT-SRV-ATTR:hostname"] == "inner"
    MEMBER.run(f"server unset --property a --tag red --description {new}")
    found = MEMBER.api.server(server)
    assert (found["metadata"], found["tags"]) == ({"c": "d"}, ["blue"])
    assert not found["description"]
    MEMBER.run(f"server unset --all-properties --all-tags {new}")
    found = MEMBER.api.server(server)
    assert (found["metadata"], found["tags"]) == ({}, [])


def test_events(server: str, name: str) -> None:
    (row,) = MEMBER.json(f"server event list --long {name}")
    assert row["Action"] == "create"
    shown = MEMBER.json(f"server event show {name} {row['Request ID']}")
    (event,) = shown["events"]
    assert (shown["action"], event["result"]) == ("create", "Success")
    assert MEMBER.json(f"server event list --changes-before 2020-01-01 {name}") == []
    MEMBER.refused(f"server event show {name} req-{uuid.uuid4()}")
    STRANGER.refused(f"server event list {server}")


def test_link_of_a_console(server: str, name: str) -> None:
    link = MEMBER.json(f"console url show --novnc {name}")
    assert (link["protocol"], link["type"]) == ("vnc", "novnc")
    token = re.search(r"token(?:=|%3D)([^&]+)", link["url"])
    assert token is not None, link
    found = ADMIN.json(f"console connection show {token[1]}")
    assert (found["instance_uuid"], found["host"]) == (server, "127.0.0.1")


def test_console_log(server: str, name: str) -> None:
    text = MEMBER.run(f"console log show {name}")
    assert text.strip()
    last = text.rstrip().splitlines()[-1]
    assert MEMBER.run(f"console log show --lines 1 {name}").strip() == last.strip()


# --- Servers: images ------------------------------------------------------------------------


def test_image_create(server: str, name: str) -> None:
    made = MEMBER.json(f"server image create --name {name}-image --property a=b --wait {name}")
    image = images().get(f"/v2/images/{made['id']}").json()
    assert (image["status"], image["name"], image["a"]) == ("active", f"{name}-image", "b")
    assert image["instance_uuid"] == server
    copy = MEMBER.json(f"server create --image {name}-image --flavor {SMALL} {name}-copy")
    MEMBER.api.wait(copy["id"], "ACTIVE")
    MEMBER.run(f"server delete --force --wait {name}-copy")
    MEMBER.run(f"image delete {made['id']}")


def test_backup_create(server: str, name: str) -> None:
    def kept() -> set[str]:
        found = MEMBER.json(f"image list --property instance_uuid={server}")
        return {row["ID"] for row in found}

    made = []
    for number in range(3):
        line = f"server backup create --name {name}-{number} --type daily --rotate 2 {name}"
        made.append(MEMBER.json(line)["id"])
        MEMBER.api.wait(server, "ACTIVE")
    wait_for(lambda: kept() == set(made[1:]), lambda: (kept(), made))
    image = images().get(f"/v2/images/{made[2]}").json()
    assert (image["image_type"], image["backup_type"]) == ("backup", "daily")
    MEMBER.run(f"image delete {made[1]} {made[2]}")


# --- Servers: interfaces, groups, and what is missing ---------------------------------------


def networks_of(server: str) -> set[str]:
    """Return the names of the networks that a server has addresses of."""
    return set(MEMBER.api.server(server)["addresses"])


def network_id(name: str) -> str:
    """Return the id of a network."""
    found = MEMBER.api.get("/os-networks", "2.1")["networks"]
    return str({one["label"]: one["id"] for one in found}[name])


def interfaces_of(server: str) -> list[Any]:
    """Return a server's interfaces."""
    found: list[Any] = MEMBER.api.get(f"/servers/{server}/os-interface")["interfaceAttachments"]
    return found


def test_networks(name: str) -> None:
    server = create(name, f"--network {NETWORK}")
    assert networks_of(server) == {NETWORK}
    other = network_id(OTHER_NETWORK)
    MEMBER.run(f"server add network --tag second {name} {other}")
    found = MEMBER.api.wait(server, "ACTIVE")["addresses"]
    assert set(found) == {NETWORK, OTHER_NETWORK}
    assert [one["tag"] for one in interfaces_of(server)][-1] == "second"
    MEMBER.run(f"server remove network {name} {other}")
    wait_for(lambda: networks_of(server) == {NETWORK}, lambda: networks_of(server))
    MEMBER.api.wait(server, "ACTIVE")
    added = MEMBER.json(
        f"server add fixed ip --fixed-ip-address 10.78.0.77 {name} {network_id(OTHER_NETWORK)}"
    )
    assert MEMBER.api.wait(server, "ACTIVE")["addresses"][OTHER_NETWORK][0]["addr"] == "10.78.0.77"
    MEMBER.run(f"server remove port {name} {added['Port ID']}")
    wait_for(lambda: networks_of(server) == {NETWORK}, lambda: networks_of(server))
    MEMBER.api.wait(server, "ACTIVE")
    assert "Port" in MEMBER.refused(f"server add port {name} {uuid.uuid4()}")
    MEMBER.refused(f"server add network {name} {uuid.uuid4()}")
    MEMBER.refused(f"server remove port {name} {uuid.uuid4()}")
    MEMBER.run(f"server delete --force --wait {name}")


def groups_of(server: str) -> set[str]:
    """Return the names of a server's security groups."""
    return {one["name"] for one in MEMBER.api.server(server)["security_groups"]}


def test_security_groups(server: str, name: str) -> None:
    assert groups_of(server) == {"default"}
    MEMBER.run(f"security group create {name}")
    MEMBER.run(f"server add security group {name} {name}")
    assert groups_of(server) == {"default", name}
    MEMBER.run(f"server remove security group {name} {name}")
    assert groups_of(server) == {"default"}
    MEMBER.run(f"security group delete {name}")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("server add floating ip {} 10.9.9.9", "No FloatingIP found for 10.9.9.9"),
        ("server remove floating ip {} 10.9.9.9", "No FloatingIP found for 10.9.9.9"),
        ("server add volume {} {id}", "block-storage service not found"),
        ("server remove volume {} {id}", "block-storage service not found"),
        ("server volume set {} {id} --delete-on-termination", "block-storage service not found"),
        ("server volume update {} {id} --delete-on-termination", "block-storage service not found"),
        ("server add share {} {id}", "shared-file-system service not found"),
        ("server remove share {} {id}", "shared-file-system service not found"),
        ("server share show {} {id}", "shared-file-system service not found"),
        ("server remove fixed ip {} 10.9.9.9", "10.9.9.9"),
        ("console connection show {id}", "No ConsoleAuthToken found"),
        ("server add security group {} none", "1 of 1 security groups"),
        ("server remove security group {} none", "1 of 1 security groups"),
        ("server ssh {}", "No public IP version [4, 6] address found"),
    ],
)
def test_what_is_missing_is_told(server: str, name: str, command: str, words: str) -> None:
    text = MEMBER.refused(command.format(name, id=uuid.uuid4()))
    assert words in text
    assert MEMBER.api.wait(server, "ACTIVE")["id"] == server


def test_volumes_and_shares_of_a_server(server: str, name: str) -> None:
    assert MEMBER.json(f"server volume list {name}") == []
    assert MEMBER.json(f"server share list {name}") == []


def test_server_groups(name: str) -> None:
    made = MEMBER.json(f"server group create --policy anti-affinity {name}")
    found = MEMBER.api.get(f"/os-server-groups/{made['id']}")["server_group"]
    assert (found["name"], found["policy"]) == (name, "anti-affinity")
    assert name in MEMBER.column("server group list --long")
    assert name in ADMIN.column("server group list --all-projects")
    server = create(f"{name}-1", f"--hint group={made['id']}")
    assert MEMBER.json(f"server group show {name}")["members"] == [server]
    MEMBER.run(f"server delete --force --wait {server}")
    MEMBER.run(f"server group delete {name}")
    path = f"/os-server-groups/{made['id']}"
    assert MEMBER.api.send("GET", path).status_code == 404


# --- Flavors and keys -----------------------------------------------------------------------


def test_flavors(name: str) -> None:
    size = "--ram 32 --vcpus 2 --disk 1 --swap 4 --ephemeral 5"
    made = ADMIN.json(f"flavor create {size} --id {name}-id --private --description d {name}")
    path = f"/flavors/{name}-id"
    found = ADMIN.api.get(path)["flavor"]
    assert (found["ram"], found["swap"], found["OS-FLV-EXT-DATA:ephemeral"]) == (32, 4, 5)
    assert (found["os-flavor-access:is_public"], made["name"]) == (False, name)
    ADMIN.run(f"flavor set --property a=b --property c=d --description e --project demo {name}")
    found = ADMIN.api.get(path)["flavor"]
    assert (found["extra_specs"], found["description"]) == ({"a": "b", "c": "d"}, "e")
    assert MEMBER.json(f"flavor show {name}")["name"] == name
    ADMIN.run(f"flavor unset --property a --project demo {name}")
    assert ADMIN.api.get(path)["flavor"]["extra_specs"] == {"c": "d"}
    ADMIN.run(f"flavor set --no-property {name}")
    assert ADMIN.api.get(path)["flavor"]["extra_specs"] == {}
    assert "No Flavor found" in MEMBER.refused(f"flavor show {name}")
    assert name in ADMIN.column("flavor list --private --long")
    assert name not in MEMBER.column("flavor list --all")
    ADMIN.run(f"flavor delete {name}")
    assert ADMIN.api.send("GET", path).status_code == 404


def test_keypairs(name: str) -> None:
    text = MEMBER.run(f"keypair create {name}")
    assert "PRIVATE KEY" in text
    found = MEMBER.api.get(f"/os-keypairs/{name}")["keypair"]
    assert MEMBER.run(f"keypair show --public-key {name}").strip() == found["public_key"].strip()
    assert name in MEMBER.column("keypair list")
    assert MEMBER.json(f"keypair show {name}")["fingerprint"] == found["fingerprint"]
    server = create(f"{name}-1", f"--key-name {name}")
    assert MEMBER.api.server(server)["key_name"] == name
    assert f"{name}-1" in ADMIN.column(f"server list --all-projects --key-name {name}")
    MEMBER.run(f"server delete --force --wait {server}")
    MEMBER.run(f"keypair delete {name}")
    assert MEMBER.api.send("GET", f"/os-keypairs/{name}").status_code == 404
    MEMBER.refused(f"keypair delete {name}")


# --- Hosts ----------------------------------------------------------------------------------


def test_hypervisors() -> None:
    (row,) = ADMIN.json("hypervisor list --long")
    (found,) = ADMIN.api.get("/os-hypervisors/detail")["hypervisors"]
    assert (row["ID"], row["State"]) == (found["id"], "up")
    shown = ADMIN.json(f"hypervisor show {row['Hypervisor Hostname']}")
    assert (shown["id"], shown["service_host"]) == (found["id"], HOST)
    assert ADMIN.json(f"hypervisor show {found['id']}")["state"] == "up"
    assert ADMIN.json("hypervisor stats show")["count"] == 1
    ADMIN.refused("hypervisor show none")
    MEMBER.refused("hypervisor stats show")


def test_aggregates(name: str) -> None:
    made = ADMIN.json(f"aggregate create --property ssd=true {name}")
    path = f"/os-aggregates/{made['id']}"
    ADMIN.run(f"aggregate set --name {name}-new --zone zone-{name} --property gpu=no {name}")
    found = ADMIN.api.get(path)["aggregate"]
    zone = {"availability_zone": f"zone-{name}"}
    assert (found["name"], found["metadata"]) == (
        f"{name}-new",
        {"ssd": "true", "gpu": "no", **zone},
    )
    name = f"{name}-new"
    ADMIN.run(f"aggregate add host {name} {HOST}")
    assert ADMIN.api.get(path)["aggregate"]["hosts"] == [HOST]
    zones = MEMBER.json("availability zone list --compute")
    assert {"Zone Name": zone["availability_zone"], "Zone Status": "available"} in zones
    ADMIN.run(f"aggregate cache image {name} {IMAGE}")
    ADMIN.refused(f"aggregate cache image {name} none")
    ADMIN.run(f"aggregate unset --property ssd {name}")
    assert "ssd" not in ADMIN.api.get(path)["aggregate"]["metadata"]
    ADMIN.run(f"aggregate remove host {name} {HOST}")
    assert ADMIN.api.get(path)["aggregate"]["hosts"] == []
    assert ADMIN.json(f"aggregate show {name}")["id"] == made["id"]
    assert name in ADMIN.column("aggregate list --long")
    ADMIN.run(f"aggregate delete {name}")
    assert ADMIN.api.send("GET", path).status_code == 404


def test_compute_services() -> None:
    def service() -> Any:
        (found,) = ADMIN.api.get(f"/os-services?host={HOST}&binary=nova-compute")["services"]
        return found

    ADMIN.run(f"compute service set --disable --disable-reason why {HOST} nova-compute")
    assert (service()["status"], service()["disabled_reason"]) == ("disabled", "why")
    ADMIN.run(f"compute service set --enable {HOST} nova-compute")
    assert service()["status"] == "enabled"
    ADMIN.run(f"compute service set --down {HOST} nova-compute")
    assert (service()["state"], service()["forced_down"]) == ("down", True)
    ADMIN.run(f"compute service set --up {HOST} nova-compute")
    assert service()["state"] == "up"
    (row,) = ADMIN.json(f"compute service list --long --host {HOST} --service nova-compute")
    assert (row["ID"], row["Status"]) == (service()["id"], "enabled")
    ADMIN.refused(f"compute service delete {uuid.uuid4()}")


def test_agents(name: str) -> None:
    made = ADMIN.json(f"compute agent create linux x86_64 1.0 http://x/1 {'0' * 32} {name}")

    def found() -> list[Any]:
        builds = ADMIN.api.get("/os-agents", "2.1")["agents"]
        return [one for one in builds if one["hypervisor"] == name]

    assert found()[0]["version"] == "1.0"
    (row,) = ADMIN.json(f"compute agent list --hypervisor {name}")
    number = row["Agent ID"]
    change = f"--agent-version 1.1 --url http://x/2 --md5hash {'1' * 32}"
    ADMIN.run(f"compute agent set {change} {number}")
    assert (found()[0]["version"], found()[0]["url"]) == ("1.1", "http://x/2")
    ADMIN.run(f"compute agent delete {number}")
    assert found() == [] and made["hypervisor"] == name


def test_hosts() -> None:
    rows = ADMIN.json("host list")
    assert {row["Service"] for row in rows if row["Host Name"] == HOST} >= {"compute"}
    assert ADMIN.json("host list --zone nova")
    shown = ADMIN.json(f"host show {HOST}")
    assert [row["Project"] for row in shown][:2] == ["(total)", "(used_now)"]
    ADMIN.refused("host show none")

    def status() -> str:
        (found,) = ADMIN.api.get(f"/os-services?host={HOST}&binary=nova-compute")["services"]
        return str(found["status"])

    ADMIN.run(f"host set --disable {HOST}")
    assert status() == "disabled"
    ADMIN.run(f"host set --enable {HOST}")
    assert status() == "enabled"
    text = ADMIN.refused(f"host set --enable-maintenance {HOST}")
    assert "501" in text or "not" in text, text
    MEMBER.refused("host list")


# --- Projects: usage, limits, quotas --------------------------------------------------------


def test_usage(server: str) -> None:
    shown = MEMBER.json("usage show")
    assert server in str(shown)
    assert ADMIN.json("usage list")
    assert server in str(ADMIN.json("usage show --project demo --start 2026-01-01"))
    MEMBER.refused("usage list")


def test_limits() -> None:
    limits = MEMBER.api.get("/limits")["limits"]["absolute"]
    rows = MEMBER.json("limits show --absolute")
    assert limits["maxTotalCores"] in {row["Value"] for row in rows}
    MEMBER.run("limits show --rate")
    MEMBER.run("limits show --absolute --reserved")


def test_quotas() -> None:
    project = ADMIN.json("project show alt_demo")["id"]
    path = f"/os-quota-sets/{project}"

    def limits() -> Any:
        return ADMIN.api.get(path)["quota_set"]

    size = "--instances 7 --cores 8 --ram -1 --properties 9 --server-groups 3"
    ADMIN.run(f"quota set {size} --server-group-members 4 --key-pairs 5 alt_demo")
    found = limits()
    assert (found["instances"], found["cores"], found["ram"]) == (7, 8, -1)
    assert (found["metadata_items"], found["server_groups"], found["key_pairs"]) == (9, 3, 5)
    shown = {row["Resource"]: row["Limit"] for row in STRANGER.json("quota show")}
    assert (shown["instances"], shown["ram"]) == (7, -1)
    assert ADMIN.json("quota show --default alt_demo")
    usage = ADMIN.json("quota show --compute --usage alt_demo")
    assert {"Resource": "instances", "Limit": 7, "In Use": 0, "Reserved": 0} in usage
    assert 7 in ADMIN.column("quota list --compute", "Instances")
    ADMIN.run("quota delete --compute alt_demo")
    assert limits()["instances"] == 10
    ADMIN.run("quota set --class --server-groups 12 default")
    default = ADMIN.api.get("/os-quota-class-sets/default")["quota_class_set"]
    assert default["server_groups"] == 12
    ADMIN.run("quota set --class --server-groups 10 default")
    MEMBER.refused("quota set --instances 99 demo")


def test_extensions() -> None:
    rows = MEMBER.json("extension list --compute")
    assert {"os-keypairs", "os-networks"} <= {row["Alias"] for row in rows}
