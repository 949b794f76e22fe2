import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from nova import exception
from nova.api.core import keys

ED25519 = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@home"
)


def test_a_generated_key_fits_its_private_half() -> None:
    material = keys.generate_ssh()
    assert material.private_key is not None
    private = serialization.load_pem_private_key(material.private_key.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    assert material.public_key == f"{public.decode()} Generated-by-Nova"
    assert keys.import_ssh(material.public_key).fingerprint == material.fingerprint
    assert material.private_key not in repr(material)


def test_import_keeps_key_and_comment() -> None:
    material = keys.import_ssh(f"  {ED25519}\n")
    assert material.public_key == ED25519
    assert material.private_key is None
    assert len(material.fingerprint.split(":")) == 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-rsa",
        "ssh-rsa AAAA",
        "hello",
        ED25519 + "\n" + ED25519,
        ED25519 + "\r" + ED25519,
        ED25519 + "\n\nssh-rsa x",
        ED25519 + "\0",
        ED25519 + "\u2028x",
        ED25519 + "\x1b[31m",
        'command="/bin/sh" ' + ED25519,
        ED25519.replace("alice", "ünïcode"),
        ED25519 + "x" * 70000,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_inj_04_only_one_clean_line_is_a_key(text: str) -> None:
    with pytest.raises(exception.InvalidKeypair):
        keys.import_ssh(text)


def test_a_generated_certificate_is_for_logging_in() -> None:
    material = keys.generate_x509("u" * 32)
    certificate = x509.load_pem_x509_certificate(material.public_key.encode())
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH in usage
    assert len(material.fingerprint.split(":")) == 20
    assert keys.import_x509(material.public_key) == keys.KeyMaterial(
        public_key=material.public_key, fingerprint=material.fingerprint
    )


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----\n", "ü", "x" * 70000])
def test_inj_04_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(exception.InvalidKeypair):
        keys.import_x509(text)
