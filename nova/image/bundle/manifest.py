"""Manifests of bundled images: what they say, checked before anything is done with it.

Everything is read from the two elements that the signature covers, out of the very bytes that
it covers; so nothing can be said beside them.
Source: objectstore-cert, section 2.2.
"""

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterable
from xml.etree import ElementTree

import defusedxml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from defusedxml.ElementTree import fromstring

from nova.exception import BundleUnacceptable

MAX_MANIFEST_BYTES = 2 * 1024**2
MAX_PARTS = 12_000
MACHINE, KERNEL, RAMDISK = "ami", "aki", "ari"
DEFAULT_ARCHITECTURE = "x86_64"
ARCHITECTURES = frozenset(
    ("x86_64", "amd64", "i386", "i486", "i586", "i686", "aarch64", "arm64", "armhf", "armv7l")
    + ("armv6l", "ppc", "ppc64", "ppc64le", "s390", "s390x", "mips", "mipsel", "mips64")
    + ("mips64el", "riscv32", "riscv64", "ia64", "sparc", "sparc64", "loongarch64")
)
KEY_ALGORITHM, DIGEST_ALGORITHM = "AES-128-CBC", "SHA1"
MIN_KEY_BITS = 2048

_PART_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .,()+@=~-]{0,254}")
_IMAGE_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_SECRET = re.compile(r"(?:[0-9a-f]{2}){256,1024}")
_SIGNATURE = re.compile(r"(?:[0-9a-f]{2}){128,1024}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_MAPPED = re.compile(r"[A-Za-z0-9/_.-]{1,64}")
_MAX_MAPPINGS = 32
_THIS_ONE = "true"
_COMPRESSION_SLACK_BYTES = 4 * 1024**2


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A piece of the encrypted bundle."""

    filename: str
    sha1: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle holds.

    kind: ami, aki or ari.  kernel_id and ramdisk_id: as EC2 names them.
    tar_sha1: of the archive around the image.  secret_key and secret_iv: for the cloud, encrypted.
    signed: the bytes that signature is of.
    """

    name: str
    kind: str
    architecture: str
    kernel_id: str | None
    ramdisk_id: str | None
    mappings: tuple[tuple[str, str], ...]
    tar_sha1: str
    size_bytes: int
    bundled_size_bytes: int
    secret_key: bytes = dataclasses.field(repr=False)
    secret_iv: bytes = dataclasses.field(repr=False)
    parts: tuple[Part, ...]
    signed: bytes = dataclasses.field(repr=False)
    signature: bytes = dataclasses.field(repr=False)


def parse(content: bytes, max_image_bytes: int) -> Manifest:
    """Return what a manifest says.  Raises: BundleUnacceptable."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise _bad(f"its manifest has more than {MAX_MANIFEST_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("its manifest is not UTF-8") from None
    root = _xml(content)
    if root.tag != "manifest":
        raise _bad("its manifest has another root element")
    signature = _matched(_one(root, "signature"), _SIGNATURE, "signature", str.lower)
    pieces = [_piece(text, name) for name in ("machine_configuration", "image")]
    configuration, image = (_xml(piece.encode("utf-8")) for piece in pieces)
    kernel_id, ramdisk_id = (_id(configuration, name) for name in ("kernel_id", "ramdisk_id"))
    kind = KERNEL if kernel_id == _THIS_ONE else RAMDISK if ramdisk_id == _THIS_ONE else MACHINE
    size = _size(image, "size", max_image_bytes)
    return Manifest(
        name=_matched(_one(image, "name"), _IMAGE_NAME, "name"),
        kind=kind,
        architecture=_architecture(configuration),
        kernel_id=kernel_id if kind == MACHINE else None,
        ramdisk_id=ramdisk_id if kind == MACHINE else None,
        mappings=_mappings(configuration),
        tar_sha1=_digest(_one(image, "digest")),
        size_bytes=size,
        # What is compressed in vain becomes a little larger.
        bundled_size_bytes=_size(
            image, "bundled_size", size + size // 100 + _COMPRESSION_SLACK_BYTES
        ),
        secret_key=_secret(image, "ec2_encrypted_key"),
        secret_iv=_secret(image, "ec2_encrypted_iv"),
        parts=_parts(_one(image, "parts")),
        signed="".join(pieces).encode("utf-8"),
        signature=bytes.fromhex(signature),
    )


def is_signed_by_one_of(
    manifest: Manifest, certificates: Iterable[str], now: datetime.datetime
) -> bool:
    """Tell whether one of some certificates (PEM), valid now, is that of the signature."""
    return any(_signed_by(manifest, text, now) for text in certificates)


def _signed_by(manifest: Manifest, text: str, now: datetime.datetime) -> bool:
    certificate = x509.load_pem_x509_certificate(text.encode("ascii"))
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    key = certificate.public_key()
    usable = isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_KEY_BITS
    if not usable or not begin.replace(tzinfo=None) <= now <= end.replace(tzinfo=None):
        return False
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        # The format knows SHA-1 alone.  To find two manifests with one sum helps nobody here:
        # both would be the signer's own.
        key.verify(manifest.signature, manifest.signed, padding.PKCS1v15(), hashes.SHA1())
    except InvalidSignature:
        return False
    return True


def _bad(what: str) -> BundleUnacceptable:
    return BundleUnacceptable(reason=f"{what}.")


def _xml(content: bytes) -> ElementTree.Element:
    try:
        found: ElementTree.Element = fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, LookupError):
        raise _bad("its manifest is no plain XML") from None
    return found


def _piece(text: str, name: str) -> str:
    """Return the text of an element that must be there once, as it stands in the manifest."""
    if len(re.findall(rf"<{name}[\s/>]", text)) != 1:
        raise _bad(f"its manifest must have one element {name}")
    match = re.search(rf"<{name}(?:\s[^<>]*)?>.*?</{name}\s*>", text, re.DOTALL)
    if match is None:
        raise _bad(f"its manifest must have one element {name}")
    return match[0]


def _one(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    found = parent.findall(name)
    if len(found) != 1:
        raise _bad(f"its manifest must have one element {name}")
    return found[0]


def _matched(
    element: ElementTree.Element,
    pattern: re.Pattern[str],
    name: str,
    change: Callable[[str], str] = str,
) -> str:
    text = change((element.text or "").strip())
    if len(element) or not pattern.fullmatch(text):
        raise _bad(f"its manifest has no good value for {name}")
    return text


def _size(parent: ElementTree.Element, name: str, maximum: int) -> int:
    size = int(_matched(_one(parent, name), _NUMBER, name))
    if not 0 < size <= maximum:
        raise _bad(f"its {name} must be between 1 and {maximum} bytes")
    return size


def _algorithm(element: ElementTree.Element, wanted: str) -> None:
    if element.get("algorithm", wanted) != wanted:
        raise _bad(f"its {element.tag} must be of the algorithm {wanted}")


def _digest(element: ElementTree.Element) -> str:
    _algorithm(element, DIGEST_ALGORITHM)
    return _matched(element, _SHA1, "digest", str.lower)


def _secret(image: ElementTree.Element, name: str) -> bytes:
    element = _one(image, name)
    _algorithm(element, KEY_ALGORITHM)
    return bytes.fromhex(_matched(element, _SECRET, name, str.lower))


def _parts(element: ElementTree.Element) -> tuple[Part, ...]:
    """Return the parts, whose indexes and names must be what they seem."""
    found = element.findall("part")
    count = element.get("count", "")
    if not 0 < len(found) <= MAX_PARTS or count != str(len(found)) or len(element) != len(found):
        raise _bad(f"it must have from 1 to {MAX_PARTS} parts, as many as its manifest says")
    if [part.get("index") for part in found] != [str(index) for index in range(len(found))]:
        raise _bad("its parts must be in the order of their indexes")
    parts = tuple(
        Part(
            _matched(_one(part, "filename"), _PART_NAME, "filename"), _digest(_one(part, "digest"))
        )
        for part in found
    )
    if len({part.filename for part in parts}) != len(parts):
        raise _bad("two of its parts have the same name")
    return parts


def _optional(parent: ElementTree.Element, name: str) -> str:
    return (_one(parent, name).text or "").strip() if parent.findall(name) else ""


def _id(configuration: ElementTree.Element, name: str) -> str | None:
    text = _optional(configuration, name)
    if text and not _MAPPED.fullmatch(text):
        raise _bad(f"its manifest has no good value for {name}")
    return text or None


def _architecture(configuration: ElementTree.Element) -> str:
    name = _optional(configuration, "architecture") or DEFAULT_ARCHITECTURE
    if name not in ARCHITECTURES:
        raise _bad("its architecture is not known")
    return name


def _mappings(configuration: ElementTree.Element) -> tuple[tuple[str, str], ...]:
    """Return pairs of what is mapped and the device, in either of two spellings."""
    found = [
        *configuration.findall("block_device_mapping/mapping"),
        *configuration.findall("block_device_mappings/block_device_mapping"),
    ]
    if len(found) > _MAX_MAPPINGS:
        raise _bad(f"it maps more than {_MAX_MAPPINGS} devices")
    return tuple(
        (
            _matched(_one(entry, "virtual"), _MAPPED, "virtual"),
            _matched(_one(entry, "device"), _MAPPED, "device"),
        )
        for entry in found
    )
