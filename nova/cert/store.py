"""Authorities on disk: the root's folder, and in it one for each project.

The layout is that of the program openssl ca, whose index.txt lists what was signed; changes
are made under the lock of the authority's folder.
Source: objectstore-cert, section 3.3.
"""

import dataclasses
import datetime
import pathlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from nova import clock, concurrency
from nova.cert import authority, files, subjects
from nova.cert.authority import Authority, Revocation
from nova.cert.settings import CertSettings
from nova.exception import (
    AuthorityUnusable,
    CryptoCAFileNotFound,
    CryptoCRLFileNotFound,
    InvalidInput,
)

_PROJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_SIGNED_FILE = re.compile(
    rf"(?:projects/(?P<project>{_PROJECT_ID.pattern})/)?newcerts/(?P<serial>[0-9A-F]+)\.pem"
)
_VALID, _REVOKED = "V", "R"
_LIST_RENEWED = datetime.timedelta(days=30)


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    """A line of index.txt."""

    state: str
    expires: str
    revoked: str
    serial: str
    file: str
    subject: str

    @classmethod
    def of(cls, line: str) -> "_Entry":
        parts = line.split("\t")
        if len(parts) != 6:
            raise AuthorityUnusable(reason="its index.txt has a line that can not be read.")
        return cls(*parts)

    @property
    def line(self) -> str:
        return "\t".join(dataclasses.astuple(self))


