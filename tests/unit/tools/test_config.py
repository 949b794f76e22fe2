"""What the quick start writes into configuration files."""

import dataclasses
import ipaddress
import re
from pathlib import Path

import pytest
from standup import ini, nova_config
from standup.nova_config import ComputeNode
from standup.settings import PASSWORDS, PREFERRED_PORTS, Settings, Wishes, load

KEYS = ("access", "secret")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a small cloud."""
    return Settings(
        tmp_path / "state",
        tmp_path / "cache",
        Wishes(),
        management="10.99.0.0/24",
        fixed="10.0.0.0/24",
        public="172.24.4.0/24",
        ports=dict(PREFERRED_PORTS),
        passwords={name: f"secret-{name}" for name in PASSWORDS},
    )


@pytest.fixture
def node(settings: Settings) -> ComputeNode:
    """Return a compute host in namespaces."""
    address, controller = "10.99.0.11", "10.99.0.1"
    state = settings.state / "compute"
    return ComputeNode("compute1", address, controller, state, "eth1", "eth0")


def test_only_the_conductor_is_told_about_the_database(
    settings: Settings, node: ComputeNode
) -> None:
    files = [
        nova_config.controller(settings, "rabbit://", KEYS),
        nova_config.compute(settings, node, "rabbit://"),
    ]
    assert all("database" not in file for file in files)
    assert list(nova_config.database("sqlite://")) == ["database"]


def test_compute_hosts_know_no_passwords_but_those_they_need(
    settings: Settings, node: ComputeNode
) -> None:
    text = ini.render(nova_config.compute(settings, node, "rabbit://nova:secret-rabbit@10.99.0.1/"))
    known = {name for name in PASSWORDS if f"secret-{name}" in text}
    assert known == {"nova", "rabbit"}


def test_compute_hosts_reach_the_controller_by_its_management_address(
    settings: Settings, node: ComputeNode
) -> None:
    text = ini.render(nova_config.compute(settings, node, "rabbit://10.99.0.1/"))
    assert "127.0.0.1" not in text
    assert "auth_url = http://10.99.0.1:5000/v3" in text


def test_files_with_passwords_are_never_readable_by_others(tmp_path: Path) -> None:
    file = tmp_path / "nova.conf"
    assert ini.write(file, {"DEFAULT": {"a": "1"}})
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text() == "[DEFAULT]\na = 1\n"
    assert not ini.write(file, {"DEFAULT": {"a": "1"}})


def test_settings_survive_being_stored(settings: Settings) -> None:
    settings.state.mkdir()
    changed = settings.with_accounts(("nova",))
    assert load(settings.state) == changed
    assert settings.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ("", True),
        (" --privsep_context os.system", False),
        ("/../../x/privsep.sock", False),
    ],
)
def test_daemons_may_start_their_helpers_as_root_and_nothing_else(
    settings: Settings, more: str, allowed: bool
) -> None:
    rule = nova_config.sudoers(settings, "nova").splitlines()[-1]
    expression = rule.partition("privsep-helper ")[2]
    file = nova_config.compute_file(settings, "compute1")
    context = "nova.privileged.context.network_pctxt"
    path = f"/tmp/tmpa_8{more}/privsep.sock"
    arguments = f"--config-file {file} --privsep_context {context} --privsep_sock_path {path}"
    assert bool(re.search(expression, arguments)) is allowed
    assert not re.search(expression, arguments.replace("network_pctxt", "x"))


def test_floating_addresses_are_a_part_of_the_public_network(settings: Settings) -> None:
    public = ipaddress.IPv4Network(settings.public)
    floating = ipaddress.IPv4Network(settings.floating)
    assert floating.subnet_of(public)
    assert public[1] not in floating  # the switch's


def test_controller_serves_each_api_on_a_port_of_its_own(settings: Settings) -> None:
    options = nova_config.controller(settings, "rabbit://", KEYS)["DEFAULT"]
    assert options["enabled_apis"] == "osapi_compute,network,ec2"
    assert options["networking_listen_port"] == "9696"
    assert settings.network_url == "http://127.0.0.1:9696"
    assert options["ec2_listen_port"] == "8773"
    assert settings.ec2_url == "http://127.0.0.1:8773/services/Cloud"


def test_people_are_told_the_ports_that_the_proxies_listen_on(settings: Settings) -> None:
    sections = nova_config.controller(settings, "rabbit://", KEYS)
    assert sections["vnc"]["novncproxy_base_url"] == "http://127.0.0.1:6080/vnc_auto.html"
    assert sections["spice"]["html5proxy_base_url"] == "http://127.0.0.1:6082/spice_auto.html"
    assert sections["serial_console"]["base_url"] == "ws://127.0.0.1:6083/"


def test_consoles_of_guests_listen_on_the_management_network_alone(
    settings: Settings, node: ComputeNode
) -> None:
    sections = nova_config.compute(settings, node, "rabbit://")
    for kind in ("vnc", "spice"):
        assert sections[kind]["server_listen"] == node.address
    assert sections["serial_console"]["proxyclient_address"] == node.address


def test_conductor_and_hosts_have_the_same_kind_of_networks(
    settings: Settings, node: ComputeNode
) -> None:
    controller = nova_config.controller(settings, "rabbit://", KEYS)["DEFAULT"]
    host = nova_config.compute(settings, node, "rabbit://")["DEFAULT"]
    assert controller["network_manager"] == host["network_manager"]


def test_a_cloud_of_before_gets_the_ports_that_it_lacks(settings: Settings) -> None:
    settings.state.mkdir()
    old = {name: port for name, port in settings.ports.items() if name != "network"}
    dataclasses.replace(settings, ports=old).save()
    found = load(settings.state)
    assert found is not None
    assert found.ports.keys() == PREFERRED_PORTS.keys()
    assert load(settings.state) == found
