"""The real python-openstackclient against real daemons, a real Keystone and a real Glance.

The fake hypervisor and a network in memory stand in for the machines.  tools/services puts the
servers up; its environment variables name them.
"""

import base64
import dataclasses
import importlib.util
import json
import shlex
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures import clients
from tests.fixtures.real_site import HOST, NETWORK, RealSite, missing, real_site

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(missing()) or importlib.util.find_spec("openstackclient") is None,
        reason="no servers are named: eval $(tools/services up --dir DIR rabbitmq identity)",
    ),
]

PATIENCE_S = 120
IMAGE = "test-image"
FLAVOR = "test.tiny"


@dataclasses.dataclass(frozen=True)
class Client:
    """The openstack command as one user in one project."""

    user: str
    project: str

    def _call(self, *arguments: str) -> clients.Done:
        return clients.Client(self.user, self.project).call(shlex.join(arguments))

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed; return what it prints."""
        done = self._call(*arguments)
        assert done.code == 0, (arguments, done.out, done.err)
        return done.out

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed; return its table."""
        return json.loads(self.run(*arguments, "-f", "json"))

    def refused(self, *arguments: str) -> str:
        """Run a command that must fail; return what it says."""
        done = self._call(*arguments)
        assert done.code != 0, (arguments, done.out)
        return done.out + done.err

    def names(self, *arguments: str) -> set[str]:
        """Return the column Name of a list."""
        return {row["Name"] for row in self.json(*arguments)}

    def wait(self, server: str, field: str, value: str) -> None:
        """Wait until a server shows a value."""
        end = time.monotonic() + PATIENCE_S
        while (found := self.json("server", "show", server)[field]) != value:
            assert time.monotonic() < end, (server, field, found)
            time.sleep(0.5)


ADMIN = Client("admin", "admin")
MEMBER = Client("demo", "demo")
READER = Client("demo_reader", "demo")
STRANGER = Client("alt_demo", "alt_demo")


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """Run a cloud with an image and a flavor."""
    with real_site(tmp_path_factory.mktemp("site")) as running:
        content = running.directory / "image"
        content.write_bytes(bytes(1 << 20))
        image = ADMIN.json(
            "image", "create", "--public", "--disk-format", "raw", "--container-format", "bare",
            "--file", str(content), IMAGE,
        )["id"]  # fmt: skip
        ADMIN.run("flavor", "create", "--ram", "64", "--disk", "1", "--id", "tiny", FLAVOR)
        yield running
        ADMIN.run("image", "delete", image)


@pytest.fixture
def name() -> str:
    """Return a name that nothing else has."""
    return f"t-{uuid.uuid4().hex[:8]}"


def _create(client: Client, name: str, *options: str) -> Any:
    return client.json(
        "server", "create", "--image", IMAGE, "--flavor", FLAVOR, "--wait", *options, name
    )


def _shown(client: Client, name: str) -> Any:
    return client.json("server", "show", name)


# --- Hosts ------------------------------------------------------------------------------------


def test_compute_services() -> None:
    services = ADMIN.json("compute", "service", "list")
    assert {"nova-compute", "nova-conductor", "nova-network", "nova-scheduler"} <= {
        row["Binary"] for row in services
    }

    def compute() -> Any:
        found = ("compute", "service", "list", "--long", "--service", "nova-compute")
        (row,) = ADMIN.json(*found, "--host", HOST)
        return row

    change = ("compute", "service", "set", HOST, "nova-compute")
    ADMIN.run(*change, "--disable", "--disable-reason", "maintenance")
    assert (compute()["Status"], compute()["Disabled Reason"]) == ("disabled", "maintenance")
    ADMIN.run(*change, "--enable")
    assert (compute()["Status"], compute()["Disabled Reason"]) == ("enabled", None)
    ADMIN.run(*change, "--down")
    assert (compute()["State"], compute()["Forced Down"]) == ("down", True)
    ADMIN.run(*change, "--up")
    assert compute()["State"] == "up"
    other = ("compute", "service", "set", HOST, "nova-network")
    assert "nova-network" in ADMIN.refused(*other, "--disable")
    ADMIN.refused("compute", "service", "delete", str(uuid.uuid4()))
    assert "not allow" in MEMBER.refused("compute", "service", "list")


