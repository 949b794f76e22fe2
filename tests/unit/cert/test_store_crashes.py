"""A crash or a full disk among the files of an authority leaves one that goes on."""

import errno
import os
import pathlib

import pytest
from cryptography import x509

from nova.cert import authority, subjects
from nova.cert.settings import CertSettings
from nova.cert.store import AuthorityStore

KEY = authority.new_key()
SUBJECT = subjects.build("/CN=%s", ("somebody",))


class Crash(BaseException):
    """The process is gone."""


def _store(folder: pathlib.Path) -> AuthorityStore:
    return AuthorityStore(CertSettings(ca_path=str(folder)))


def _sign(store: AuthorityStore) -> str:
    return store.sign(None, KEY.public_key(), SUBJECT)[1]


def _revoked(store: AuthorityStore) -> int:
    return len(list(x509.load_pem_x509_crl(store.revocation_list().encode())))


def _interrupt(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the second file that is written fail; after a crash nothing is tidied up."""
    files = []
    real = os.replace

    def replace(source: str, target: pathlib.Path) -> None:
        files.append(target)
        if len(files) == 2:
            raise error
        real(source, target)

    def gone(*args: object) -> None:
        raise error

    monkeypatch.setattr(os, "replace", replace)
    if isinstance(error, Crash):
        monkeypatch.setattr(os, "unlink", gone)


@pytest.mark.parametrize("error", [Crash(), OSError(errno.ENOSPC, "full")], ids=["crash", "full"])
@pytest.mark.parametrize("work", ["ensure", "sign", "revoke"])
def test_an_authority_goes_on_after_an_interruption_between_its_files(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, work: str, error: BaseException
) -> None:
    key = tmp_path / "private/cakey.pem"
    key.parent.mkdir(mode=0o700)
    key.write_bytes(authority.pem_of_key(KEY))
    store = _store(tmp_path)
    name = "" if work == "ensure" else _prepared(store)
    works = {
        "ensure": store.ensure,
        "sign": lambda: _sign(store),
        "revoke": lambda: store.revoke((name,)),
    }
    with monkeypatch.context() as patch, pytest.raises(type(error)):
        _interrupt(patch, error)
        works[work]()
    if isinstance(error, OSError):
        assert not list(tmp_path.rglob(".new-*"))
    again = _store(tmp_path)
    assert again.ensure().key.private_numbers() == KEY.private_numbers()
    again.revoke((name or _sign(again), _sign(again)))
    assert _revoked(again) == 2


def _prepared(store: AuthorityStore) -> str:
    """Return the name of a certificate of a new authority."""
    store.ensure()
    return _sign(store)
