"""Compute hosts on one machine, each a set of namespaces with a libvirtd of its own.

A host has network, mount, UTS, IPC and PID namespaces; its first process is a process supervisor.
Three Ethernet segments join the hosts, as bridges in a network namespace called the switch:

  eth0  management: controller .1, hosts .11 and up, the machine .254
  eth1  data: the guests' network, without addresses of the hosts
  eth2  public, with the floating addresses of guests only; the switch is .1

Of the machine itself only one link changes: a veth pair into the management segment, with routes
to guests through it. The switch has the last address of the guests' network and stands in for the
machine there: guests answer to it directly, whichever host they are on. The controller's services
stay on the machine's loopback; a relay in the switch passes chosen ports on.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standup import ports, run
from standup.errors import StandupError
from standup.host_spec import OWN_DIRECTORIES, HostSpec
from standup.manager import ProcessManager, SupervisedPrograms, own_command, wait_until
from standup.program import Program
from standup.relay import inside

RELAY_TIER = 2
HOST_TIER = 4
PUBLIC_INTERFACE = "eth2"
SEGMENTS = {"mgmt": "eth0", "data": "eth1", "public": PUBLIC_INTERFACE}


@dataclass(frozen=True)
class Layout:
    """Names and addresses of a group of hosts. prefix has up to 10 characters.

    Interface names end at 15.
    """

    prefix: str
    directory: Path
    count: int
    management: str = "10.99.0.0/24"
    public: str = "172.24.4.0/24"
    fixed: str | None = "10.0.0.0/24"
    shared: bool = False
    libvirt: bool = True

    @property
    def switch(self) -> str:
        """Name of the network namespace that holds the segments."""
        return f"{self.prefix}-switch"

    @property
    def link(self) -> str:
        """Name of the machine's own interface to the hosts."""
        return f"{self.prefix}0"

    @property
    def compute(self) -> Path:
        """The path under which each host sees its own nova directory."""
        return self.directory / "compute"

    @property
    def controller_address(self) -> str:
        """Address at which the hosts reach the controller's services."""
        return str(self._management()[1])

    @property
    def machine_address(self) -> str:
        """Address of the machine itself among the hosts."""
        return str(self._management()[254])

    @property
    def guests(self) -> str:
        """The part of the guests' network whose addresses are for guests and hosts."""
        return str(next(ipaddress.IPv4Network(self.fixed or "10.0.0.0/24").subnets()))

    def netns(self, index: int) -> str:
        """Name of a host's network namespace."""
        return f"{self.prefix}-{index}"

    def address(self, index: int) -> str:
        """Management address of a host."""
        return str(self._management()[10 + index])

    def spec(self, index: int) -> HostSpec:
        """Return what a host is made of."""
        shared = self.directory / "shared" if self.shared else None
        directory = self.directory / "hosts" / str(index)
        return HostSpec(f"compute{index}", directory, self.compute, shared, self.libvirt)

    def indices(self) -> range:
        """The numbers of the hosts, from 1."""
        return range(1, self.count + 1)

    def _management(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.management)