def test_a_service_that_ended_is_forgotten(site: RealSite) -> None:
    found = ADMIN.json("compute", "service", "list", "--service", "nova-scheduler")
    ADMIN.run("compute", "service", "delete", found[0]["ID"])
    assert found[0]["ID"] not in {row["ID"] for row in ADMIN.json("compute", "service", "list")}


def test_hypervisors() -> None:
    (row,) = ADMIN.json("hypervisor", "list", "--long")
    assert (row["State"], row["Hypervisor Type"]) == ("up", "fake")
    host = row["Hypervisor Hostname"]
    assert ADMIN.json("hypervisor", "list", "--matching", host)[0]["ID"] == row["ID"]
    ADMIN.refused("hypervisor", "list", "--matching", "none")
    assert ADMIN.json("hypervisor", "stats", "show")["count"] == 1
    MEMBER.refused("hypervisor", "list")


def test_availability_zones() -> None:
    command = ("availability", "zone", "list", "--compute")
    assert MEMBER.json(*command) == [{"Zone Name": "nova", "Zone Status": "available"}]
    zones = {row["Zone Name"] for row in ADMIN.json(*command)}
    assert zones == {"internal", "nova"}
    (found,) = [row for row in ADMIN.json(*command, "--long") if row["Zone Name"] == "nova"]
    assert (found["Host Name"], found["Service Name"]) == (HOST, "nova-compute")


def test_aggregates_and_their_zone(name: str) -> None:
    zone = f"zone-{name}"
    made = ADMIN.json("aggregate", "create", "--zone", zone, "--property", "ssd=true", name)
    assert (made["availability_zone"], made["properties"]["ssd"]) == (zone, "true")
    assert name in ADMIN.names("aggregate", "list", "--long")
    assert "already exists" in ADMIN.refused("aggregate", "create", name)
    assert ADMIN.json("aggregate", "add", "host", name, HOST)["hosts"] == [HOST]
    ADMIN.refused("aggregate", "add", "host", name, HOST)
    ADMIN.refused("aggregate", "add", "host", name, "nowhere")
    zones = MEMBER.json("availability", "zone", "list", "--compute")
    assert {"Zone Name": zone, "Zone Status": "available"} in zones
    ADMIN.run("aggregate", "set", "--property", "gpu=no", name)
    ADMIN.run("aggregate", "unset", "--property", "ssd", name)
    properties = ADMIN.json("aggregate", "show", name)["properties"]
    assert (properties["gpu"], "ssd" in properties) == ("no", False)
    ADMIN.run("aggregate", "cache", "image", name, IMAGE)
    assert "still has hosts" in ADMIN.refused("aggregate", "delete", name)
    ADMIN.run("aggregate", "remove", "host", name, HOST)
    ADMIN.run("aggregate", "delete", name)
    ADMIN.refused("aggregate", "show", name)
    MEMBER.refused("aggregate", "list")


def test_server_groups(name: str) -> None:
    made = MEMBER.json(
        "server", "group", "create", "--policy", "anti-affinity", "--rule",
        "max_server_per_host=1", name,
    )  # fmt: skip
    assert (made["policy"], made["rules"]) == ("anti-affinity", {"max_server_per_host": 1})
    assert name in MEMBER.names("server", "group", "list", "--long")
    assert name not in STRANGER.names("server", "group", "list")
    assert name in ADMIN.names("server", "group", "list", "--all-projects")
    hint = ("--hint", f"group={made['id']}")
    create = ("server", "create", "--image", IMAGE, "--flavor", FLAVOR, *hint)
    network = ("--network", NETWORK)
    first = MEMBER.json(*create, *network, "--wait", f"{name}-1")
    assert MEMBER.json("server", "group", "show", name)["members"] == [first["id"]]
    assert first["server_groups"] == [made["id"]]
    second = MEMBER.json(*create, *network, f"{name}-2")
    MEMBER.wait(second["id"], "status", "ERROR")
    assert "could not be found" in STRANGER.refused(*create, *network, f"{name}-3")
    MEMBER.run("server", "delete", "--wait", first["id"], second["id"])
    assert MEMBER.json("server", "group", "show", name)["members"] == []
    MEMBER.run("server", "group", "delete", name)
    MEMBER.refused("server", "group", "show", name)


# --- Flavors and keys -------------------------------------------------------------------------


