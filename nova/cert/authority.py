"""What an authority does, on plain values: sign, revoke, decrypt.

Source: objectstore-cert, section 3.3.
"""

import dataclasses
import datetime
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from nova.exception import AuthorityUnusable, DecryptionFailure

KEY_BITS = 2048
AUTHORITY_KEY_BITS = 3072
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
REVOCATION_LIST_DAYS = 365
# Clocks of those who check a certificate may be behind.
_BACKDATED = datetime.timedelta(minutes=5)
_EXPONENT = 65537

_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A private key and its certificate."""

    key: rsa.RSAPrivateKey = dataclasses.field(repr=False)
    certificate: x509.Certificate


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A certificate that is no longer valid."""

    serial: int
    revoked_at: datetime.datetime


def new_key(bits: int = KEY_BITS) -> rsa.RSAPrivateKey:
    """Return a new key; it takes a good part of a second."""
    return rsa.generate_private_key(_EXPONENT, bits)


def pem_of_key(key: rsa.RSAPrivateKey) -> bytes:
    """Return a key as text, which is not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def pem_of(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Return a certificate or a revocation list as text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def load(key_pem: bytes, certificate_pem: bytes) -> Authority:
    """Return an authority of its files' contents.  Raises: AuthorityUnusable."""
    key = load_key(key_pem)
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError as error:
        raise AuthorityUnusable(reason="its certificate can not be read.") from error
    if certificate.public_key() != key.public_key():
        raise AuthorityUnusable(reason="its certificate is not of its key.")
    return Authority(key=key, certificate=certificate)


def load_key(key_pem: bytes) -> rsa.RSAPrivateKey:
    """Return a private key of its file's content.  Raises: AuthorityUnusable."""
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise AuthorityUnusable(reason="its key can not be read.") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < KEY_BITS:
        raise AuthorityUnusable(reason=f"its key is no RSA key of {KEY_BITS} bits or more.")
    return key


def self_signed(
    key: rsa.RSAPrivateKey, subject: x509.Name, now: datetime.datetime
) -> x509.Certificate:
    """Return the certificate that makes a key an authority."""
    builder = _builder(subject, subject, key.public_key(), now, AUTHORITY_DAYS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage("digital_signature", "key_cert_sign", "crl_sign", "key_encipherment"), True),
        (identifier, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256())


def sign(
    authority: Authority, public_key: rsa.RSAPublicKey, subject: x509.Name, now: datetime.datetime
) -> x509.Certificate:
    """Return the certificate of somebody's key."""
    issuer = authority.certificate.subject
    builder = _builder(subject, issuer, public_key, now, CERTIFICATE_DAYS)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage("digital_signature", "content_commitment", "key_encipherment"), True),
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (issuer_key, False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(authority.key, hashes.SHA256())


def revocation_list(
    authority: Authority, revoked: Iterable[Revocation], now: datetime.datetime
) -> x509.CertificateRevocationList:
    """Return the list of certificates that are no longer valid; its number grows with time."""
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    number = int(now.replace(tzinfo=datetime.UTC).timestamp() * 1_000_000)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - _BACKDATED)
        .next_update(now + datetime.timedelta(days=REVOCATION_LIST_DAYS))
        .add_extension(issuer_key, critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(entry.serial)
            .revocation_date(entry.revoked_at)
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256())


def decrypt(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """Return the text that was encrypted with PKCS#1 v1.5 for a key.

    Raises: DecryptionFailure, the same whatever is wrong.
    """
    try:
        return key.decrypt(content, padding.PKCS1v15()).decode("ascii")
    except ValueError:
        raise DecryptionFailure() from None


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey,
    now: datetime.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in _KEY_USAGES})
