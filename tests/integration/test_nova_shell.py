"""Every command of the real nova shell; the bare API tells what each one did.

The fake hypervisor and a network in memory stand in for the machines.
"""

import importlib
import json
import pathlib
import re
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures import client_site
from tests.fixtures.client_site import IMAGE, LARGE, OTHER_IMAGE, OTHER_NETWORK, SMALL
from tests.fixtures.clients import Client, missing_clients, wait_for
from tests.fixtures.real_site import HOST, NETWORK, missing

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(missing() or missing_clients()),
        reason="no servers are named: eval $(tools/services up --dir DIR rabbitmq identity)",
    ),
]

ADMIN = Client("admin", "admin", "nova")
MEMBER = Client("demo", "demo", "nova")

# These do for all servers of a host what is toured one by one, or open a session in a guest.
NOT_TOURED = {"host-evacuate", "host-evacuate-live", "host-servers-migrate", "host-meta", "ssh"}


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run a cloud."""
    with client_site.client_site(tmp_path_factory.mktemp("site")):
        yield


@pytest.fixture
def name() -> str:
    """Return a name that nothing else has."""
    return f"n-{uuid.uuid4().hex[:8]}"


def boot(name: str, options: str = "") -> str:
    """Make a server and return its id."""
    made = MEMBER.properties(f"boot --image {IMAGE} --flavor {SMALL} {options} {name}")
    MEMBER.api.wait(made["id"], "ACTIVE")
    return made["id"]


@pytest.fixture
def server(name: str) -> Iterator[str]:
    """Give a server of the member; its name is that of the fixture name."""
    made = boot(name)
    yield made
    if not MEMBER.api.is_gone(made):
        MEMBER.api.send("POST", f"/servers/{made}/action", {"forceDelete": None})


def network_id(name: str) -> str:
    """Return the id of a network."""
    found = MEMBER.api.get("/os-networks", "2.1")["networks"]
    return str({one["label"]: one["id"] for one in found}[name])


def test_every_command_is_toured() -> None:
    source = pathlib.Path(importlib.import_module("novaclient.v2.shell").__file__ or "").read_text()
    commands = {one.replace("_", "-") for one in re.findall(r"^def do_(\w+)", source, re.M)}
    text = pathlib.Path(__file__).read_text()
    absent = {one for one in commands - NOT_TOURED if not re.search(rf'[" {{]{one}[ "]', text)}
    assert len(commands) > 100 and absent == set()


# --- Servers ----------------------------------------------------------------------------------


def test_power(server: str, name: str) -> None:
    for command, status in (
        ("stop", "SHUTOFF"), ("start", "ACTIVE"), ("pause", "PAUSED"), ("unpause", "ACTIVE"),
        ("suspend", "SUSPENDED"), ("resume", "ACTIVE"), ("reboot", "ACTIVE"),
        ("reboot --hard", "ACTIVE"), (f"rescue --image {OTHER_IMAGE}", "RESCUE"),
        ("unrescue", "ACTIVE"), ("trigger-crash-dump", "ACTIVE"),
    ):  # fmt: skip
        MEMBER.run(f"{command} {name}")
        MEMBER.api.wait(server, status)
    assert "vm_state active" in MEMBER.refused(f"unpause {name}")


def test_rebuild_and_resize(server: str, name: str) -> None:
    MEMBER.run(f"rebuild --name {name} --meta a=b {name} {OTHER_IMAGE}")
    assert MEMBER.api.wait(server, "ACTIVE")["metadata"] == {"a": "b"}
    for command, flavor in (("resize-revert", SMALL), ("resize-confirm", LARGE)):
        MEMBER.run(f"resize {name} {LARGE}")
        MEMBER.api.wait(server, "VERIFY_RESIZE")
        MEMBER.run(f"{command} {name}")
        assert MEMBER.api.wait(server, "ACTIVE")["flavor"]["original_name"] == flavor
    rows = ADMIN.table(f"migration-list --instance-uuid {server}")
    assert [row["Status"] for row in rows] == ["confirmed", "reverted"]
    assert ADMIN.table(f"server-migration-list {server}") == []
    ADMIN.refused(f"server-migration-show {server} {rows[0]['Id']}")
    ADMIN.refused(f"live-migration-abort {server} {rows[0]['Id']}")
    ADMIN.refused(f"live-migration-force-complete {server} {rows[0]['Id']}")


def test_moves_need_another_host(server: str) -> None:
    for command in ("migrate", "live-migration", "evacuate"):
        assert "HTTP 4" in ADMIN.refused(f"{command} {server}")
    MEMBER.api.wait(server, "ACTIVE")


def test_shelve(server: str, name: str) -> None:
    MEMBER.run(f"shelve {name}")
    wait_for(lambda: MEMBER.api.server(server)["status"] != "ACTIVE", lambda: name)
    found = wait_for(
        lambda: not (one := MEMBER.api.server(server))["OS-EXT-STS:task_state"] and one,
        lambda: name,
    )
    if found["status"] == "SHELVED":
        ADMIN.run(f"shelve-offload {server}")
    MEMBER.api.wait(server, "SHELVED_OFFLOADED")
    assert "vm_state shelved_offloaded" in ADMIN.refused(f"shelve-offload {server}")
    MEMBER.run(f"unshelve {name}")
    MEMBER.api.wait(server, "ACTIVE")


def test_delete_restore_and_lock(server: str, name: str) -> None:
    MEMBER.run(f"lock {name} --reason why")
    assert MEMBER.api.server(server)["locked_reason"] == "why"
    assert "locked" in MEMBER.refused(f"delete {name}")
    MEMBER.run(f"unlock {name}")
    MEMBER.run(f"delete {name}")
    MEMBER.api.wait(server, "SOFT_DELETED")
    MEMBER.run(f"restore {server}")
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"force-delete {server}")
    wait_for(lambda: MEMBER.api.is_gone(server), lambda: name)
    assert "No server" in MEMBER.refused(f"show {name}")


def test_boot_list_and_show(name: str, tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    data.write_text("#!/bin/sh\n")
    words = f"--user-data {data} --meta a=b --tags red,blue --description words --config-drive true"
    network = f"--nic net-id={network_id(NETWORK)} --security-groups default"
    server = boot(name, f"{words} {network} --availability-zone nova")
    found = MEMBER.properties(f"show {name}")
    assert (found["id"], found["status"], found["description"]) == (server, "ACTIVE", "words")
    assert set(json.loads(found["tags"])) == {"red", "blue"}
    for options in (
        "",
        f"--name {name}",
        "--status ACTIVE",
        "--tags red",
        "--minimal",
        "--limit 99",
    ):
        assert name in {row["Name"] for row in MEMBER.table(f"list {options}")}, options
    assert name in {row["Name"] for row in ADMIN.table(f"list --all-tenants --host {HOST}")}
    assert name not in {row["Name"] for row in MEMBER.table("list --not-tags red")}
    assert f"/servers/{server}" in MEMBER.call(f"--debug show {server}").err
    MEMBER.run(f"update --name {name}-new --description other {name}")
    assert MEMBER.api.server(server)["name"] == f"{name}-new"
    MEMBER.run(f"delete {name}-new")


def test_metadata_tags_and_password(server: str, name: str) -> None:
    MEMBER.run(f"meta {name} set a=b c=d")
    MEMBER.run(f"meta {name} delete a")
    assert MEMBER.api.server(server)["metadata"] == {"c": "d"}
    MEMBER.run(f"server-tag-set {name} red blue")
    MEMBER.run(f"server-tag-add {name} green")
    MEMBER.run(f"server-tag-delete {name} red")
    assert {row["Tag"] for row in MEMBER.table(f"server-tag-list {name}")} == {"blue", "green"}
    MEMBER.run(f"server-tag-delete-all {name}")
    assert MEMBER.api.server(server)["tags"] == []
    assert MEMBER.run(f"get-password {name}").strip() == ""
    MEMBER.run(f"clear-password {name}")
    # It asks at a terminal, and there is none.
    MEMBER.call(f"set-password {name}")
    assert MEMBER.api.wait(server, "ACTIVE")["id"] == server


def test_interfaces_and_groups(name: str) -> None:
    server = boot(name, f"--nic net-id={network_id(NETWORK)}")
    rows = MEMBER.table(f"interface-list {name}")
    before = {row["Port ID"] for row in rows}
    MEMBER.run(f"interface-attach --net-id {network_id(OTHER_NETWORK)} {name}")
    found = MEMBER.api.wait(server, "ACTIVE")["addresses"]
    assert OTHER_NETWORK in found
    (port,) = {row["Port ID"] for row in MEMBER.table(f"interface-list {name}")} - before
    MEMBER.run(f"interface-detach {name} {port}")
    wait_for(lambda: OTHER_NETWORK not in MEMBER.api.server(server)["addresses"], lambda: name)
    MEMBER.api.wait(server, "ACTIVE")
    assert [row["Name"] for row in MEMBER.table(f"list-secgroup {name}")] == ["default"]
    MEMBER.run(f"remove-secgroup {name} default")
    assert MEMBER.api.server(server).get("security_groups", []) == []
    MEMBER.run(f"add-secgroup {name} default")
    assert MEMBER.api.server(server)["security_groups"] == [{"name": "default"}]
    for command in ("reset-network", "refresh-network"):
        MEMBER.call(f"{command} {name}")
        assert MEMBER.api.wait(server, "ACTIVE")["id"] == server
    MEMBER.run(f"force-delete {server}")


def test_images_and_console(server: str, name: str) -> None:
    assert MEMBER.run(f"console-log {name}").strip()
    text = MEMBER.run(f"image-create --show {name} {name}-image")
    assert f"{name}-image" in text
    MEMBER.api.wait(server, "ACTIVE")
    MEMBER.run(f"backup {name} {name}-backup daily 1")
    MEMBER.api.wait(server, "ACTIVE")
    found = client_site.images().get(f"/v2/images?instance_uuid={server}").json()["images"]
    assert {one["name"] for one in found} == {f"{name}-image", f"{name}-backup"}
    for one in found:
        client_site.images().delete(f"/v2/images/{one['id']}")


@pytest.mark.parametrize(
    ("command", "kind", "port"),
    [
        ("get-vnc-console {} novnc", "novnc", 6080),
        ("get-spice-console {} spice-html5", "spice-html5", 6082),
        ("get-serial-console {}", "serial", 6083),
    ],
)
def test_links_of_consoles(server: str, name: str, command: str, kind: str, port: int) -> None:
    (row,) = MEMBER.table(command.format(name))
    assert row["Type"] == kind
    assert f"127.0.0.1:{port}/" in row["Url"]


def test_actions_and_states(server: str, name: str) -> None:
    (row,) = MEMBER.table(f"instance-action-list {name}")
    found = MEMBER.properties(f"instance-action {name} {row['Request_ID']}")
    assert (row["Action"], found["action"]) == ("create", "create")
    ADMIN.run(f"reset-state {server}")
    MEMBER.api.wait(server, "ERROR")
    ADMIN.run(f"reset-state --active {server}")
    MEMBER.api.wait(server, "ACTIVE")
    assert "fake" in ADMIN.run(f"diagnostics {server}")
    ADMIN.run(f"server-topology {server}")


@pytest.mark.parametrize(
    "command",
    [
        "get-rdp-console {} rdp-html5", "get-mks-console {}", "volume-attach {} {id}",
        "volume-update {} {id} {id}", "volume-detach {} {id}",
    ],
)  # fmt: skip
def test_what_is_missing_is_told(server: str, name: str, command: str) -> None:
    text = MEMBER.refused(command.format(name, id=uuid.uuid4()))
    assert re.search(r"HTTP (400|404|409|501)", text), text
    assert MEMBER.table(f"volume-attachments {name}") == []


# --- Flavors, keys, groups --------------------------------------------------------------------


def test_flavors(name: str) -> None:
    ADMIN.run(f"flavor-create --is-public false {name} {name}-id 32 1 2 --description d")
    ADMIN.run(f"flavor-key {name} set a=b")
    ADMIN.run(f"flavor-update {name}-id e")
    found = ADMIN.api.get(f"/flavors/{name}-id")["flavor"]
    assert (found["ram"], found["vcpus"]) == (32, 2)
    assert (found["extra_specs"], found["description"]) == ({"a": "b"}, "e")
    assert name not in {row["Name"] for row in MEMBER.table("flavor-list")}
    project = MEMBER.api.session.get_project_id()
    ADMIN.run(f"flavor-access-add {name} {project}")
    assert len(ADMIN.table(f"flavor-access-list --flavor {name}")) == 1
    assert MEMBER.properties(f"flavor-show {name}")["id"] == f"{name}-id"
    ADMIN.run(f"flavor-access-remove {name} {project}")
    MEMBER.refused(f"flavor-show {name}")
    ADMIN.run(f"flavor-delete {name}")
    assert ADMIN.api.send("GET", f"/flavors/{name}-id").status_code == 404


def test_keypairs(name: str, tmp_path: pathlib.Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(command, check=True)
    MEMBER.run(f"keypair-add --pub-key {tmp_path / 'key.pub'} {name}")
    assert name in {row["Name"] for row in MEMBER.table("keypair-list")}
    assert name in MEMBER.run(f"keypair-show {name}")
    server = boot(f"{name}-1", f"--key-name {name}")
    assert MEMBER.api.server(server)["key_name"] == name
    MEMBER.run(f"force-delete {server}")
    MEMBER.run(f"keypair-delete {name}")
    assert MEMBER.api.send("GET", f"/os-keypairs/{name}").status_code == 404


def test_server_groups(name: str) -> None:
    MEMBER.run(f"server-group-create {name} affinity")
    (row,) = [row for row in MEMBER.table("server-group-list") if row["Name"] == name]
    assert MEMBER.table(f"server-group-get {row['Id']}")[0]["Policy"] == "affinity"
    MEMBER.run(f"server-group-delete {row['Id']}")
    path = f"/os-server-groups/{row['Id']}"
    assert MEMBER.api.send("GET", path).status_code == 404


# --- Hosts ------------------------------------------------------------------------------------


def test_aggregates(name: str) -> None:
    ADMIN.run(f"aggregate-create {name}")
    (row,) = [row for row in ADMIN.table("aggregate-list") if row["Name"] == name]
    path = f"/os-aggregates/{row['Id']}"
    ADMIN.run(f"aggregate-update --name {name}-new {name}")
    ADMIN.run(f"aggregate-set-metadata {name}-new ssd=true")
    ADMIN.run(f"aggregate-add-host {name}-new {HOST}")
    found = ADMIN.api.get(path)["aggregate"]
    assert (found["hosts"], found["metadata"]) == ([HOST], {"ssd": "true"})
    image = client_site.images().get(f"/v2/images?name={IMAGE}").json()["images"][0]["id"]
    ADMIN.run(f"aggregate-cache-images {name}-new {image}")
    ADMIN.run(f"aggregate-remove-host {name}-new {HOST}")
    assert ADMIN.table(f"aggregate-show {name}-new")[0]["Name"] == f"{name}-new"
    ADMIN.run(f"aggregate-delete {name}-new")
    assert ADMIN.api.send("GET", path).status_code == 404


def test_services() -> None:
    def service() -> Any:
        (found,) = ADMIN.api.get(f"/os-services?host={HOST}&binary=nova-compute")["services"]
        return found

    (row,) = ADMIN.table(f"service-list --host {HOST} --binary nova-compute")
    ADMIN.run(f"service-disable --reason why {row['Id']}")
    assert (service()["status"], service()["disabled_reason"]) == ("disabled", "why")
    ADMIN.run(f"service-enable {row['Id']}")
    assert service()["status"] == "enabled"
    ADMIN.run(f"service-force-down {row['Id']}")
    assert service()["forced_down"] is True
    ADMIN.run(f"service-force-down --unset {row['Id']}")
    assert service()["forced_down"] is False
    ADMIN.refused(f"service-delete {uuid.uuid4()}")


def test_hypervisors_and_zones(server: str) -> None:
    (row,) = ADMIN.table("hypervisor-list")
    host = row["Hypervisor hostname"]
    assert ADMIN.run(f"hypervisor-show {host}") and ADMIN.run(f"hypervisor-show {row['ID']}")
    assert server in {one["ID"] for one in ADMIN.table(f"hypervisor-servers {host}")}
    ADMIN.call(f"hypervisor-uptime {host}")
    ADMIN.refused("hypervisor-stats")
    assert ADMIN.run("--os-compute-api-version 2.87 hypervisor-stats")
    assert "nova" in MEMBER.run("availability-zone-list")
    assert HOST in ADMIN.run("availability-zone-list")
    assert "2.1" in MEMBER.run("version-list")


def test_agents(name: str) -> None:
    old = "--os-compute-api-version 2.1"
    ADMIN.run(f"{old} agent-create linux x86_64 1.0 http://x/1 {'0' * 32} {name}")
    (row,) = ADMIN.table(f"{old} agent-list --hypervisor {name}")
    ADMIN.run(f"{old} agent-modify {row['Agent_id']} 1.1 http://x/2 {'1' * 32}")
    (row,) = ADMIN.table(f"{old} agent-list --hypervisor {name}")
    assert row["Version"] == "1.1"
    ADMIN.run(f"{old} agent-delete {row['Agent_id']}")
    assert ADMIN.table(f"{old} agent-list --hypervisor {name}") == []


# --- Projects ---------------------------------------------------------------------------------


def test_quotas_limits_and_usage(server: str) -> None:
    project = MEMBER.api.session.get_project_id()
    other = Client("alt_demo", "alt_demo").api.session.get_project_id()
    path = f"/os-quota-sets/{other}"
    ADMIN.run(f"quota-update --instances 7 --key-pairs 8 {other}")
    found = ADMIN.api.get(path)["quota_set"]
    assert (found["instances"], found["key_pairs"]) == (7, 8)
    rows = {row["Quota"]: row["Limit"] for row in ADMIN.table(f"quota-show --tenant {other}")}
    assert rows["instances"] == "7"
    ADMIN.run(f"quota-delete --tenant {other}")
    assert ADMIN.api.get(path)["quota_set"]["instances"] == 10
    assert MEMBER.table("quota-defaults")
    ADMIN.run("quota-class-update --server-groups 12 default")
    rows = {row["Quota"]: row["Limit"] for row in ADMIN.table("quota-class-show default")}
    assert rows["server_groups"] == "12"
    ADMIN.run("quota-class-update --server-groups 10 default")
    assert MEMBER.table("limits")
    assert ADMIN.run("usage-list") and MEMBER.run("usage")
    assert project in ADMIN.run("usage-list")
    ADMIN.run("instance-usage-audit-log")