@dataclass
class Hosts:
    """Makes, starts, crashes and removes the hosts of a layout."""

    layout: Layout
    manager: ProcessManager
    owner: str | None = None
    sudoers: str = ""
    relayed: Sequence[int] = field(default_factory=tuple)

    # ------------------------------------------------------------------ make

    def create(self) -> None:
        """Make the segments and start every host; what exists already is left alone."""
        layout = self.layout
        layout.compute.mkdir(parents=True, exist_ok=True)
        if layout.shared:
            (layout.directory / "shared").mkdir(exist_ok=True)
        if not _netns_exists(layout.switch):
            self._make_switch()
        for index in layout.indices():
            if not (layout.spec(index).directory / "host.json").exists():
                self._make_files(index)
            if not _netns_exists(layout.netns(index)):
                self._make_network(index)
            self.boot(index)
        self._add_routes()
        if self.relayed:
            self._relay()

    def _make_switch(self) -> None:
        layout = self.layout
        run.output(["ip", "netns", "add", layout.switch])
        _ip(layout.switch, "link", "set", "lo", "up")
        for segment in SEGMENTS:
            _ip(layout.switch, "link", "add", segment, "type", "bridge")
            _ip(layout.switch, "link", "set", segment, "up")
        _ip(layout.switch, "addr", "add", f"{layout.controller_address}/24", "dev", "mgmt")
        public = ipaddress.IPv4Network(layout.public)
        _ip(layout.switch, "addr", "add", f"{public[1]}/{public.prefixlen}", "dev", "public")
        self._set_switch_rules()
        if layout.fixed:
            self._join_guests(ipaddress.IPv4Network(layout.fixed))
        ours = [
            "link",
            "add",
            layout.link,
            "type",
            "veth",
            "peer",
            "name",
            "machine",
            "netns",
            layout.switch,
        ]
        run.output(["ip", *ours])
        _ip(layout.switch, "link", "set", "machine", "master", "mgmt", "up")
        run.output(["ip", "addr", "add", f"{layout.machine_address}/24", "dev", layout.link])
        run.output(["ip", "link", "set", layout.link, "up"])

    def _set_switch_rules(self) -> None:
        """Forward between segments, but let bridges only switch.

        No packet filter between the hosts.
        """
        inside = ["ip", "netns", "exec", self.layout.switch, "sysctl", "-q", "-w"]
        run.output([*inside, "net.ipv4.ip_forward=1"])
        # Answers of floating addresses come back by another segment.
        run.output([*inside, "net.ipv4.conf.all.rp_filter=2"])
        for family in ("iptables", "ip6tables", "arptables"):
            run.succeeds([*inside, f"net.bridge.bridge-nf-call-{family}=0"])

    def _join_guests(self, fixed: ipaddress.IPv4Network) -> None:
        """Let the switch reach guests under an address of their own network."""
        netns = self.layout.switch
        _ip(netns, "addr", "add", f"{fixed[-2]}/{fixed.prefixlen}", "dev", "data")
        rule = ["-o", "data", "!", "-s", str(fixed), "-j", "SNAT", "--to-source", str(fixed[-2])]
        run.output(
            ["ip", "netns", "exec", netns, "iptables", "-w", "-t", "nat", "-A"]
            + ["POSTROUTING", *rule]
        )

    def _add_routes(self) -> None:
        """Reach guests and public addresses through the switch."""
        layout = self.layout
        networks = [layout.public, *([layout.fixed] if layout.fixed else [])]
        for network in networks:
            gateway = ["via", layout.controller_address, "dev", layout.link]
            run.output(["ip", "route", "replace", network, *gateway])

    def _make_files(self, index: int) -> None:
        spec = self.layout.spec(index)
        for name in OWN_DIRECTORIES:
            target = spec.directory / name
            target.mkdir(parents=True, exist_ok=True)
        (spec.directory / "nova" / "instances").mkdir(parents=True, exist_ok=True)
        shutil.copytree("/etc/sudoers.d", spec.directory / "etc/sudoers.d", dirs_exist_ok=True)
        if self.sudoers:
            drop_in = spec.directory / "etc/sudoers.d" / "nova"
            drop_in.write_text(self.sudoers)
            drop_in.chmod(0o440)
        if self.layout.libvirt:
            self._make_libvirt(index)
        self._make_names(index)
        if self.owner:
            shutil.chown(spec.directory / "nova", self.owner, self.owner)
            shutil.chown(spec.directory / "nova" / "instances", self.owner, self.owner)
        spec.save()

    def _make_names(self, index: int) -> None:
        """Write the host's name, identity and the addresses of the others."""
        layout, etc = self.layout, self.layout.spec(index).directory / "etc"
        lines = ["127.0.0.1 localhost", f"{layout.controller_address} controller"]
        lines += [
            f"{layout.address(other)} {layout.spec(other).name}" for other in layout.indices()
        ]
        (etc / "hosts").write_text("\n".join(lines) + "\n")
        (etc / "hostname").write_text(layout.spec(index).name + "\n")
        (etc / "machine-id").write_text(uuid.uuid4().hex + "\n")
        name = f"iqn.1993-08.org.debian:01:{layout.prefix}{index}"
        (etc / "iscsi" / "initiatorname.iscsi").write_text(f"InitiatorName={name}\n")

    def _make_libvirt(self, index: int) -> None:
        """Write libvirt's configuration.

        Own identity, reachable from the other hosts for migration.
        """
        spec = self.layout.spec(index)
        etc = spec.directory / "etc/libvirt"
        if not Path("/etc/libvirt").is_dir():
            raise StandupError("libvirt is not installed: /etc/libvirt is missing")
        shutil.copytree(
            "/etc/libvirt",
            etc,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("qemu", "secrets"),
        )
        (etc / "libvirtd.conf").write_text(
            f'host_uuid = "{uuid.uuid4()}"\n'
            "listen_tls = 0\nlisten_tcp = 1\n"
            f'listen_addr = "{self.layout.address(index)}"\n'
            'auth_tcp = "none"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n'
            'unix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"\n'
        )
        (etc / "qemu.conf").write_text(
            'security_driver = "none"\n'
            "cgroup_controllers = []\nnamespaces = []\nremember_owner = 0\n"
            f'migration_host = "{self.layout.address(index)}"\n'
        )
        for name in ("qemu", "boot", "images"):
            (spec.directory / "var/lib/libvirt" / name).mkdir(exist_ok=True)

    def _make_network(self, index: int) -> None:
        layout, netns = self.layout, self.layout.netns(index)
        run.output(["ip", "netns", "add", netns])
        for segment, interface in SEGMENTS.items():
            port = f"h{index}{segment[0]}"
            _ip(
                layout.switch,
                "link",
                "add",
                port,
                "type",
                "veth",
                "peer",
                "name",
                interface,
                "netns",
                netns,
            )
            _ip(layout.switch, "link", "set", port, "master", segment, "up")
            _ip(netns, "link", "set", interface, "up")
        _ip(netns, "addr", "add", f"{layout.address(index)}/24", "dev", "eth0")
        _ip(netns, "route", "add", "default", "via", layout.controller_address)

    def _relay(self) -> None:
        """Start the relay and wait until it listens."""
        layout = self.layout
        log = layout.directory / "relay.log"
        netns = Path("/run/netns", layout.switch)
        where = ("--netns", str(netns), "--listen", layout.controller_address)
        command = own_command("relay", *where, *(str(port) for port in self.relayed))
        self.manager.start(Program("relay", command, str(log), tier=RELAY_TIER))

        def listens() -> bool:
            with inside(netns):
                return all(ports.answers(port, layout.controller_address) for port in self.relayed)

        wait_until(listens, 20, "the relay does not listen", log)

    # ------------------------------------------------------------------ life

    def boot(self, index: int) -> None:
        """Start a host and wait until its supervisor (and libvirt) answer; its files are kept."""
        spec, netns = self.layout.spec(index), self.layout.netns(index)
        namespaces = (
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        )
        command = (
            *("ip", "netns", "exec", netns, "unshare", *namespaces, "--propagation", "private"),
            *own_command("host-init", str(spec.file)),
        )
        log = spec.directory / "host.log"
        self.manager.start(
            Program(
                spec.name,
                command,
                str(log),
                restart=False,
                umask=0o022,
                tier=HOST_TIER,
                stop_timeout_s=60,
                stop_command=own_command("supervise", "--stop", str(spec.programs)),
            )
        )
        programs = self.programs(index)
        wait_until(programs.answers, 30, f"host {spec.name} does not start", log)
        if spec.libvirt:
            libvirt = ["virsh", "--quiet", "list"]
            wait_until(
                lambda: self.succeeds(index, libvirt),
                60,
                f"libvirt of {spec.name} does not answer",
                log,
            )

    def programs(self, index: int) -> SupervisedPrograms:
        """Return the programs inside a host; their supervisor is the host's first process."""
        return SupervisedPrograms(self.layout.spec(index).programs)

    def crash(self, index: int) -> None:
        """Let the power of a host fail: every process in it is gone at once."""
        name = self.layout.spec(index).name
        self.manager.kill(name)
        self.manager.stop(name)

    def reboot(self, index: int) -> None:
        """Boot a host that crashed, with an empty kernel: its files alone are left."""
        netns, switch = self.layout.netns(index), self.layout.switch
        run.output(["ip", "netns", "del", netns])
        # The kernel removes what was in it, and the other ends of its cards, a little later.
        ports_of_host = {f"h{index}{segment[0]}" for segment in SEGMENTS}

        def are_gone() -> bool:
            links = json.loads(run.output(["ip", "-netns", switch, "-json", "link"]))
            return ports_of_host.isdisjoint(link["ifname"] for link in links)

        wait_until(are_gone, 30, f"the cards of {netns} stay")
        self._make_network(index)
        self.boot(index)

    def enter(self, index: int) -> list[str]:
        """Return the command prefix that runs a program inside a host.

        Raises: StandupError if it is down.
        """
        name = self.layout.spec(index).name
        state = next((state for state in self.manager.states() if state.name == name), None)
        if state is None or state.pid is None:
            log = self.layout.spec(index).directory / "host.log"
            raise StandupError(f"host {name} is not up", log)
        children = Path(f"/proc/{state.pid}/task/{state.pid}/children").read_text().split()
        if not children:
            raise StandupError(f"host {name} is just going down")
        return ["nsenter", "-t", children[0], "-m", "-u", "-i", "-n", "-p", "--"]

    def succeeds(self, index: int, command: Sequence[str]) -> bool:
        """Tell whether a program inside a host ends with status 0."""
        return run.succeeds([*self.enter(index), *command])

    def destroy(self) -> None:
        """Remove every host, the segments and the machine's link.

        Works from any state and twice.
        """
        layout = self.layout
        for index in layout.indices():
            self.crash(index)
        self.manager.stop("relay")
        run.succeeds(["ip", "link", "del", layout.link])
        names = [layout.netns(index) for index in layout.indices()]
        for netns in (*names, layout.switch):
            if _netns_exists(netns):
                run.output(["ip", "netns", "del", netns])
        for path in (layout.directory / "hosts", layout.directory / "shared", layout.compute):
            remove_directory(path)


def save(layout: Layout, file: Path) -> None:
    """Store a layout."""
    values = {**layout.__dict__, "directory": str(layout.directory)}
    file.write_text(json.dumps(values, indent=1) + "\n")


def load(file: Path) -> Layout:
    """Read a stored layout."""
    values = json.loads(file.read_text())
    return Layout(**{**values, "directory": Path(values["directory"])})


def remove_directory(path: Path) -> None:
    """Remove a tree, if it is there; refuses to cross into a file system mounted below it."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [mount for mount in mounts if Path(mount).is_relative_to(path)]
    if below:
        raise StandupError(f"{path} is not removed: something is mounted at {below[0]}")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def _netns_exists(name: str) -> bool:
    return os.path.exists(f"/run/netns/{name}")


def _ip(netns: str, *arguments: str) -> None:
    run.output(["ip", "-netns", netns, *arguments])
