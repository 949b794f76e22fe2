"""The configuration files of the daemons under test.

Everything that costs time has its default but for rare periodic work, which is put off so that
the counts of single operations are exact; the rest says where things are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standup import ini, ports

RARE_WORK_PUT_OFF = {
    "self_check_interval": "0",
    "operations_pull_interval": "86400",
    "periodic_fuzzy_delay": "0",
}
ROOMY = {"vcpus": "1000", "memory_mb": "800000", "local_gb": "600000"}


@dataclass(frozen=True)
class Site:
    """Where the daemons of a run find what they need."""

    directory: Path
    api_port: int
    image_port: int
    transport_url: str
    database_url: str
    concurrency: str

    @property
    def common(self) -> Path:
        """The file of all daemons; there is no database in it."""
        return self.directory / "nova.conf"

    @property
    def database(self) -> Path:
        """The extra file of nova-conductor and nova-manage."""
        return self.directory / "nova-database.conf"

    def compute(self, number: int) -> Path:
        """The extra file of one nova-compute."""
        return self.directory / f"nova-compute-{number}.conf"


def write(site: Site, processes: int, hosts: int) -> None:
    """Write all files."""
    loopback = ports.LOOPBACK
    common = {
        "DEFAULT": {
            "host": "controller",
            "my_ip": loopback,
            "state_path": str(site.directory / "state"),
            "transport_url": site.transport_url,
            "concurrency": site.concurrency,
            "osapi_compute_listen": loopback,
            "osapi_compute_listen_port": str(site.api_port),
            "compute_driver": "fake.FakeDriver",
            "network_manager": "nova.network.manager.FlatDHCPManager",
            **RARE_WORK_PUT_OFF,
        },
        "api": {"auth_strategy": "noauth2"},
        "glance": {"endpoint_override": f"http://{loopback}:{site.image_port}"},
    }
    ini.write(site.common, common)
    ini.write(site.database, {"database": {"connection": site.database_url}})
    for number in range(1, processes + 1):
        of_process = {
            "DEFAULT": {"host": f"fake-{number}"},
            "fake": {"host_count": str(hosts), **ROOMY},
        }
        ini.write(site.compute(number), of_process)