def test_flavors(name: str) -> None:
    made = ADMIN.json(
        "flavor", "create", "--ram", "128", "--vcpus", "2", "--disk", "3", "--ephemeral", "4",
        "--swap", "5", "--private", "--project", "demo", "--property", "a=b",
        "--description", "words", name,
    )  # fmt: skip
    assert (made["ram"], made["vcpus"], made["disk"], made["swap"]) == (128, 2, 3, 5)
    assert name in MEMBER.names("flavor", "list")
    assert name not in STRANGER.names("flavor", "list")
    assert name not in ADMIN.names("flavor", "list")
    assert name in ADMIN.names("flavor", "list", "--all")
    assert name in ADMIN.names("flavor", "list", "--private", "--min-ram", "128")
    assert "No Flavor found" in STRANGER.refused("flavor", "show", name)
    shown = ADMIN.json("flavor", "show", name)
    assert (shown["properties"], shown["description"]) == ({"a": "b"}, "words")
    assert len(shown["access_project_ids"]) == 1
    change = ("--property", "hw:cpu_policy=shared", "--description", "other")
    ADMIN.run("flavor", "set", *change, "--project", "alt_demo", name)
    ADMIN.run("flavor", "unset", "--property", "a", "--project", "demo", name)
    shown = STRANGER.json("flavor", "show", made["id"])
    assert shown["properties"] == {"hw:cpu_policy": "shared"}
    assert shown["description"] == "other"
    assert name not in MEMBER.names("flavor", "list")
    MEMBER.refused("flavor", "create", "--ram", "1", "--disk", "1", f"{name}-2")
    MEMBER.refused("flavor", "delete", FLAVOR)
    ADMIN.run("flavor", "delete", name)
    ADMIN.refused("flavor", "show", name)


def test_keypairs(name: str, tmp_path: Any) -> None:
    private = tmp_path / "key"
    made = MEMBER.json("keypair", "create", name, "--private-key", str(private))
    assert "PRIVATE KEY" in private.read_text()
    again = f"{name}-2"
    public = tmp_path / "key.pub"
    public.write_text(MEMBER.run("keypair", "show", "--public-key", name))
    copy = MEMBER.json("keypair", "create", again, "--public-key", str(public))
    assert copy["fingerprint"] == made["fingerprint"]
    assert {name, again} <= MEMBER.names("keypair", "list")
    assert MEMBER.json("keypair", "show", name)["type"] == "ssh"
    STRANGER.refused("keypair", "show", name)
    assert name not in STRANGER.names("keypair", "list")
    assert name in ADMIN.names("keypair", "list", "--user", "demo")
    MEMBER.run("keypair", "delete", name, again)
    MEMBER.refused("keypair", "show", name)


# --- Servers ----------------------------------------------------------------------------------


def test_the_life_of_a_server(name: str) -> None:
    made = _create(MEMBER, name)
    assert made["OS-EXT-STS:vm_state"] == "active" and made["adminPass"]
    assert list(made["addresses"]) == [NETWORK]
    (row,) = MEMBER.json("server", "list", "--name", f"^{name}$", "--status", "ACTIVE")
    assert (row["ID"], row["Image"], row["Flavor"]) == (made["id"], IMAGE, FLAVOR)
    MEMBER.run("server", "stop", name)
    MEMBER.wait(name, "status", "SHUTOFF")
    assert "vm_state stopped" in MEMBER.refused("server", "stop", made["id"])
    MEMBER.run("server", "start", name)
    MEMBER.wait(name, "status", "ACTIVE")
    MEMBER.run("server", "reboot", "--wait", name)
    MEMBER.run("server", "reboot", "--hard", "--wait", name)
    events = MEMBER.json("server", "event", "list", name)
    assert [row["Action"] for row in events] == ["reboot", "reboot", "start", "stop", "create"]
    event = MEMBER.json("server", "event", "show", name, events[-1]["Request ID"])
    assert event["action"] == "create" and event["events"]
    assert MEMBER.run("console", "log", "show", name)
    MEMBER.run("console", "log", "show", "--lines", "1", name)
    MEMBER.run("server", "delete", "--wait", name)
    assert "No Server found" in MEMBER.refused("server", "show", name)
    MEMBER.refused("server", "show", made["id"])
    events = MEMBER.json("server", "event", "list", made["id"])
    assert events[0]["Action"] == "delete"
    assert made["id"] in {row["ID"] for row in ADMIN.json("server", "list", "--deleted", "--all")}


