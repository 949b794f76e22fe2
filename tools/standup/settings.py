"""What was decided about a cloud when it was first put up, kept in its state directory."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from standup import ports, run
from standup.errors import StandupError

PREFERRED_PORTS = {
    "keystone": 5000,
    "glance": 9292,
    "compute": 8774,
    "network": 9696,
    "ec2": 8773,
    "objectstore": 3333,
    "novncproxy": 6080,
    "xvpvncproxy": 6081,
    "spicehtml5proxy": 6082,
    "serialproxy": 6083,
    "rabbit": 5672,
    "rabbit_dist": 25672,
    "rabbit_epmd": 4379,
    "mysql": 3306,
    "postgresql": 5432,
}
PASSWORDS = ("admin", "demo", "alt_demo", "demo_reader", "nova", "glance", "rabbit", "database")
METADATA_PORT = 8775
MANAGEMENT_NETWORKS = ("10.99.0.0/24", "10.199.0.0/24", "172.29.99.0/24")
FIXED_NETWORKS = ("10.0.0.0/24", "10.20.0.0/24", "172.29.0.0/24", "192.168.233.0/24")
PUBLIC_NETWORKS = ("172.24.4.0/24", "172.29.4.0/24", "192.168.234.0/24")


@dataclass(frozen=True)
class Wishes:
    """What the person asked for."""

    hosts: int = 1
    on_this_host: bool = False
    database: str = "sqlite"


@dataclass(frozen=True)
class Settings:
    """A cloud: what it consists of, its ports, networks and passwords."""

    state: Path
    cache: Path
    wishes: Wishes
    management: str
    fixed: str
    public: str
    ports: dict[str, int]
    passwords: dict[str, str] = field(repr=False)
    accounts_made: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """Where these settings are stored."""
        return self.state / "settings.json"

    @property
    def logs(self) -> Path:
        """Directory of the daemons' logs."""
        return self.state / "log"

    @property
    def user(self) -> Path:
        """Directory of what people use: key, programs, files to source."""
        return self.state / "user"

    @property
    def openrc(self) -> Path:
        """The file to source: the administrator, at work in the demo project."""
        return self.state / "openrc"

    @property
    def etc(self) -> Path:
        """Directory of the daemons' configuration."""
        return self.state / "etc"

    @property
    def nova_venv(self) -> Path:
        """Virtual environment of nova."""
        return self.cache / "nova-venv"

    @property
    def identity_venv(self) -> Path:
        """Virtual environment of Keystone, Glance and the command-line client."""
        return self.cache / "identity-venv"

    @property
    def aws_venv(self) -> Path:
        """Virtual environment of the AWS client."""
        return self.cache / "aws-venv"

    @property
    def auth_url(self) -> str:
        """Keystone, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['keystone']}/v3"

    @property
    def compute_url(self) -> str:
        """The Compute API, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['compute']}/v2.1"

    @property
    def network_url(self) -> str:
        """The Networking API, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['network']}"

    @property
    def ec2_url(self) -> str:
        """The EC2 API, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['ec2']}/services/Cloud"

    @property
    def objectstore_url(self) -> str:
        """nova-objectstore, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['objectstore']}"

    @property
    def floating(self) -> str:
        """The part of the public network that floating addresses come from."""
        return str(list(ipaddress.IPv4Network(self.public).subnets(new_prefix=27))[1])

    @property
    def image_url(self) -> str:
        """Glance, as seen from the machine."""
        return f"http://{ports.LOOPBACK}:{self.ports['glance']}"

    def save(self) -> None:
        """Store the settings, readable by root only."""
        values = {**asdict(self), "state": str(self.state), "cache": str(self.cache)}
        fresh = self.file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(values, file, indent=1)
        fresh.replace(self.file)

    def with_accounts(self, names: tuple[str, ...]) -> Settings:
        """Return the settings with more accounts that we made, and store them."""
        changed = replace(self, accounts_made=tuple(sorted({*self.accounts_made, *names})))
        changed.save()
        return changed


def load(state: Path) -> Settings | None:
    """Return the settings of an existing cloud, None if there is none."""
    file = state / "settings.json"
    if not file.exists():
        return None
    values = json.loads(file.read_text())
    state, cache = Path(values.pop("state")), Path(values.pop("cache"))
    wishes, made = Wishes(**values.pop("wishes")), tuple(values.pop("accounts_made"))
    return _with_all_ports(Settings(state, cache, wishes, **values, accounts_made=made))


def _with_all_ports(stored: Settings) -> Settings:
    """Choose the ports that a cloud of an earlier release does not have yet, and store them."""
    missing = {name: port for name, port in PREFERRED_PORTS.items() if name not in stored.ports}
    if not missing:
        return stored
    taken = set(stored.ports.values())
    chosen = {name: ports.choose(port, taken) for name, port in missing.items()}
    changed = replace(stored, ports={**stored.ports, **chosen})
    changed.save()
    return changed


def choose(state: Path, cache: Path, wishes: Wishes) -> Settings:
    """Decide about a new cloud.

    Free ports, networks that the machine has no route to, random passwords.
    """
    present = _routes()
    taken: set[int] = set()
    return Settings(
        state,
        cache,
        wishes,
        management=_free_network(MANAGEMENT_NETWORKS, present),
        fixed=_free_network(FIXED_NETWORKS, present),
        public=_free_network(PUBLIC_NETWORKS, present),
        ports={name: ports.choose(preferred, taken) for name, preferred in PREFERRED_PORTS.items()},
        passwords={name: secrets.token_hex(12) for name in PASSWORDS},
    )


def _routes() -> list[ipaddress.IPv4Network]:
    routes = json.loads(run.output(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]")
    found = []
    for route in routes:
        try:
            network = ipaddress.IPv4Network(route["dst"], strict=False)
        except ValueError:
            continue
        if network.prefixlen:
            found.append(network)
    return found


def _free_network(candidates: tuple[str, ...], present: list[ipaddress.IPv4Network]) -> str:
    for candidate in candidates:
        if not any(ipaddress.IPv4Network(candidate).overlaps(network) for network in present):
            return candidate
    raise StandupError(f"the machine has routes into all of {', '.join(candidates)}")
