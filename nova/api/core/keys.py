"""Key material of key pairs: made, read, checked, and nothing else.

Source: compute-api-routes (Key pairs).
"""

import base64
import binascii
import dataclasses
import datetime
import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nova import clock, exception

COMMENT = "Generated-by-Nova"
RSA_BITS = 2048
X509_DAYS = 3650
MAX_KEY_BYTES = 65536
_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaterial:
    """A public key with its fingerprint; private_key only when it was made here."""

    public_key: str
    fingerprint: str
    private_key: str | None = dataclasses.field(default=None, repr=False)


def generate_ssh() -> KeyMaterial:
    """Make an RSA key; the private half is PEM text."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    text = f"{public.decode()} {COMMENT}"
    return KeyMaterial(
        public_key=text,
        fingerprint=_ssh_fingerprint(public.decode()),
        private_key=_pem(private),
    )


def import_ssh(text: str) -> KeyMaterial:
    """Return a public key as given, without white space around it.

    Exactly one line: metadata and authorized_keys files take the text as it is, where a
    second line would be a second key or an option.
    Raises: InvalidKeypair.
    """
    line = text.strip()
    _check_line(line)
    try:
        serialization.load_ssh_public_key(line.encode("ascii"))
        fingerprint = _ssh_fingerprint(line)
    except (ValueError, IndexError, binascii.Error, UnsupportedAlgorithm):
        raise exception.InvalidKeypair(reason="it is no public key in SSH form") from None
    return KeyMaterial(public_key=line, fingerprint=fingerprint)


def _check_line(line: str) -> None:
    if len(line) > MAX_KEY_BYTES:
        raise exception.InvalidKeypair(reason=f"it has more than {MAX_KEY_BYTES} bytes")
    if not line.isascii() or not all(char.isprintable() for char in line):
        raise exception.InvalidKeypair(reason="it must be one line of printable ASCII characters")


def _ssh_fingerprint(line: str) -> str:
    blob = base64.b64decode(line.split()[1], validate=True)
    return _colons(hashlib.md5(blob, usedforsecurity=False).digest())


def generate_x509(user_id: str) -> KeyMaterial:
    """Make an RSA key and a certificate by which its owner logs in to Windows guests.

    The certificate names the user in its subject and, as WinRM wants it, as principal name.
    """
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id[:64])])
    principal = x509.OtherName(_PRINCIPAL_NAME, _der_utf8(f"{user_id[:64]}@localhost"))
    now = clock.utcnow()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=X509_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([principal]), critical=False)
        .sign(private, hashes.SHA256())
    )
    return KeyMaterial(
        public_key=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        fingerprint=_colons(certificate.fingerprint(hashes.SHA1())),
        private_key=_pem(private),
    )


def _pem(private: rsa.RSAPrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def _der_utf8(text: str) -> bytes:
    """Return a DER UTF8String of less than 128 bytes."""
    raw = text.encode()[:127]
    return bytes([0x0C, len(raw)]) + raw


def import_x509(text: str) -> KeyMaterial:
    """Return a certificate as given.

    Raises: InvalidKeypair.
    """
    if len(text) > MAX_KEY_BYTES:
        raise exception.InvalidKeypair(reason=f"it has more than {MAX_KEY_BYTES} bytes")
    try:
        certificate = x509.load_pem_x509_certificate(text.strip().encode("ascii"))
    except ValueError:
        raise exception.InvalidKeypair(reason="it is no X.509 certificate in PEM form") from None
    fingerprint = _colons(certificate.fingerprint(hashes.SHA1()))
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return KeyMaterial(public_key=pem, fingerprint=fingerprint)


def _colons(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)