def test_what_a_server_is_told(name: str, tmp_path: Any) -> None:
    data = tmp_path / "data"
    data.write_text("#!/bin/sh\necho hello\n")
    MEMBER.run("keypair", "create", name, "--private-key", str(tmp_path / "key"))
    _create(
        MEMBER, name, "--key-name", name, "--property", "a=b", "--tag", "red",
        "--user-data", str(data), "--description", "words", "--use-config-drive",
        "--availability-zone", "nova", "--hint", "free=hint", "--hostname", "inner",
    )  # fmt: skip
    shown = _shown(MEMBER, name)
    assert (shown["key_name"], shown["properties"], shown["tags"]) == (name, {"a": "b"}, ["red"])
    assert (shown["description"], shown["config_drive"]) == ("words", "True")
    assert shown["OS-EXT-AZ:availability_zone"] == "nova"
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "inner"
    seen = ADMIN.json("server", "show", shown["id"])
    assert base64.b64decode(seen["OS-EXT-SRV-ATTR:user_data"]) == data.read_bytes()
    assert (seen["OS-EXT-SRV-ATTR:host"], seen["host_status"]) == (HOST, "UP")
    new = f"{name}-new"
    change = ("--property", "c=d", "--tag", "blue", "--description", "other")
    MEMBER.run("server", "set", "--name", new, *change, name)
    MEMBER.run("server", "unset", "--property", "a", "--tag", "red", new)
    shown = _shown(MEMBER, new)
    assert (shown["properties"], shown["tags"]) == ({"c": "d"}, ["blue"])
    assert shown["description"] == "other"
    assert new in MEMBER.names("server", "list", "--tags", "blue")
    assert new not in MEMBER.names("server", "list", "--not-tags", "blue")
    MEMBER.run("server", "delete", "--wait", new)
    MEMBER.run("keypair", "delete", name)


def test_networks_of_a_server(name: str) -> None:
    (found,) = (row for row in [_create(MEMBER, name)["addresses"]])
    assert len(found[NETWORK]) == 1
    network = MEMBER.json("server", "show", name)["addresses"]
    assert network == found
    assert _create(MEMBER, f"{name}-none", "--nic", "none")["addresses"] == {}
    assert _create(MEMBER, f"{name}-auto", "--nic", "auto")["addresses"][NETWORK]
    for option in (("--nic", f"net-id={NETWORK}"), ("--network", NETWORK)):
        other = f"{name}-{option[0].strip('-')}"
        assert _create(MEMBER, other, *option)["addresses"][NETWORK]
        MEMBER.run("server", "delete", "--wait", other)
    fixed = ("--nic", f"net-id={NETWORK},v4-fixed-ip=10.77.0.99")
    assert _create(MEMBER, f"{name}-fixed", *fixed)["addresses"] == {NETWORK: ["10.77.0.99"]}
    MEMBER.run("server", "delete", "--wait", name, f"{name}-none", f"{name}-auto", f"{name}-fixed")


def test_several_servers_and_pages(name: str) -> None:
    _create(MEMBER, name, "--min", "2", "--max", "2")
    both = {f"{name}-1", f"{name}-2"}
    assert MEMBER.names("server", "list", "--name", name) == both
    first = MEMBER.json("server", "list", "--name", name, "--limit", "1")
    after = ("--limit", "1", "--marker", first[0]["ID"])
    second = MEMBER.json("server", "list", "--name", name, *after)
    assert {first[0]["Name"], second[0]["Name"]} == both
    assert both <= ADMIN.names("server", "list", "--all-projects", "--host", HOST)
    assert both <= ADMIN.names("server", "list", "--project", "demo")
    assert MEMBER.names("server", "list", "--status", "ERROR") & both == set()
    MEMBER.run("server", "delete", "--wait", *both)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--flavor", "none"), "none"),
        (("--image", "none"), "none"),
        (("--key-name", "none"), "none"),
        (("--network", "none"), "none"),
        (("--nic", "net-id=99999999-2222-4333-8444-555555555555"), "99999999"),
        (("--availability-zone", f"nova:{HOST}"), "forced_host"),
        (("--min", "3", "--max", "2"), "min"),
        (("--min", "2000", "--max", "2000"), "Quota exceeded"),
    ],
)
def test_requests_that_are_refused(name: str, options: tuple[str, ...], words: str) -> None:
    text = MEMBER.refused("server", "create", "--image", IMAGE, "--flavor", FLAVOR, *options, name)
    assert words in text
    assert MEMBER.names("server", "list", "--name", name) == set()


