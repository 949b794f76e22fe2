"""nova-network on a real kernel: bridges, dnsmasq, iptables, with guests in namespaces."""

import contextlib
import dataclasses
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from oslo_config import cfg

from nova.context import get_admin_context
from nova.netfilter import render_difference
from nova.network.iptables import NO_RULES, PREFIX, wanted_rules
from nova.network.linux import LinuxHost
from nova.network.manager import FlatDHCPManager
from nova.network.settings import NetworkSettings
from nova.privileged import context as privileged_context
from nova.privileged import network as privileged
from nova.rpc.amqp import AmqpBus
from nova.rpc.local import LocalBus
from tests.fixtures.crash import Killed
from tests.fixtures.lease_relay import LeaseRelay
from tests.fixtures.network_lab import (
    HOST_ADDRESS,
    WORLD_ADDRESS,
    LeaseEvents,
    NetworkLab,
    config_file,
    messaging_conf,
    run,
)
from tests.fixtures.networks import (
    HOST,
    NetworksConductor,
    make_binding,
    make_network,
    make_served,
    make_settings,
    make_vif,
)
from tests.fixtures.rule_cases import CASES

PROGRAMS = ("ip", "dnsmasq", "dhcp_release", "iptables-restore", "busybox")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(
        not all(shutil.which(one) for one in PROGRAMS), reason=f"needs {', '.join(PROGRAMS)}"
    ),
]

CONTEXT = get_admin_context()
GATEWAY = "10.0.1.1"
USER = "nobody"
REPOSITORY = pathlib.Path(__file__).parents[2]
RABBIT_URL = os.environ.get("NOVA_TEST_RABBIT_URL", "")


@dataclasses.dataclass
class Host:
    """One host with its nova-network, in a lab."""

    lab: NetworkLab
    settings: NetworkSettings
    conductor: NetworksConductor
    events: LeaseEvents
    manager: FlatDHCPManager

    @classmethod
    def make(cls, lab: NetworkLab, folder: pathlib.Path, *served: object) -> "Host":
        events = LeaseEvents(folder)
        networks = folder / "networks"
        settings = make_settings(
            networks_path=str(networks),
            dhcpbridge=str(events.script),
            dhcpbridge_user=USER,
            dnsmasq_user=USER,
            public_interface="pub0",
            routing_source_ip=HOST_ADDRESS,
            metadata_host=HOST_ADDRESS,
        )
        conductor = NetworksConductor(*(served or (make_served(),)))
        return cls(lab, settings, conductor, events, new_manager(settings, conductor))

    def start(self) -> None:
        """Do what the daemon does when it starts."""
        with self.lab.as_host():
            self.manager.init_host()
            self.manager.heal()

    def boot(self, number: int, guest: int, bridge: str = "br1") -> list[str]:
        """Set up a server and let its guest ask for its address."""
        vif = make_vif(number)
        self.conductor.bind(1, make_binding(number, hostname=f"vm{number}"))
        with self.lab.as_host():
            self.manager.setup_instance(CONTEXT, f"guest-{number}", f"vm{number}", (vif,), HOST)
        self.lab.plug(guest, bridge, vif.address)
        return self.lab.dhcp(guest)

    def saved(self) -> str:
        """Return the rules of the host without comments and counters."""
        lines = self.lab.inside(self.lab.host, "iptables-save").splitlines()
        return "\n".join(line.split(" [")[0] for line in lines if not line.startswith("#"))

    def dnsmasq(self) -> int | None:
        """Return the process of the dnsmasq of br1."""
        return privileged.find_dnsmasq_process(self.settings.networks_path, "br1")


