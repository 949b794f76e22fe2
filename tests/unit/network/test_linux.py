"""The shell around the kernel, with programs that are played by the test."""

import contextlib
import pathlib
import resource
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova.exception import CommandFailed, CommandTimeout, ConfigurationError
from nova.netfilter import RuleSet, Table
from nova.network.dhcp import wanted_servers
from nova.network.ebtables import NO_FRAME_RULES
from nova.network.linux import LinuxHost
from nova.privileged.context import run_in_process
from tests.fixtures.networks import make_binding, make_served, make_settings

OWN_CHAIN: RuleSet = (Table(name="filter", chains={"nova-network-local": ("-j DROP",)}),)


class Programs:
    """Stands for the programs of the host; answers by name: exit code and output.

    failures: how often a program fails before it gives its answer.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str] | Exception] = {
            "dnsmasq": (0, "Dnsmasq version 2.90  Copyright")
        }
        self.failures: dict[str, int] = {}
        self.runs: list[tuple[str, str]] = []

    def run(self, arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        """Note a run and answer it."""
        self.runs.append((arguments[0], settings["input"]))
        answer = self.answers.get(arguments[0], (0, ""))
        if self.failures.get(arguments[0], 0) > 0:
            self.failures[arguments[0]] -= 1
            answer = (1, "")
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(arguments, answer[0], answer[1], "why")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give programs that do nothing."""
    made = Programs()
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


@pytest.fixture
def host(tmp_path: pathlib.Path, programs: Programs) -> Iterator[LinuxHost]:
    """Give a host; privileged functions run in this process."""
    run_in_process(True)
    cfg.CONF.set_override("networks_path", str(tmp_path))
    cfg.CONF.set_override("dhcpbridge", "/usr/bin/nova-dhcpbridge")
    yield LinuxHost(str(tmp_path))
    cfg.CONF.clear_override("networks_path")
    cfg.CONF.clear_override("dhcpbridge")
    run_in_process(False)


def server_with(folder: pathlib.Path, *numbers: int) -> Any:
    served = make_served(bindings=tuple(make_binding(number) for number in numbers))
    settings = make_settings(networks_path=str(folder), dhcpbridge_user="nobody")
    return wanted_servers([served], settings)[0]


def test_net_15_fit_host_passes(host: LinuxHost, tmp_path: pathlib.Path) -> None:
    LinuxHost(str(tmp_path / "new")).check()
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize("version", ["Dnsmasq version 2.82", "Dnsmasq version 1.90", "?"])
def test_net_15_old_dnsmasq_is_refused(host: LinuxHost, programs: Programs, version: str) -> None:
    programs.answers["dnsmasq"] = (0, version)
    with pytest.raises(ConfigurationError, match=r"2\.83"):
        host.check()


@pytest.mark.parametrize(
    ("program", "named"), [("dnsmasq", "dnsmasq"), ("iptables-save", "iptables")]
)
def test_missing_program_is_named(
    host: LinuxHost, programs: Programs, program: str, named: str
) -> None:
    programs.answers[program] = FileNotFoundError()
    with pytest.raises(ConfigurationError, match=f"{named} is not installed"):
        host.check()


def test_folder_that_can_not_be_made_is_told(host: LinuxHost, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="networks_path"):
        LinuxHost(str(tmp_path / "file" / "x")).check()


@pytest.mark.logs_errors
def test_net_09_refused_rules_are_an_error(host: LinuxHost, programs: Programs) -> None:
    programs.answers["iptables-restore"] = (2, "")
    with pytest.raises(CommandFailed, match="iptables-restore failed with exit code 2"):
        host.apply_rules(OWN_CHAIN)


def test_net_09_step_that_another_daemon_disturbed_is_done_again(
    host: LinuxHost, programs: Programs
) -> None:
    programs.failures["iptables-restore"] = 1
    assert host.apply_rules(OWN_CHAIN)
    names = [name for name, _ in programs.runs]
    assert names == ["iptables-save", "iptables-restore"] * 2


