"""nova-network and nova-compute change the packet filter of one host at the same time."""

import os
import pathlib
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pyroute2 import netns

from nova.netfilter import parse_saved
from nova.network.ip6tables import NO_RULES_V6, wanted_rules_v6
from nova.network.iptables import NO_RULES, wanted_rules
from nova.network.linux import LinuxHost
from nova.privileged.context import run_in_process
from nova.virt import iptables as guest_iptables
from nova.virt.libvirt.kernel_rules import KernelRules
from nova.virt.rule_match import Family
from tests.fixtures.firewalls import typical_host
from tests.fixtures.network_lab import run
from tests.fixtures.networks import make_network, make_served, make_settings

PROGRAMS = ("ip", "iptables-restore", "ip6tables-restore")
ROUNDS = 50

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(
        not all(shutil.which(one) for one in PROGRAMS), reason=f"needs {', '.join(PROGRAMS)}"
    ),
]

SERVED = tuple(
    make_served(
        make_network(
            number,
            project_id=f"project-{number}",
            cidr_v6=f"fd00:{number}::/64",
            gateway_v6=f"fd00:{number}::1",
        )
    )
    for number in (1, 2)
)
SETTINGS = make_settings(use_ipv6=True)
NO_RULES_AT_ALL = "".join(
    f"*{table}\n{chains}COMMIT\n"
    for table, chains in (
        ("filter", ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"),
        ("nat", ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"),
        ("mangle", ":FORWARD ACCEPT\n:POSTROUTING ACCEPT\n"),
    )
)
FORWARD_JUMPS = ["-j nova-compute-FORWARD", "-j nova-network-FORWARD"]
TOP_JUMPS = ["-j nova-compute-local", "-j nova-network-local"]


class Daemons:
    """What two daemons do to one packet filter of a host, each in a thread of its own."""

    def __init__(self, folder: pathlib.Path, namespace: str, family: Family) -> None:
        self._network = LinuxHost(str(folder))
        self._compute = KernelRules()
        self._family = family
        self._inside = ["ip", "netns", "exec", namespace]
        self._program = "iptables" if family is Family.IPV4 else "ip6tables"
        self._pool = ThreadPoolExecutor(2, initializer=netns.setns, initargs=(namespace,))
        self._start = Barrier(2)

    def start_network(self) -> bool:
        """Apply the rules of networks."""
        if self._family is Family.IPV4:
            return self._network.apply_rules(wanted_rules(SERVED, SETTINGS))
        return self._network.apply_rules_v6(wanted_rules_v6(SERVED, SETTINGS))

    def clear_network(self) -> bool:
        """Remove the rules of networks."""
        if self._family is Family.IPV4:
            return self._network.apply_rules(NO_RULES)
        return self._network.apply_rules_v6(NO_RULES_V6)

    def start_compute(self) -> bool:
        """Apply the rules of servers."""
        rules = guest_iptables.wanted_rules(typical_host(), self._family, same_net=True)
        return self._compute.apply(self._family, rules)

    def clear_compute(self) -> bool:
        """Remove the rules of servers."""
        return self._compute.apply(self._family, guest_iptables.NO_RULES)

    def at_once(self, *works: Callable[[], bool]) -> None:
        """Do two works at the same time; neither may fail."""
        for done in [self._pool.submit(self._together, work) for work in works]:
            done.result(timeout=120)

    def one_by_one(self, *works: Callable[[], bool]) -> list[bool]:
        """Do works one after the other; tell which have changed something."""
        return [self._pool.submit(work).result(timeout=120) for work in works]

    def _together(self, work: Callable[[], bool]) -> bool:
        self._start.wait(timeout=60)
        return work()

    def saved(self) -> dict[str, list[str]]:
        """Return the rules of the table filter by chain."""
        text = run(*self._inside, f"{self._program}-save", "-t", "filter")
        return parse_saved(text)["filter"].chains

    def flush(self) -> None:
        """Remove all rules and all chains that are not the kernel's."""
        subprocess.run(
            [*self._inside, f"{self._program}-restore"],
            input=NO_RULES_AT_ALL, text=True, check=True, timeout=60,
        )  # fmt: skip

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


@pytest.fixture(params=list(Family))
def daemons(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Daemons]:
    """Give daemons in a namespace; privileged functions run in this process."""
    namespace = f"nt{uuid.uuid4().hex[:6]}"
    run("ip", "netns", "add", namespace)
    run_in_process(True)
    made = Daemons(tmp_path, namespace, request.param)
    try:
        yield made
    finally:
        made.close()
        run_in_process(False)
        run("ip", "netns", "del", namespace)


def test_net_09_daemons_that_start_at_once_have_their_rules(daemons: Daemons) -> None:
    for _ in range(ROUNDS):
        daemons.flush()
        daemons.at_once(daemons.start_network, daemons.start_compute)
        saved = daemons.saved()
        assert saved["FORWARD"][0] == "-j nova-filter-top"
        assert sorted(saved["FORWARD"][1:]) == FORWARD_JUMPS
        assert sorted(saved["nova-filter-top"]) == TOP_JUMPS
        changed = daemons.one_by_one(daemons.start_network, daemons.start_compute)
        assert changed == [False, False]


def test_net_09_nova_network_that_leaves_takes_no_rule_of_nova_compute(daemons: Daemons) -> None:
    for _ in range(ROUNDS):
        daemons.flush()
        daemons.one_by_one(daemons.start_network)
        daemons.at_once(daemons.clear_network, daemons.start_compute)
        changed = daemons.one_by_one(daemons.clear_network, daemons.start_compute)
        assert changed == [False, False], daemons.saved()


def test_net_09_nova_compute_that_leaves_takes_no_rule_of_nova_network(daemons: Daemons) -> None:
    for _ in range(ROUNDS):
        daemons.flush()
        daemons.one_by_one(daemons.start_compute)
        daemons.at_once(daemons.clear_compute, daemons.start_network)
        changed = daemons.one_by_one(daemons.clear_compute, daemons.start_network)
        assert changed == [False, False], daemons.saved()