def new_manager(settings: NetworkSettings, conductor: NetworksConductor) -> FlatDHCPManager:
    """Return the manager of a host that has just been started."""
    bus = LocalBus()
    bus.serve("conductor", "conductor1", [conductor]).start()
    return FlatDHCPManager(settings=settings, bus=bus, host=LinuxHost(settings.networks_path))


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    """Give a folder that unprivileged users can enter."""
    path = pathlib.Path(f"/tmp/nn-{os.getpid()}-{time.monotonic_ns()}")
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def lab(folder: pathlib.Path) -> Iterator[NetworkLab]:
    """Give namespaces, and take them away again."""
    made = NetworkLab(folder)
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.fixture
def host(lab: NetworkLab, folder: pathlib.Path) -> Iterator[Host]:
    """Give a host that is not started; privileged functions run in this process."""
    made = Host.make(lab, folder)
    with privileges(made.settings):
        yield made


@contextlib.contextmanager
def privileges(settings: NetworkSettings, **options: object) -> Iterator[None]:
    """Run privileged functions here, configured as the host is."""
    options |= {name: getattr(settings, name) for name in ("networks_path", "dhcpbridge")}
    for name, value in options.items():
        cfg.CONF.set_override(name, value)
    privileged_context.run_in_process(True)
    try:
        yield
    finally:
        privileged_context.run_in_process(False)
        for name in options:
            cfg.CONF.clear_override(name)


@contextlib.contextmanager
def helper_process(lab: NetworkLab, settings: NetworkSettings) -> Iterator[int]:
    """Run privileged functions in a helper with the capabilities of its context only.

    Gives the helper's process id.
    """
    config = lab.folder / "privileged.conf"
    config.write_text(
        f"[DEFAULT]\nnetworks_path = {settings.networks_path}\ndhcpbridge = {settings.dhcpbridge}\n"
    )
    context = privileged_context.network_pctxt
    helper = pathlib.Path(sys.executable).with_name("privsep-helper")
    cfg.CONF([], project="nova", default_config_files=[])
    cfg.CONF.set_override(
        "helper_command",
        f"/usr/bin/env PYTHONPATH={REPOSITORY} {helper} --config-file {config}",
        group=context.cfg_section,
    )
    try:
        with lab.as_host():
            context.start()
        yield helper_process_id(config)
    finally:
        context.stop()
        cfg.CONF.clear()


def helper_process_id(config: pathlib.Path) -> int:
    """Return the process that was started with a configuration file."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(config) in path.read_text().split("\0"):
                return int(path.parent.name)
    raise AssertionError("the helper does not run")


def wait_until(condition: Callable[[], bool], timeout_s: float = 15) -> None:
    """Wait for something that other processes do."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def test_guest_gets_its_address_and_the_script_hears_of_it(host: Host) -> None:
    host.start()
    assert host.boot(5, guest=1) == ["10.0.1.5", GATEWAY, GATEWAY]
    event = host.events.wait_for("add", "fa:16:3e:00:00:05", "10.0.1.5")
    assert event[3:6] == ["vm5", "1", str(pwd.getpwnam(USER).pw_uid)]
    assert event[6].startswith('["')


def test_net_11_unknown_guest_gets_no_address(host: Host) -> None:
    host.start()
    host.lab.plug(2, "br1", "fa:16:3e:ff:ff:ff")
    assert host.lab.dhcp(2) == []


