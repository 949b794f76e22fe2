"""nova-cert on a real folder, with a real conductor."""

import base64
import os
import pathlib
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from nova.cert import authority, files
from nova.cert.manager import CertManager
from nova.cert.settings import CertSettings
from nova.conductor import manager as conductor
from nova.conductor.rpcapi.certificates import ConductorCertificates
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import (
    AuthorityUnusable,
    ConfigurationError,
    CryptoCAFileNotFound,
    CryptoCRLFileNotFound,
    DecryptionFailure,
    InvalidInput,
)
from nova.rpc.local import LocalBus
from tests.fixtures.conductor import make_database

CONTEXT = get_admin_context()
P1, P2 = "1" * 32, "2" * 32
KEY = authority.pem_of_key(authority.new_key())


@pytest.fixture
def bus() -> Iterator[LocalBus]:
    database = make_database()
    made = LocalBus(threads=0)
    endpoints = conductor.endpoints(ConductorSettings(), made, database, made)
    made.serve("conductor", "controller", endpoints).start()
    yield made
    made.close()
    database.close()


def _manager(bus: LocalBus, folder: pathlib.Path, **settings: bool) -> CertManager:
    """Return a manager; an authority takes the key that it finds, and a new one takes seconds."""
    for place in ("CA", f"CA/projects/{P1}", f"CA/projects/{P2}"):
        key = folder / place / "private/cakey.pem"
        if not key.exists():
            files.write(key, KEY)
    return _keyless_manager(bus, folder, **settings)


def _keyless_manager(bus: LocalBus, folder: pathlib.Path, **settings: bool) -> CertManager:
    """Return a manager that makes the keys of its authorities."""
    manager = CertManager(CertSettings(ca_path=str(folder / "CA"), **settings), bus)
    manager.init_host()
    return manager


def _serials(text: str) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(text.encode())}