def test_no_host_is_told(name: str) -> None:
    ADMIN.run("flavor", "create", "--ram", "9999999", "--disk", "1", name)
    ADMIN.run("quota", "set", "--ram", "-1", "demo")
    MEMBER.refused("server", "create", "--image", IMAGE, "--flavor", name, "--wait", name)
    shown = _shown(MEMBER, name)
    assert shown["status"] == "ERROR" and "No valid host" in str(shown["fault"])
    MEMBER.run("server", "delete", "--wait", name)
    ADMIN.run("quota", "delete", "demo")
    ADMIN.run("flavor", "delete", name)


def test_readers_read_and_strangers_see_nothing(name: str) -> None:
    made = _create(MEMBER, name)
    assert name in READER.names("server", "list")
    assert READER.json("server", "show", name)["id"] == made["id"]
    assert READER.json("server", "event", "list", name)
    for refused in (("server", "stop", name), ("server", "delete", name)):
        assert "not allow" in READER.refused(*refused)
    options = ("--image", IMAGE, "--flavor", FLAVOR)
    assert "not allow" in READER.refused("server", "create", *options, f"{name}-2")
    assert STRANGER.json("server", "list") == []
    for verb in ("show", "delete", "stop"):
        assert "No Server found" in STRANGER.refused("server", verb, made["id"])
    STRANGER.refused("server", "list", "--all-projects")
    assert _shown(MEMBER, name)["status"] == "ACTIVE"
    MEMBER.run("server", "delete", "--wait", name)


# --- Quotas, limits, usage, extensions --------------------------------------------------------


def _limits(client: Client, *arguments: str) -> dict[str, int]:
    rows = client.json("quota", "show", "--compute", *arguments)
    return {row["Resource"]: row["Limit"] for row in rows}


def test_quotas() -> None:
    assert _limits(MEMBER)["instances"] == 10
    assert _limits(ADMIN, "--default")["cores"] == 20
    ADMIN.run("quota", "set", "--instances", "7", "--cores", "-1", "alt_demo")
    found = _limits(STRANGER)
    assert (found["instances"], found["cores"]) == (7, -1)
    usage = ADMIN.json("quota", "show", "--compute", "--usage", "alt_demo")
    (row,) = [row for row in usage if row["Resource"] == "instances"]
    assert (row["Limit"], row["In Use"]) == (7, 0)
    projects = {row["Instances"] for row in ADMIN.json("quota", "list", "--compute")}
    assert 7 in projects
    ADMIN.run("quota", "delete", "--compute", "alt_demo")
    assert _limits(STRANGER)["instances"] == 10
    ADMIN.run("quota", "set", "--class", "--key-pairs", "55", "default")
    assert _limits(MEMBER)["key-pairs"] == 55
    ADMIN.run("quota", "set", "--class", "--key-pairs", "100", "default")
    MEMBER.refused("quota", "set", "--instances", "99", "demo")


def test_limits(name: str) -> None:
    _create(MEMBER, name)
    rows = MEMBER.json("limits", "show", "--absolute")
    found = {row["Name"]: row["Value"] for row in rows}
    assert found.get("maxTotalInstances", found.get("instances")) == 10
    assert found.get("totalInstancesUsed", found.get("instances_used")) >= 1
    ADMIN.run("limits", "show", "--absolute", "--project", "demo")
    MEMBER.run("limits", "show", "--rate")
    MEMBER.run("server", "delete", "--wait", name)


def test_usage(name: str) -> None:
    made = _create(MEMBER, name)
    shown = MEMBER.json("usage", "show")
    assert made["id"] in json.dumps(shown["Servers"])
    projects = {row["Project"] for row in ADMIN.json("usage", "list")}
    assert projects & {"demo", made["project_id"]}
    ADMIN.run("usage", "show", "--project", "demo", "--start", "2026-01-01")
    MEMBER.refused("usage", "list")
    MEMBER.run("server", "delete", "--wait", made["id"])


def test_extensions_and_versions() -> None:
    aliases = {row["Alias"] for row in MEMBER.json("extension", "list", "--compute")}
    assert len(aliases) == 99 and "os-keypairs" in aliases
    rows = MEMBER.json("versions", "show", "--service", "compute")
    (row,) = [row for row in rows if row["Version"] == "2.1"]
    assert (row["Status"], row["Min Microversion"], row["Max Microversion"]) == (
        "CURRENT",
        "2.1",
        "2.104",
    )