class AuthorityStore:
    """The authorities below ca_path; a project's, or the root without a project."""

    def __init__(self, settings: CertSettings) -> None:
        self._settings = settings
        self._root = pathlib.Path(settings.ca_path)

    # --- Authorities

    def ensure(self, project_id: str | None = None) -> Authority:
        """Return an authority; make what is missing of it.

        Raises: InvalidInput, AuthorityUnusable, AuthorityBusy.
        """
        folder = self._folder(project_id)
        if not self._is_whole(folder):
            with files.locked(folder / "lock"):
                if not self._is_whole(folder):
                    self._make(folder, project_id)
        return self.load(project_id)

    def _is_whole(self, folder: pathlib.Path) -> bool:
        return all(
            (folder / name).exists() for name in (self._settings.ca_file, self._settings.crl_file)
        )

    def load(self, project_id: str | None = None) -> Authority:
        """Return an authority.  Raises: InvalidInput, CryptoCAFileNotFound, AuthorityUnusable."""
        folder = self._folder(project_id)
        try:
            key = (folder / self._settings.key_file).read_bytes()
            certificate = (folder / self._settings.ca_file).read_bytes()
        except FileNotFoundError as error:
            raise CryptoCAFileNotFound(project_id=project_id or "(root)") from error
        return authority.load(key, certificate)

    def _make(self, folder: pathlib.Path, project_id: str | None) -> None:
        """Write an authority's files, its list last; a key and a certificate stay if there.

        Raises: AuthorityUnusable when there is a certificate, but not its key.
        """
        now = clock.utcnow()
        key_path = folder / self._settings.key_file
        certificate_path = folder / self._settings.ca_file
        if not key_path.exists():
            if certificate_path.exists():
                raise AuthorityUnusable(reason="its key is missing.")
            key = concurrency.run_native(authority.new_key, authority.AUTHORITY_KEY_BITS)
            files.write(key_path, authority.pem_of_key(key))
        if not certificate_path.exists():
            key = authority.load_key(key_path.read_bytes())
            made = authority.self_signed(key, self._subject(project_id, now), now)
            files.write(certificate_path, authority.pem_of(made))
        self._write_list(folder, self.load(project_id), self._entries(folder))

    def _subject(self, project_id: str | None, now: datetime.datetime) -> x509.Name:
        if project_id is None:
            return subjects.build(self._settings.root_cert_subject, ())
        template = self._settings.project_cert_subject
        return subjects.build(template, (project_id, clock.isoformat(now)))

    # --- Certificates

    def sign(
        self, project_id: str | None, public_key: rsa.RSAPublicKey, subject: x509.Name
    ) -> tuple[x509.Certificate, str]:
        """Sign a certificate; return it and its file below ca_path.

        Raises: InvalidInput, CryptoCAFileNotFound, AuthorityUnusable, AuthorityBusy.
        """
        folder = self._folder(project_id)
        certificate = authority.sign(self.load(project_id), public_key, subject, clock.utcnow())
        entry = _Entry(
            _VALID,
            _moment(certificate.not_valid_after_utc),
            "",
            _serial_text(certificate.serial_number),
            "unknown",
            subject.rfc4514_string(),
        )
        path = folder / "newcerts" / f"{entry.serial}.pem"
        with files.locked(folder / "lock"):
            self._write_index(folder, [*self._entries(folder), entry])
            files.write(path, authority.pem_of(certificate))
        return certificate, str(path.relative_to(self._root))

    def revoke(self, file_names: tuple[str, ...]) -> None:
        """Put certificates on the lists of their authorities; those that are there stay.

        Raises: InvalidInput, AuthorityUnusable, AuthorityBusy.
        """
        serials: dict[str | None, set[str]] = {}
        for name in file_names:
            match = _SIGNED_FILE.fullmatch(name)
            if match is None:
                raise InvalidInput(reason="No authority has signed such a file.")
            serials.setdefault(match["project"], set()).add(match["serial"])
        for project_id, revoked in serials.items():
            self._revoke(project_id, revoked)

    def _revoke(self, project_id: str | None, serials: set[str]) -> None:
        """Revoke what an authority signed, also where an old backup or none was put back."""
        folder = self._folder(project_id)
        signer = self.ensure(project_id)
        now = _moment(clock.utcnow())
        with files.locked(folder / "lock"):
            entries = self._entries(folder)
            missing = serials - {entry.serial for entry in entries}
            entries = [
                dataclasses.replace(entry, state=_REVOKED, revoked=now)
                if entry.serial in serials and entry.state == _VALID
                else entry
                for entry in entries
            ]
            entries += [_unknown(serial, now) for serial in sorted(missing)]
            self._write_index(folder, entries)
            self._write_list(folder, signer, entries)

    def revocation_list(self, project_id: str | None = None) -> str:
        """Return the list of an authority, made anew when it is about to expire.

        Raises: InvalidInput, CryptoCRLFileNotFound, AuthorityUnusable, AuthorityBusy.
        """
        folder = self._folder(project_id)
        text = self._read_list(folder, project_id)
        if self._is_old(text):
            with files.locked(folder / "lock"):
                self._write_list(folder, self.load(project_id), self._entries(folder))
            text = self._read_list(folder, project_id)
        return text.decode("ascii")

    # --- Files

    def _folder(self, project_id: str | None) -> pathlib.Path:
        """Return an authority's folder.  Raises: InvalidInput."""
        if project_id is None:
            return self._root
        if not _PROJECT_ID.fullmatch(project_id):
            raise InvalidInput(reason="The project's id can not be that of an authority.")
        return self._root / "projects" / project_id

    def _entries(self, folder: pathlib.Path) -> list[_Entry]:
        try:
            text = (folder / "index.txt").read_text("utf-8")
        except FileNotFoundError:
            return []
        return [_Entry.of(line) for line in text.split("\n") if line]

    def _write_index(self, folder: pathlib.Path, entries: list[_Entry]) -> None:
        text = "".join(f"{entry.line}\n" for entry in entries)
        files.write(folder / "index.txt", text.encode("utf-8"))

    def _write_list(self, folder: pathlib.Path, signer: Authority, entries: list[_Entry]) -> None:
        revoked = [
            Revocation(serial=int(entry.serial, 16), revoked_at=_parsed(entry.revoked))
            for entry in entries
            if entry.state == _REVOKED
        ]
        made = authority.revocation_list(signer, revoked, clock.utcnow())
        files.write(folder / self._settings.crl_file, authority.pem_of(made))

    def _read_list(self, folder: pathlib.Path, project_id: str | None) -> bytes:
        try:
            return (folder / self._settings.crl_file).read_bytes()
        except FileNotFoundError as error:
            raise CryptoCRLFileNotFound(project_id=project_id or "(root)") from error

    def _is_old(self, text: bytes) -> bool:
        try:
            until = x509.load_pem_x509_crl(text).next_update_utc
        except ValueError as error:
            raise AuthorityUnusable(reason="its revocation list can not be read.") from error
        return until is None or until.replace(tzinfo=None) < clock.utcnow() + _LIST_RENEWED


def _unknown(serial: str, revoked: str) -> _Entry:
    """Return the line of a revoked certificate of which no more than its serial is known."""
    latest_end = clock.utcnow() + datetime.timedelta(days=authority.CERTIFICATE_DAYS)
    return _Entry(_REVOKED, _moment(latest_end), revoked, serial, "unknown", "CN=unknown")


def _serial_text(serial: int) -> str:
    """Return a serial number as openssl names it: whole bytes in upper case."""
    text = f"{serial:X}"
    return text.zfill(len(text) + len(text) % 2)


def _moment(moment: datetime.datetime) -> str:
    """Return a time in the form of index.txt: ASN.1's, with two digits of the year to 2049."""
    return moment.strftime("%y%m%d%H%M%SZ" if moment.year < 2050 else "%Y%m%d%H%M%SZ")


def _parsed(text: str) -> datetime.datetime:
    """Return a time of index.txt.  Raises: AuthorityUnusable."""
    moment = text.partition(",")[0]
    try:
        return datetime.datetime.strptime(
            moment, "%y%m%d%H%M%SZ" if len(moment) == 13 else "%Y%m%d%H%M%SZ"
        )
    except ValueError as error:
        raise AuthorityUnusable(reason="its index.txt has a time that can not be read.") from error