def _loaded(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


def test_certificates_are_signed_recorded_and_revoked(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    manager = _manager(bus, tmp_path)
    key, text = manager.generate_x509_cert(CONTEXT, "alice", P1)
    other = _loaded(manager.generate_x509_cert(CONTEXT, "bob", P1)[1])
    made = _loaded(text)
    made.verify_directly_issued_by(_loaded(manager.fetch_ca(CONTEXT, P1)))
    assert key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    records = bus.client(ConductorCertificates).anyone()
    found = records.list_valid(CONTEXT, P1, "alice")
    assert [(one.user_id, one.project_id, one.certificate) for one in found] == [
        ("alice", P1, text)
    ]
    assert (tmp_path / "CA" / found[0].file_name).read_text() == text
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == set()
    assert manager.revoke_certs_by_user_and_project(CONTEXT, "alice", P1) == 1
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == {made.serial_number}
    assert records.list_valid(CONTEXT, P1, "alice") == ()
    assert [manager.revoke_certs_by_user(CONTEXT, "bob") for _ in range(2)] == [1, 0]
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == {made.serial_number, other.serial_number}


def test_ec_11_revocation_works_after_the_project_is_gone(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    manager = _manager(bus, tmp_path, use_project_ca=True)
    made = [_loaded(manager.generate_x509_cert(CONTEXT, user, P1)[1]) for user in ("u1", "u2")]
    kept = _loaded(manager.generate_x509_cert(CONTEXT, "u1", P2)[1])
    kept.verify_directly_issued_by(_loaded(manager.fetch_ca(CONTEXT, P2)))
    assert manager.fetch_ca(CONTEXT, P1) != manager.fetch_ca(CONTEXT, P2)
    # Nothing here asks the identity service for the project, so that it may be gone.
    again = _manager(bus, tmp_path, use_project_ca=True)
    again.revoke_certs_by_project(CONTEXT, P1)
    assert _serials(again.fetch_crl(CONTEXT, P1)) == {one.serial_number for one in made}
    assert _serials(again.fetch_crl(CONTEXT, P2)) == set()


def test_ec_11_only_the_owner_of_the_service_reads_the_files(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    old = os.umask(0)
    try:
        _keyless_manager(bus, tmp_path, use_project_ca=True).generate_x509_cert(CONTEXT, "u", P1)
    finally:
        os.umask(old)
    root = tmp_path / "CA"
    for key in (root / "private/cakey.pem", root / "projects" / P1 / "private/cakey.pem"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("project", ["../x", "a/b", "..", ".", "", "a\n", "x" * 300, "a\0"])
def test_ec_11_a_project_id_is_never_a_path(
    bus: LocalBus, tmp_path: pathlib.Path, project: str
) -> None:
    manager = _manager(bus, tmp_path, use_project_ca=True)
    before = sorted(tmp_path.rglob("*"))
    for ask in (manager.fetch_ca, manager.fetch_crl):
        with pytest.raises(InvalidInput):
            ask(CONTEXT, project)
    with pytest.raises(InvalidInput):
        manager.generate_x509_cert(CONTEXT, "u", project)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_processes_share_a_folder(bus: LocalBus, tmp_path: pathlib.Path) -> None:
    managers: list[CertManager] = []

    def start() -> None:
        managers.append(_keyless_manager(bus, tmp_path))

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.fetch_ca(CONTEXT, P1) for one in managers}) == 1
    made = [_loaded(one.generate_x509_cert(CONTEXT, "u", P1)[1]) for one in managers]
    managers[0].revoke_certs_by_user(CONTEXT, "u")
    expected = {one.serial_number for one in made}
    assert all(_serials(one.fetch_crl(CONTEXT, P1)) == expected for one in managers)


def test_decrypts_what_was_encrypted_for_the_authority(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    manager = _manager(bus, tmp_path)
    public = _loaded(manager.fetch_ca(CONTEXT, P1)).public_key()
    secret = public.encrypt(b"c0ffee", padding.PKCS1v15())  # type: ignore[union-attr,call-arg]
    text = base64.b64encode(secret).decode()
    assert manager.decrypt_text(CONTEXT, P1, text) == "c0ffee"
    for bad in ("", "%%%", "äöü", text[:-8], base64.b64encode(b"x" * 3000).decode()):
        with pytest.raises(DecryptionFailure):
            manager.decrypt_text(CONTEXT, P1, bad)


def test_lost_files_are_told_and_never_replaced(bus: LocalBus, tmp_path: pathlib.Path) -> None:
    manager = _manager(bus, tmp_path)
    (tmp_path / "CA/crl.pem").unlink()
    with pytest.raises(CryptoCRLFileNotFound):
        manager.fetch_crl(CONTEXT, P1)
    key = (tmp_path / "CA/private/cakey.pem").read_bytes()
    (tmp_path / "CA/cacert.pem").unlink()
    with pytest.raises(CryptoCAFileNotFound):
        manager.fetch_ca(CONTEXT, P1)
    # A start makes a certificate for the key that is there: what was encrypted for it stays
    # readable.
    manager.init_host()
    assert (tmp_path / "CA/private/cakey.pem").read_bytes() == key
    certificate = manager.fetch_ca(CONTEXT, P1)
    (tmp_path / "CA/crl.pem").unlink()
    manager.init_host()
    assert manager.fetch_crl(CONTEXT, P1)
    assert manager.fetch_ca(CONTEXT, P1) == certificate
    (tmp_path / "CA/crl.pem").unlink()
    (tmp_path / "CA/private/cakey.pem").unlink()
    with pytest.raises(AuthorityUnusable):
        manager.init_host()
    (tmp_path / "CA/private/cakey.pem").write_bytes(b"broken")
    with pytest.raises(AuthorityUnusable):
        manager.fetch_ca(CONTEXT, P1)


def test_a_folder_that_can_not_be_used_is_told(bus: LocalBus, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"ca_path = .*/CA can not be used"):
        _keyless_manager(bus, tmp_path / "file")


@pytest.mark.programs
def test_the_folder_is_one_of_openssl(bus: LocalBus, tmp_path: pathlib.Path) -> None:
    manager = _manager(bus, tmp_path)
    _, text = manager.generate_x509_cert(CONTEXT, 'it\'s "me"\n/CN=x', P1)
    manager.revoke_certs_by_user(CONTEXT, 'it\'s "me"\n/CN=x')
    root = tmp_path / "CA"
    command = ["openssl", "crl", "-in", "crl.pem", "-CAfile", "cacert.pem", "-noout", "-text"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert f"{_loaded(text).serial_number:X}" in shown.stdout
    assert "verify OK" in shown.stderr
    lines = (root / "index.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["R"]


def test_a_certificate_that_the_index_does_not_tell_of_is_revoked(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    manager = _manager(bus, tmp_path)
    made = [_loaded(manager.generate_x509_cert(CONTEXT, user, P1)[1]) for user in ("u1", "u2")]
    # As after an old backup was put back.
    (tmp_path / "CA/index.txt").unlink()
    manager.revoke_certs_by_user(CONTEXT, "u1")
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == {made[0].serial_number}
    manager.revoke_certs_by_user(CONTEXT, "u2")
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == {one.serial_number for one in made}


def test_certificates_of_a_lost_authority_are_revoked(
    bus: LocalBus, tmp_path: pathlib.Path
) -> None:
    manager = _manager(bus, tmp_path, use_project_ca=True)
    made = _loaded(manager.generate_x509_cert(CONTEXT, "u", P1)[1])
    shutil.rmtree(tmp_path / "CA/projects")
    manager.revoke_certs_by_user(CONTEXT, "u")
    records = bus.client(ConductorCertificates).anyone()
    assert records.list_valid(CONTEXT, user_id="u") == ()
    assert _serials(manager.fetch_crl(CONTEXT, P1)) == {made.serial_number}
