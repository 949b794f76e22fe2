"""The shell around the kernel's packet filter, with programs that are played by the test."""

import io
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from nova.exception import CommandFailed, CommandTimeout, DriverError
from nova.netfilter import RuleSet, Table
from nova.objects.firewall import HostFirewall
from nova.privileged import guest_rules
from nova.privileged.context import run_in_process
from nova.virt.iptables import NO_RULES
from nova.virt.libvirt import filters
from nova.virt.libvirt.firewall import IptablesFirewall
from nova.virt.libvirt.kernel_rules import KernelRules, numbered_protocols
from nova.virt.rule_match import Family

RULES: RuleSet = (Table(name="filter", chains={"nova-compute-local": ("-j DROP",)}),)


class Programs:
    """Stands for the programs of the host; each answers what is left for it, then well."""

    def __init__(self) -> None:
        self.answers: dict[str, list[int | Exception]] = {}
        self.runs: list[str] = []

    def run(self, arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        """Note a run and answer it."""
        self.runs.append(arguments[0])
        left = self.answers.get(arguments[0], [])
        answer = left.pop(0) if left else 0
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(arguments, answer, "", "why")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """Give programs that do nothing; privileged functions run in this process."""
    made = Programs()
    monkeypatch.setattr(subprocess, "run", made.run)
    run_in_process(True)
    yield made
    run_in_process(False)


def test_rules_are_applied_as_one_step(programs: Programs) -> None:
    assert KernelRules().apply(Family.IPV6, RULES)
    assert programs.runs == ["ip6tables-save", "ip6tables-restore"]


def test_step_that_another_daemon_disturbed_is_done_again(programs: Programs) -> None:
    programs.answers["iptables-restore"] = [1]
    assert KernelRules().apply(Family.IPV4, RULES)
    assert programs.runs == ["iptables-save", "iptables-restore"] * 2


@pytest.mark.logs_errors
def test_net_09_step_that_keeps_failing_is_an_error(programs: Programs) -> None:
    programs.answers["iptables-restore"] = [1, 1, 1, 2]
    with pytest.raises(CommandFailed, match=r"iptables-restore .* 2"):
        KernelRules().apply(Family.IPV4, RULES)


def test_program_that_hangs_is_an_error(programs: Programs) -> None:
    programs.answers["iptables-save"] = [subprocess.TimeoutExpired("iptables-save", 30)]
    with pytest.raises(CommandTimeout):
        KernelRules().apply(Family.IPV4, RULES)


@pytest.mark.logs_errors
def test_missing_program_is_an_error(programs: Programs) -> None:
    programs.answers["iptables-save"] = [FileNotFoundError()]
    with pytest.raises(CommandFailed, match="iptables-save"):
        KernelRules().apply(Family.IPV4, RULES)


def test_net_04_missing_bridge_filter_is_named(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.open", _missing)
    with pytest.raises(DriverError, match="br_netfilter is not loaded"):
        KernelRules().filter_bridged(Family.IPV4)


def _missing(*arguments: Any, **settings: Any) -> io.StringIO:
    raise FileNotFoundError(2, "No such file or directory")


def test_protocols_that_only_some_hosts_know_by_name_are_compared_by_number() -> None:
    saved = "-A x -p gre -j ACCEPT\n-A x -p tcp -j ACCEPT\n-A x -p ipv6-icmp -j a-p-b\n"
    assert numbered_protocols(saved) == saved.replace("gre", "47")
    assert numbered_protocols("-A x -p unheard-of -j DROP") == "-A x -p unheard-of -j DROP"


@pytest.mark.parametrize("version", [0, 5, "4", None, True])
def test_hst_03_only_versions_of_the_internet_protocol(programs: Programs, version: Any) -> None:
    with pytest.raises(ValueError):
        guest_rules.save_rules(version)
    assert programs.runs == []


class RecordingKernel(KernelRules):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Family]] = []
        self.rules: list[Any] = []

    def families(self) -> tuple[Family, ...]:
        """Return both."""
        return tuple(Family)

    def apply(self, family: Family, rules: Any) -> bool:
        """Note a family and its rules."""
        self.log.append(("apply", family))
        self.rules.append(rules)
        return True

    def filter_bridged(self, family: Family) -> bool:
        """Note a family."""
        self.log.append(("bridged", family))
        return False


class RecordingHost:
    """Notes the filters that are removed."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def undefine_filter(self, name: str) -> None:
        """Note a filter."""
        self.removed.append(name)


def test_host_out_of_service_keeps_no_rule_and_no_filter() -> None:
    host, kernel = RecordingHost(), RecordingKernel()
    IptablesFirewall(host, kernel, same_net=True).clear()  # type: ignore[arg-type]
    assert kernel.log == [("apply", family) for family in Family]
    assert kernel.rules == [NO_RULES, NO_RULES]
    assert set(host.removed) == {one.name for one in filters.SHARED}


def test_firewall_puts_both_families_in_force() -> None:
    kernel = RecordingKernel()
    IptablesFirewall(None, kernel, same_net=True).apply(HostFirewall())  # type: ignore[arg-type]
    assert kernel.log == [(what, family) for family in Family for what in ("apply", "bridged")]