def test_hanging_program_is_an_error(host: LinuxHost, programs: Programs) -> None:
    programs.answers["iptables-save"] = subprocess.TimeoutExpired("iptables-save", 30)
    with pytest.raises(CommandTimeout, match="30 seconds"):
        host.apply_rules(OWN_CHAIN)


def test_host_without_ebtables_has_no_frame_rules(host: LinuxHost, programs: Programs) -> None:
    programs.answers["ebtables-save"] = FileNotFoundError()
    assert host.apply_frame_rules(NO_FRAME_RULES) is False


def test_files_are_written_before_dnsmasq_starts(
    host: LinuxHost, programs: Programs, tmp_path: pathlib.Path
) -> None:
    assert host.ensure_server(server_with(tmp_path, 5)) is True
    assert [name for name, _ in programs.runs] == ["dnsmasq"]
    path = tmp_path / "nova-br1.conf"
    assert path.read_text() == "fa:16:3e:00:00:05,guest-5.novalocal,10.0.1.5\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "nova-br1.conf",
        "nova-br1.hosts",
        "nova-br1.opts",
    ]


def test_dnsmasq_that_does_not_run_is_not_started_before_its_time(
    host: LinuxHost, programs: Programs, tmp_path: pathlib.Path
) -> None:
    assert host.ensure_server(server_with(tmp_path, 5), may_start=False) is True
    assert host.ensure_server(server_with(tmp_path, 5), may_start=False) is False
    assert programs.runs == []


def test_files_of_a_removed_server_go(host: LinuxHost, tmp_path: pathlib.Path) -> None:
    host.ensure_server(server_with(tmp_path, 5))
    (tmp_path / "nova-br1.pid").write_text("0\n")
    assert host.list_servers() == ("br1",)
    assert host.remove_server("br1") is True
    assert host.remove_server("br1") is False
    assert list(tmp_path.iterdir()) == []


def test_folder_that_does_not_exist_yet_has_no_servers() -> None:
    assert LinuxHost("/nonexistent").list_servers() == ()


@pytest.mark.logs_errors
def test_hst_03_refusal_of_the_privileged_side_is_an_error(host: LinuxHost) -> None:
    with pytest.raises(CommandFailed):
        host.remove_bridge("../x")


@contextlib.contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Let no file become longer: as on a full disk, its first bytes are written and no more."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


@pytest.mark.logs_errors
def test_full_disk_keeps_the_old_files_and_leaves_nothing_behind(
    host: LinuxHost, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    host.ensure_server(server_with(tmp_path, 5))
    before = (tmp_path / "nova-br1.conf").read_text()
    with room_for(4), pytest.raises(CommandFailed):
        host.ensure_server(server_with(tmp_path, 5, 6))
    assert (tmp_path / "nova-br1.conf").read_text() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    assert f"file {tmp_path}/nova-br1.conf failed" in caplog.text
    assert host.ensure_server(server_with(tmp_path, 5, 6)) is True
    assert "10.0.1.6" in (tmp_path / "nova-br1.conf").read_text()


@pytest.mark.logs_errors
def test_full_disk_does_not_hold_up_the_removal_of_a_server(
    host: LinuxHost, tmp_path: pathlib.Path
) -> None:
    with room_for(4), pytest.raises(CommandFailed):
        host.ensure_server(server_with(tmp_path, 5))
    assert host.list_servers() == ("br1",)
    assert host.remove_server("br1") is True
    assert list(tmp_path.iterdir()) == []


def test_damaged_file_is_written_anew(host: LinuxHost, tmp_path: pathlib.Path) -> None:
    host.ensure_server(server_with(tmp_path, 5))
    path = tmp_path / "nova-br1.conf"
    path.write_bytes(b"\xff\x00")
    assert host.ensure_server(server_with(tmp_path, 5)) is True
    assert path.read_text() == "fa:16:3e:00:00:05,guest-5.novalocal,10.0.1.5\n"
