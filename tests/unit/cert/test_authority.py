"""Authorities on plain values: subjects, signatures, lists, decryption."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID

from nova.cert import authority, subjects
from nova.cert.authority import Authority, Revocation
from nova.cert.settings import CertSettings
from nova.exception import AuthorityUnusable, ConfigurationError, DecryptionFailure

NOW = datetime.datetime(2026, 1, 2, 12)
TEMPLATE = CertSettings(ca_path="/unused").user_cert_subject
HOSTILE = [
    "a/CN=admin",
    "quote\"'`",
    "line\nbreak\r",
    "/O=Evil/OU=x",
    "nul\x00",
    "comma,plus+equals=",
    "\u202eright to left",
    "\U0001f600" * 40,
    "$(id)",
    "%s%s%n",
    "",
]


@pytest.fixture(scope="module")
def root() -> Authority:
    key = authority.new_key()
    subject = subjects.build("/O=NOVA ROOT/C=US", ())
    return Authority(key=key, certificate=authority.self_signed(key, subject, NOW))


@pytest.mark.parametrize("name", HOSTILE)
def test_ec_11_hostile_names_add_nothing_to_a_subject(root: Authority, name: str) -> None:
    subject = subjects.build(TEMPLATE, (name, name, "2026"))
    plain = subjects.build(TEMPLATE, ("p", "u", "2026"))
    assert [part.oid for part in subject] == [part.oid for part in plain]
    assert list(subject)[:-1] == list(plain)[:-1]
    common_name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert isinstance(common_name, str)
    assert common_name.isprintable()
    assert len(common_name.encode()) <= 64
    signed = authority.sign(root, root.key.public_key(), subject, NOW)
    assert x509.load_pem_x509_certificate(authority.pem_of(signed)).subject == subject


@pytest.mark.parametrize(
    "template", ["/CN=%s", "/CN=%s/O=%s/OU=%s/L=%s", "/XX=%s-%s-%s", "/C=USA/CN=%s%s%s", ""]
)
def test_subjects_that_can_not_be_filled_are_refused(template: str) -> None:
    with pytest.raises(ConfigurationError):
        subjects.build(template, ("p", "u", "t"))


def test_ec_11_certificates_have_current_sizes_and_random_serials(root: Authority) -> None:
    key = authority.new_key()
    subject = subjects.build(TEMPLATE, ("p", "u", "t"))
    made = [authority.sign(root, key.public_key(), subject, NOW) for _ in range(3)]
    for certificate in (root.certificate, *made):
        assert certificate.signature_hash_algorithm is not None
        assert certificate.signature_hash_algorithm.name == "sha256"
        certificate.verify_directly_issued_by(root.certificate)
    assert key.key_size == 2048
    assert authority.AUTHORITY_KEY_BITS >= 2048
    assert len({certificate.serial_number for certificate in made}) == 3
    assert all(certificate.serial_number > 2**64 for certificate in made)
    constraints = made[0].extensions.get_extension_for_class(x509.BasicConstraints)
    assert not constraints.value.ca


def test_a_revocation_list_names_the_revoked(root: Authority) -> None:
    revoked = [Revocation(serial=number, revoked_at=NOW) for number in (16, 2**100)]
    made = authority.revocation_list(root, revoked, NOW)
    assert made.is_signature_valid(root.certificate.public_key())  # type: ignore[arg-type]
    assert [entry.serial_number for entry in made] == [16, 2**100]


def test_ec_07_text_for_the_authority_is_decrypted_and_nothing_else_says_why(
    root: Authority,
) -> None:
    public = root.key.public_key()
    good = public.encrypt(b"00112233445566778899aabbccddeeff", padding.PKCS1v15())
    assert authority.decrypt(root.key, good) == "00112233445566778899aabbccddeeff"
    oaep = padding.OAEP(padding.MGF1(authority.hashes.SHA1()), authority.hashes.SHA1(), None)
    bad = [
        b"",
        b"short",
        good + b"\0",
        b"\xff" * 256,
        public.encrypt(b"\xff\xfe\xfd" * 10, padding.PKCS1v15()),
        public.encrypt(b"text", oaep),
    ]
    said = set()
    for content in bad:
        try:
            authority.decrypt(root.key, content)
        except DecryptionFailure as error:
            said.add(str(error))
    # A wrong padding may also give a random text, which no reader takes for a key.
    assert said == {"The text can not be decrypted."}


def test_ec_11_keys_of_old_sizes_and_kinds_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    old = rsa.generate_private_key(65537, 1024)
    for text in (authority.pem_of_key(old), b"no key"):
        with pytest.raises(AuthorityUnusable):
            authority.load_key(text)


def test_a_certificate_of_another_key_is_refused(root: Authority) -> None:
    other = authority.pem_of_key(authority.new_key())
    with pytest.raises(AuthorityUnusable):
        authority.load(other, authority.pem_of(root.certificate))
    with pytest.raises(AuthorityUnusable):
        authority.load(authority.pem_of_key(root.key), b"-----BEGIN CERTIFICATE-----")
