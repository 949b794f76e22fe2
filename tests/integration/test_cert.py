"""Two nova-cert processes on one folder, over a real broker, with the programs themselves."""

import pathlib
import tempfile
from collections.abc import Iterator

import pytest
from cryptography import x509
from standup.rabbitmq import SCRIPTS

from tests.fixtures.daemons import wait_for
from tests.fixtures.process_cloud import ProcessCloud, running_cloud

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (SCRIPTS / "rabbitmq-server").exists(), reason="RabbitMQ is not installed"
    ),
]


class _CertCloud(ProcessCloud):
    """Without hosts, with two nova-cert."""

    hosts = ()

    def open(self) -> None:
        """Start what certificates need and wait until all serve."""
        self.common = self.write("nova", self._common())
        self.stored = self.write("database", {"database": {"connection": self.database.url}})
        self.manage("db", "sync")
        self.daemons = {
            "conductor": self.daemon("conductor", "conductor", self.common, self.stored),
            "api": self.daemon("api", "api", self.common),
        }
        for name in ("cert1", "cert2"):
            own = self.write(name, {"DEFAULT": {"host": name}})
            self.daemons[name] = self.daemon(name, "cert", self.common, own)
        for one in self.daemons.values():
            one.start()
        for one in self.daemons.values():
            one.ready()

    def manage(self, *words: str) -> None:
        """Run nova-manage."""
        self._manage(self.common, self.stored, *words)


@pytest.fixture(scope="module")
def cloud() -> Iterator[_CertCloud]:
    # The broker's own user must be able to enter the folders above.
    with (
        tempfile.TemporaryDirectory(prefix="nova-cert-", dir="/var/tmp") as folder,
        running_cloud(pathlib.Path(folder), _CertCloud) as made,
    ):
        yield made


def _up(cloud: _CertCloud) -> set[str]:
    found = cloud.admin.get("/os-services?binary=nova-cert")["services"]
    return {service["host"] for service in found if service["state"] == "up"}


def _serials(path: pathlib.Path) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(path.read_bytes())}


def test_ec_11_processes_that_share_a_folder_agree(cloud: _CertCloud) -> None:
    wait_for(lambda: _up(cloud) == {"cert1", "cert2"}, "nova-cert does not report")
    root = cloud.user.get("/os-certificates/root")["certificate"]["data"]
    made = cloud.at_once(
        8, lambda _: cloud.user.do("POST", "/os-certificates", {})["certificate"]["data"]
    )
    authority = x509.load_pem_x509_certificate(root.encode())
    certificates = [x509.load_pem_x509_certificate(text.encode()) for text in made]
    for certificate in certificates:
        certificate.verify_directly_issued_by(authority)
    cloud.daemons["cert1"].kill()
    cloud.manage("cert", "revoke", "--project", cloud.user.project)
    serials = {certificate.serial_number for certificate in certificates}
    assert _serials(cloud.folder / "state/CA/crl.pem") == serials
    assert "PRIVATE KEY" not in "".join(one.said() for one in cloud.daemons.values())
