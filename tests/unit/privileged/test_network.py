"""HST-03: programs that nova-network runs as root, with a hostile caller."""

import os
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova.network.dhcp import render_arguments
from nova.privileged import network
from nova.privileged.commands import NOT_FOUND, TIMED_OUT
from nova.privileged.context import run_in_process
from tests.fixtures.networks import make_network, make_served, make_settings


class Programs:
    """Stands for the programs of the host."""

    def __init__(self) -> None:
        self.runs: list[tuple[list[str], dict[str, Any]]] = []
        self.error: Exception | None = None

    def run(self, arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        """Note a run."""
        self.runs.append((arguments, settings))
        if self.error:
            raise self.error
        return subprocess.CompletedProcess(arguments, 0, "output", "")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give networks_path; privileged functions run in this process."""
    run_in_process(True)
    cfg.CONF.set_override("networks_path", str(tmp_path))
    cfg.CONF.set_override("dhcpbridge", "/usr/bin/nova-dhcpbridge")
    yield tmp_path
    cfg.CONF.clear_override("networks_path")
    cfg.CONF.clear_override("dhcpbridge")
    run_in_process(False)


@pytest.fixture
def programs(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give programs that do nothing."""
    made = Programs()
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


def arguments_for(folder: pathlib.Path) -> list[str]:
    settings = make_settings(networks_path=str(folder), dhcpbridge_user="nobody")
    return list(render_arguments("br1", [make_served(make_network(multi_host=True))], settings))


def test_rendered_arguments_are_accepted(folder: pathlib.Path, programs: Programs) -> None:
    assert network.start_dnsmasq("br1", 1, arguments_for(folder))[0] == 0
    [(arguments, settings)] = programs.runs
    assert arguments[0] == "dnsmasq"
    assert settings["env"]["NETWORK_ID"] == "1"
    assert settings["env"]["CONFIG_FILE"] == '["/etc/nova/nova-dhcpbridge.conf"]'
    assert "shell" not in settings


@pytest.mark.parametrize(
    "argument",
    [
        "--dhcp-script=/tmp/evil",
        "--conf-file=/tmp/evil",
        "--conf-dir=/tmp",
        "--user=root",
        "--dhcp-scriptuser=root",
        "--user=no-such-user",
        "--pid-file=/etc/passwd",
        "--pid-file={folder}/../x",
        "--pid-file={folder}/nova-br2.pid",
        "--dhcp-hostsfile=/etc/shadow",
        "--addn-hosts=/etc/shadow",
        "--log-facility=/etc/cron.d/x",
        "--enable-tftp",
        "--tftp-root=/",
        "--port=0",
        "--server=/evil/10.0.0.1",
        "--domain=x,10.0.0.0/8",
        "--dhcp-range=10.0.0.1,10.0.0.9",
        "--dhcp-lease-max=1x",
        "-C/tmp/evil",
        "x",
        "--bind-interfaces\n--user=root",
        7,
    ],
)
def test_hst_03_argument_is_refused(
    argument: Any, folder: pathlib.Path, programs: Programs
) -> None:
    if isinstance(argument, str):
        argument = argument.format(folder=folder)
    with pytest.raises(ValueError):
        network.start_dnsmasq("br1", 1, [argument])
    assert programs.runs == []


@pytest.mark.parametrize("values", [("-h", "10.0.0.1", "fa:16:3e:00:00:05"),
                                    ("br1", "-h", "fa:16:3e:00:00:05"),
                                    ("br1", "10.0.0.1", "x")])  # fmt: skip
def test_hst_02_release_takes_checked_values_only(
    values: tuple[str, str, str], programs: Programs
) -> None:
    with pytest.raises(ValueError):
        network.release_lease(*values)
    assert programs.runs == []


def test_release(programs: Programs) -> None:
    assert network.release_lease("br1", "10.0.0.1", "FA:16:3E:00:00:05") == (0, "output", "")
    assert programs.runs[0][0] == ["dhcp_release", "br1", "10.0.0.1", "fa:16:3e:00:00:05"]


def test_hst_03_restore_checks_first(programs: Programs) -> None:
    with pytest.raises(ValueError):
        network.restore_rules("*filter\n-F INPUT\nCOMMIT\n")
    assert programs.runs == []
    network.restore_rules("*filter\nCOMMIT\n")
    assert programs.runs[0][0] == ["iptables-restore", "--noflush", "-w", "20"]


def test_program_that_hangs_or_is_missing(programs: Programs) -> None:
    programs.error = subprocess.TimeoutExpired("iptables-save", 30)
    assert network.save_rules()[0] == TIMED_OUT
    programs.error = FileNotFoundError()
    assert network.save_rules()[0] == NOT_FOUND


@pytest.mark.parametrize("name", ["STOP", "hup", "9", ""])
def test_hst_03_only_some_signals(name: str, folder: pathlib.Path) -> None:
    with pytest.raises(ValueError):
        network.signal_dnsmasq("br1", name)


@pytest.mark.parametrize("content", ["", "x", "0", "999999999", "{own}"])
def test_hst_03_pid_file_of_another_process_gets_no_signal(
    content: str, folder: pathlib.Path
) -> None:
    (folder / "nova-br1.pid").write_text(content.format(own=os.getpid()))
    assert network.signal_dnsmasq("br1", "KILL") is False
    assert network.read_dnsmasq_arguments(str(folder), "br1") is None
