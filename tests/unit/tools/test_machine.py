"""Decisions about the machine: networks, firewall rules, units."""

import ipaddress
from pathlib import Path

import pytest
from standup import settings, systemd, this_machine
from standup.errors import StandupError
from standup.program import Program


def test_a_network_the_machine_has_a_route_to_is_not_taken() -> None:
    present = [ipaddress.IPv4Network("10.0.0.0/16")]
    assert settings._free_network(settings.FIXED_NETWORKS, present) == settings.FIXED_NETWORKS[1]
    everything = [ipaddress.IPv4Network("0.0.0.0/1"), ipaddress.IPv4Network("128.0.0.0/1")]
    with pytest.raises(StandupError, match="routes into all"):
        settings._free_network(settings.FIXED_NETWORKS, everything)


def test_unit_keeps_signs_that_systemd_would_expand() -> None:
    program = Program("nova-api", ("/bin/x", "50%", "$HOME", 'a"b'), "/log/x.log", "nova")
    lines = systemd.unit_text(program).splitlines()
    assert 'ExecStart="/bin/x" "50%%" "$$HOME" "a\\"b"' in lines
    assert "User=nova" in lines
    assert "Restart=always" in lines


def test_units_are_named_for_what_they_belong_to() -> None:
    assert systemd.unit_name("nova-api") == "nova-api.service"
    assert systemd.unit_name("rabbitmq") == "nova-quickstart-rabbitmq.service"


def test_libvirt_started_by_hand_lets_the_daemons_in_without_polkit(tmp_path: Path) -> None:
    programs = this_machine.libvirt_programs(tmp_path, tmp_path)
    command = next(program.command for program in programs if program.name == "libvirtd")
    lines = Path(command[command.index("--config") + 1]).read_text().splitlines()
    assert 'auth_unix_rw = "none"' in lines
    assert 'unix_sock_group = "libvirt"' in lines
    assert 'unix_sock_rw_perms = "0770"' in lines