def test_guest_finds_names_by_dns(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    answer = host.lab.inside(host.lab.guests[1], "busybox", "nslookup", "vm5.novalocal", GATEWAY)
    assert "10.0.1.5" in answer


def test_metadata_and_source_translation(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    host.lab.listen(host.lab.host, "0.0.0.0", 8775, "http")
    host.lab.listen(host.lab.world, WORLD_ADDRESS, 9000)
    guest = host.lab.guests[1]
    answer = host.lab.inside(guest, "busybox", "wget", "-qO-", "http://169.254.169.254/")
    assert answer == "10.0.1.5"
    assert host.lab.call(guest, WORLD_ADDRESS, 9000) == HOST_ADDRESS


def test_metadata_on_loopback_is_redirected(lab: NetworkLab, folder: pathlib.Path) -> None:
    host = Host.make(lab, folder)
    host.settings = dataclasses.replace(host.settings, metadata_host="127.0.0.1")
    host.manager = new_manager(host.settings, host.conductor)
    with privileges(host.settings):
        host.start()
        host.boot(5, guest=1)
    lab.listen(lab.host, "0.0.0.0", 8775, "http")
    answer = lab.inside(lab.guests[1], "busybox", "wget", "-qO-", "http://169.254.169.254/")
    assert answer == "10.0.1.5"


def test_net_02_guest_reaches_no_other_port_of_the_host(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    host.lab.listen(host.lab.host, "0.0.0.0", 7777)
    host.lab.listen(host.lab.host, "0.0.0.0", 8775, "http")
    guest = host.lab.guests[1]
    assert host.lab.call(guest, GATEWAY, 7777) == "closed"
    assert host.lab.call(guest, HOST_ADDRESS, 7777) == "closed"
    assert host.lab.call(guest, HOST_ADDRESS, 8775) == "closed"
    assert host.lab.call(host.lab.world, HOST_ADDRESS, 7777) == WORLD_ADDRESS


def test_net_02_host_reaches_its_guests(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    host.lab.listen(host.lab.guests[1], "0.0.0.0", 22)
    assert host.lab.call(host.lab.host, "10.0.1.5", 22) == GATEWAY


def test_net_15_strangers_can_not_ask_the_name_server(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    run("ip", "-n", host.lab.world, "route", "add", "10.0.1.0/24", "via", HOST_ADDRESS)
    question = ("busybox", "nslookup", "vm5.novalocal", GATEWAY)
    assert "10.0.1.5" in host.lab.inside(host.lab.host, *question)
    assert "10.0.1.5" not in host.lab.inside(host.lab.world, "timeout", "2", *question)


def test_net_15_dnsmasq_is_unprivileged(host: Host) -> None:
    host.start()
    status = pathlib.Path(f"/proc/{host.dnsmasq()}/status").read_text()
    uid = pwd.getpwnam(USER).pw_uid
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status


def test_hst_01_everything_works_with_the_capabilities_of_the_context(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    run("ip", "-n", lab.host, "addr", "add", "192.0.2.7/24", "dev", "card0")
    host = Host.make(lab, folder, make_served(make_network(bridge_interface="card0")))
    with helper_process(lab, host.settings) as process:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
        wanted = sum(1 << one for one in privileged_context.network_pctxt.conf.capabilities)
        assert f"CapEff:\t{wanted:016x}\n" in status
        host.start()
        assert host.boot(5, guest=1) == ["10.0.1.5", GATEWAY, GATEWAY]
        host.manager.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
        host.events.wait_for("del", "fa:16:3e:00:00:05", "10.0.1.5")
        lab.unplug(1)
        host.conductor.served = ()
        host.manager.networks_changed(CONTEXT)
        host.manager.clear_host()
    assert "nova" not in host.saved()
    assert "br1" not in lab.inside(lab.host, "ip", "link")
    assert host.dnsmasq() is None


def test_applying_twice_changes_nothing(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    rules, process = host.saved(), host.dnsmasq()
    plan = host.manager.plan(host.conductor.served)
    shell = LinuxHost(host.settings.networks_path)
    with host.lab.as_host():
        assert shell.apply_rules(plan.rules) is False
        assert [shell.ensure_bridge(one) for one in plan.bridges] == [False]
        assert shell.enable_forwarding("169.254.169.254") is False
        host.manager.networks_changed(CONTEXT)
    assert (host.saved(), host.dnsmasq()) == (rules, process)


def test_restart_of_the_daemon_keeps_dnsmasq_and_leases(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    process = host.dnsmasq()
    host.manager = new_manager(host.settings, host.conductor)
    host.start()
    assert host.dnsmasq() == process
    assert host.lab.dhcp(1) == ["10.0.1.5", GATEWAY, GATEWAY]


def test_dnsmasq_hears_of_a_guest_after_a_kill_before_its_signal(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(process_id: int, number: int) -> None:
        raise Killed

    host.start()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "kill", die)
        host.boot(5, guest=1)
    host.manager = new_manager(host.settings, host.conductor)
    host.start()
    host.lab.plug(1, "br1", make_vif(5).address)
    assert host.lab.dhcp(1) == ["10.0.1.5", GATEWAY, GATEWAY]


def test_flushed_tables_heal(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    rules = host.saved()
    for table in ("filter", "nat", "mangle"):
        host.lab.inside(host.lab.host, "iptables", "-w", "-t", table, "-F")
        host.lab.inside(host.lab.host, "iptables", "-w", "-t", table, "-X")
    assert "nova-network" not in host.saved()
    with host.lab.as_host():
        host.manager.heal()
    assert sorted(host.saved().splitlines()) == sorted(rules.splitlines())
    assert host.lab.dhcp(1) == ["10.0.1.5", GATEWAY, GATEWAY]


def test_dead_dnsmasq_heals(host: Host) -> None:
    host.start()
    process = host.dnsmasq()
    assert process is not None
    os.kill(process, 9)
    wait_until(lambda: host.dnsmasq() is None)
    with host.lab.as_host():
        host.manager.heal()
    assert host.dnsmasq() not in (None, process)


def test_foreign_rules_are_untouched(host: Host) -> None:
    foreign = [
        ["-N", "operator"],
        ["-A", "operator", "-p", "tcp", "--dport", "1", "-j", "DROP"],
        ["-A", "INPUT", "-j", "operator"],
        ["-A", "FORWARD", "-s", "203.0.113.0/24", "-j", "DROP"],
        ["-t", "nat", "-A", "POSTROUTING", "-s", "203.0.113.0/24", "-j", "MASQUERADE"],
    ]
    for rule in foreign:
        run("ip", "netns", "exec", host.lab.host, "iptables", "-w", *rule)
    before = [line for line in host.saved().splitlines() if line.startswith("-A")]
    host.start()
    after = [line for line in host.saved().splitlines() if line.startswith("-A")]
    assert sorted(one for one in after if "nova-" not in one) == sorted(before)
    assert [one for one in after if one.startswith("-A INPUT")] == [
        "-A INPUT -j nova-network-INPUT",
        "-A INPUT -j operator",
    ]
    with host.lab.as_host():
        host.manager.clear_host()
    cleared = [line for line in host.saved().splitlines() if line.startswith("-A")]
    assert sorted(cleared) == sorted(before)


def test_teardown_releases_the_lease_and_forgets_the_guest(host: Host) -> None:
    host.start()
    host.boot(5, guest=1)
    with host.lab.as_host():
        host.manager.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
        host.manager.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
    host.events.wait_for("del", "fa:16:3e:00:00:05", "10.0.1.5")
    assert host.lab.dhcp(1) == []


def test_removed_network_leaves_nothing(host: Host) -> None:
    host.start()
    host.conductor.served = ()
    with host.lab.as_host():
        host.manager.networks_changed(CONTEXT)
        assert "br1" not in host.saved()
        host.manager.clear_host()
    assert "nova" not in host.saved()
    assert "br1" not in host.lab.inside(host.lab.host, "ip", "link")
    assert "169.254" not in host.lab.inside(host.lab.host, "ip", "addr")
    assert os.listdir(host.settings.networks_path) == []
    assert host.dnsmasq() is None


def test_card_gives_its_addresses_and_routes_to_the_bridge(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    run("ip", "-n", lab.host, "addr", "add", "192.0.2.7/24", "dev", "card0")
    run("ip", "-n", lab.host, "route", "add", "203.0.113.0/24", "via", "192.0.2.1")
    host = Host.make(lab, folder, make_served(make_network(bridge_interface="card0")))
    with privileges(host.settings):
        host.start()
        shown = lab.inside(lab.host, "ip", "-4", "-o", "addr", "show", "dev", "br1")
        assert [line.split()[3] for line in shown.splitlines()] == ["10.0.1.1/24", "192.0.2.7/24"]
        assert "via 192.0.2.1 dev br1" in lab.inside(lab.host, "ip", "route")
        assert "master br1" in lab.inside(lab.host, "ip", "link", "show", "card0")
        with lab.as_host():
            assert (
                host.manager._host.ensure_bridge(
                    host.manager.plan(host.conductor.served).bridges[0]
                )
                is False
            )
        host.conductor.served = ()
        with lab.as_host():
            host.manager.networks_changed(CONTEXT)
    shown = lab.inside(lab.host, "ip", "-4", "-o", "addr", "show", "dev", "card0")
    assert [line.split()[3] for line in shown.splitlines()] == ["192.0.2.7/24"]
    assert "via 192.0.2.1 dev card0" in lab.inside(lab.host, "ip", "route")


def test_shared_address_does_not_answer_beyond_its_host(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    network = make_network(multi_host=True, share_address=True, bridge_interface="card0")
    host = Host.make(lab, folder, make_served(network))
    run("ip", "-n", lab.world, "addr", "add", "10.0.1.200/24", "dev", "wire0")
    ask = ("arping", "-c", "2", "-w", "3", "-I", "wire0")
    with privileges(host.settings):
        host.start()
        assert host.boot(5, guest=1) == ["10.0.1.5", GATEWAY, GATEWAY]
        assert "Received 0 " in lab.inside(lab.world, *ask, GATEWAY)
        assert "Received 2 " in lab.inside(lab.world, *ask, "10.0.1.5")
        rules = lab.inside(lab.host, "ebtables-save")
        with lab.as_host():
            plan = host.manager.plan(host.conductor.served)
            assert LinuxHost("/").apply_frame_rules(plan.frame_rules) is False
            host.manager.clear_host()
    assert "nova-network-INPUT" in rules
    assert "nova" not in lab.inside(lab.host, "ebtables-save")


@pytest.mark.parametrize("flavour", ["nft", "legacy"])
def test_kernel_prints_rules_as_they_were_written(lab: NetworkLab, flavour: str) -> None:
    save = ("ip", "netns", "exec", lab.host, f"iptables-{flavour}-save")
    restore = ["ip", "netns", "exec", lab.host, f"iptables-{flavour}-restore", "--noflush", "-w"]
    for name, (networks, settings) in CASES.items():
        rules = wanted_rules(networks, settings)
        text = render_difference(rules, run(*save), PREFIX)
        done = subprocess.run(restore, input=text, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert render_difference(rules, run(*save), PREFIX) == "", name
    subprocess.run(
        restore, input=render_difference(NO_RULES, run(*save), PREFIX), text=True, check=True
    )
    assert "nova" not in run(*save)


def test_net_03_bridges_never_have_an_ipv6_address(host: Host) -> None:
    watch = subprocess.Popen(
        ["ip", "-n", host.lab.host, "-6", "monitor", "address"], stdout=subprocess.PIPE, text=True
    )
    host.conductor.served = tuple(make_served(make_network(number)) for number in range(1, 21))
    try:
        with host.lab.as_host():
            for bridge in host.manager.plan(host.conductor.served).bridges:
                assert host.manager._host.ensure_bridge(bridge) is True
    finally:
        run("ip", "-n", host.lab.host, "addr", "add", "2001:db8::1/128", "dev", "pub0")
        time.sleep(0.3)
        watch.terminate()
        seen, _ = watch.communicate(timeout=10)
    assert "2001:db8::1" in seen
    assert " br" not in seen


def test_net_14_bridge_learns_and_forgets(host: Host) -> None:
    host.start()
    shown = host.lab.inside(host.lab.host, "ip", "-d", "link", "show", "br1")
    assert " ageing_time 30000 " in shown
    assert " stp_state 0 " in shown
    assert " forward_delay 0 " in shown


def test_bridge_keeps_its_address_when_guests_come_and_go(host: Host) -> None:
    host.start()
    command = ("ip", "-o", "link", "show", "br1")
    before = host.lab.inside(host.lab.host, *command).split("link/ether ")[1].split()[0]
    host.lab.plug(1, "br1", "02:00:00:00:00:01")
    run("ip", "-n", host.lab.host, "link", "set", "tap1", "address", "02:00:00:00:00:02")
    after = host.lab.inside(host.lab.host, *command).split("link/ether ")[1].split()[0]
    assert after == before


def test_multi_host_guests_use_the_address_of_their_host(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    network = make_network(multi_host=True)
    served = make_served(network, dhcp_server="10.0.1.9", gateway="10.0.1.9")
    host = Host.make(lab, folder, served)
    with privileges(host.settings):
        host.start()
        assert host.boot(5, guest=1) == ["10.0.1.5", "10.0.1.9", "10.0.1.9"]
    assert (folder / "networks" / "nova-br1.hosts").read_text() == "10.0.1.5\tvm5.novalocal\n"


def test_program_clears_its_host(lab: NetworkLab, folder: pathlib.Path) -> None:
    run("ip", "-n", lab.host, "addr", "add", "192.0.2.7/24", "dev", "card0")
    host = Host.make(lab, folder, make_served(make_network(bridge_interface="card0")))
    with privileges(host.settings):
        host.start()
    config = folder / "nova.conf"
    config.write_text(
        "[DEFAULT]\ntransport_url = kombu+memory://\n"
        f"networks_path = {host.settings.networks_path}\n"
        f"dhcpbridge_flagfile = {config}\n"
        "[nova_network_privileged]\n"
        f"helper_command = /usr/bin/env PYTHONPATH={REPOSITORY} "
        f"{pathlib.Path(sys.executable).with_name('privsep-helper')} --config-file {config}\n"
    )
    config.chmod(0o600)
    program = ("env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "nova.cmd.network")
    for _ in range(2):
        run("ip", "netns", "exec", lab.host, *program, "--config-file", str(config), "--clear-host")
    assert "nova" not in host.saved()
    assert "br1" not in lab.inside(lab.host, "ip", "link")
    assert "192.0.2.7/24" in lab.inside(lab.host, "ip", "addr", "show", "dev", "card0")
    assert "169.254" not in lab.inside(lab.host, "ip", "addr")
    assert host.dnsmasq() is None
    assert os.listdir(host.settings.networks_path) == []


@pytest.mark.skipif(not RABBIT_URL, reason="NOVA_TEST_RABBIT_URL is not set")
def test_leases_go_through_rabbitmq_from_dnsmasq_to_the_conductor(
    lab: NetworkLab, folder: pathlib.Path
) -> None:
    host = Host.make(lab, folder)
    relay = LeaseRelay(folder)
    name = f"nn-{uuid.uuid4().hex[:8]}"
    path = config_file(folder, name, RABBIT_URL)
    host.settings = dataclasses.replace(host.settings, host=name, dhcpbridge=str(relay.script))
    host.manager = new_manager(host.settings, host.conductor)
    bus = AmqpBus(messaging_conf(path))
    server = bus.serve("network", name, [host.manager])
    server.start()
    try:
        with privileges(host.settings, dhcpbridge_flagfile=[str(path)]):
            host.start()
            assert relay.outcomes[0][:3] == (["init"], 0, "")
            assert host.boot(5, guest=1) == ["10.0.1.5", GATEWAY, GATEWAY]
            mac = "fa:16:3e:00:00:05"
            wait_until(lambda: host.conductor.recorded == [(name, "10.0.1.5", mac, True)])
            with lab.as_host():
                host.manager.teardown_instance(CONTEXT, "guest-5", (make_vif(5),))
            wait_until(lambda: host.conductor.recorded[-1] == (name, "10.0.1.5", mac, False))
    finally:
        server.stop()
        server.drain(10)
        bus.close()
        relay.close()
        cfg.CONF.clear()
