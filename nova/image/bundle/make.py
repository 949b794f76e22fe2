"""Makes bundles, as the tool bundle-image and tests do.

Source: objectstore-cert, section 2.1.
"""

import dataclasses
import hashlib
import os
import pathlib
import secrets
import tarfile
import zlib
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from nova.exception import BundleUnacceptable
from nova.image.bundle.holes import CHUNK_BYTES
from nova.image.bundle.manifest import DIGEST_ALGORITHM, KEY_ALGORITHM, parse

PART_BYTES = 10 * 1024**2
VERSION = "2007-10-10"
_KEY_BYTES = 16
_GZIP = 31

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BundleKeys:
    """Who signs, and who may decrypt: PEM."""

    private_key: bytes = dataclasses.field(repr=False)
    user_certificate: bytes
    cloud_certificate: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BundleWish:
    """What is written into the manifest; kernel_id "true" makes a kernel of the image.

    mappings: pairs of what is mapped and the device.
    """

    prefix: str
    architecture: str = "x86_64"
    user: str = "000000000000"
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    mappings: tuple[tuple[str, str], ...] = ()
    part_bytes: int = PART_BYTES


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The files that were made."""

    manifest: pathlib.Path
    parts: tuple[pathlib.Path, ...]


class _Parts:
    """Takes compressed bytes, encrypts them and writes them as parts."""

    def __init__(self, folder: pathlib.Path, wish: BundleWish, key: bytes, iv: bytes) -> None:
        self._folder = folder
        self._wish = wish
        self._cipher = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor()
        self._padder = padding.PKCS7(8 * _KEY_BYTES).padder()
        self._waiting = bytearray()
        self.size_bytes = 0
        self.digests: list[str] = []
        self.paths: list[pathlib.Path] = []

    def write(self, content: bytes) -> None:
        self._take(self._cipher.update(self._padder.update(content)))

    def close(self) -> None:
        self._take(self._cipher.update(self._padder.finalize()) + self._cipher.finalize())
        if self._waiting:
            self._put(bytes(self._waiting))

    def _take(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) >= self._wish.part_bytes:
            self._put(bytes(self._waiting[: self._wish.part_bytes]))
            del self._waiting[: self._wish.part_bytes]

    def _put(self, content: bytes) -> None:
        path = self._folder / f"{self._wish.prefix}.part.{len(self.paths):02}"
        path.write_bytes(content)
        self.paths.append(path)
        self.digests.append(hashlib.sha1(content, usedforsecurity=False).hexdigest())
        self.size_bytes += len(content)


class _Archive:
    """A stream that tarfile writes to: counted, digested, compressed and handed on."""

    def __init__(self, parts: _Parts) -> None:
        self._parts = parts
        self._compress = zlib.compressobj(wbits=_GZIP)
        self.digest = hashlib.sha1(usedforsecurity=False)

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self._parts.write(self._compress.compress(content))
        return len(content)

    def close(self) -> None:
        self._parts.write(self._compress.flush())
        self._parts.close()


class _Read:
    """A file that tells how far it was read."""

    def __init__(self, file: Any, size: int, progress: Progress) -> None:
        self._file, self._size, self._progress = file, size, progress
        self._done = 0

    def read(self, count: int) -> bytes:
        content: bytes = self._file.read(count)
        self._done += len(content)
        self._progress(self._done, self._size)
        return content


def make(
    image: pathlib.Path,
    folder: pathlib.Path,
    wish: BundleWish,
    keys: BundleKeys,
    progress: Progress = lambda done, size: None,
) -> Bundle:
    """Write the parts and the manifest of an image to a folder.

    Raises: OSError, BundleUnacceptable for keys that can not be used, and for what could not
    be registered.
    """
    signer, owner, cloud = _loaded(keys)
    key, iv = (secrets.token_bytes(_KEY_BYTES) for _ in range(2))
    parts = _Parts(folder, wish, key, iv)
    stream = _Archive(parts)
    size = os.path.getsize(image)
    with (
        open(image, "rb") as file,
        tarfile.open(  # type: ignore[call-overload]
            mode="w|", fileobj=stream, format=tarfile.GNU_FORMAT, bufsize=CHUNK_BYTES
        ) as tar,
    ):
        member = tarfile.TarInfo(image.name)
        member.size = size
        tar.addfile(member, _Read(file, size, progress))
    stream.close()
    configuration = ElementTree.tostring(_configuration(wish))
    described = _image(image.name, size, wish, stream.digest.hexdigest(), parts)
    for name, public in (("ec2", cloud), ("user", owner)):
        for kind, value in (("key", key), ("iv", iv)):
            text = public.encrypt(value.hex().encode(), rsa_padding.PKCS1v15()).hex()
            attributes = {"algorithm": KEY_ALGORITHM} if kind == "key" else {}
            _add(described, f"{name}_encrypted_{kind}", text, **attributes)
    described.append(_part_list(parts))
    signed = configuration + ElementTree.tostring(described)
    signature = signer.sign(signed, rsa_padding.PKCS1v15(), hashes.SHA1()).hex()
    document = _document(signed, signature)
    parse(document, size)
    manifest = folder / f"{wish.prefix}.manifest.xml"
    manifest.write_bytes(document)
    return Bundle(manifest=manifest, parts=tuple(parts.paths))


def _loaded(keys: BundleKeys) -> tuple[rsa.RSAPrivateKey, rsa.RSAPublicKey, rsa.RSAPublicKey]:
    try:
        signer = serialization.load_pem_private_key(keys.private_key, password=None)
        owner = x509.load_pem_x509_certificate(keys.user_certificate).public_key()
        cloud = x509.load_pem_x509_certificate(keys.cloud_certificate).public_key()
    except (ValueError, TypeError) as error:
        raise BundleUnacceptable(reason=f"a key or certificate can not be read: {error}") from error
    if not (
        isinstance(signer, rsa.RSAPrivateKey)
        and isinstance(owner, rsa.RSAPublicKey)
        and isinstance(cloud, rsa.RSAPublicKey)
    ):
        raise BundleUnacceptable(reason="the keys of bundles are RSA keys.")
    if signer.public_key() != owner:
        raise BundleUnacceptable(reason="the certificate is not that of the private key.")
    return signer, owner, cloud


def _add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = text


def _configuration(wish: BundleWish) -> ElementTree.Element:
    made = ElementTree.Element("machine_configuration")
    _add(made, "architecture", wish.architecture)
    if wish.mappings:
        mappings = ElementTree.SubElement(made, "block_device_mapping")
        for virtual, device in wish.mappings:
            mapping = ElementTree.SubElement(mappings, "mapping")
            _add(mapping, "virtual", virtual)
            _add(mapping, "device", device)
    for name, value in (("kernel_id", wish.kernel_id), ("ramdisk_id", wish.ramdisk_id)):
        if value is not None:
            _add(made, name, value)
    return made


def _image(
    name: str, size: int, wish: BundleWish, digest: str, parts: _Parts
) -> ElementTree.Element:
    kind = "machine"
    if "true" in (wish.kernel_id, wish.ramdisk_id):
        kind = "kernel" if wish.kernel_id == "true" else "ramdisk"
    made = ElementTree.Element("image")
    _add(made, "name", name)
    _add(made, "user", wish.user)
    _add(made, "type", kind)
    _add(made, "digest", digest, algorithm=DIGEST_ALGORITHM)
    _add(made, "size", str(size))
    _add(made, "bundled_size", str(parts.size_bytes))
    return made


def _part_list(parts: _Parts) -> ElementTree.Element:
    made = ElementTree.Element("parts", count=str(len(parts.paths)))
    for index, (path, digest) in enumerate(zip(parts.paths, parts.digests, strict=True)):
        part = ElementTree.SubElement(made, "part", index=str(index))
        _add(part, "filename", path.name)
        _add(part, "digest", digest, algorithm=DIGEST_ALGORITHM)
    return made


def _document(signed: bytes, signature: str) -> bytes:
    bundler = "<name>bundle-image</name><version>1.0</version><release>0</release>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<manifest><version>{VERSION}</version>'
        f"<bundler>{bundler}</bundler>".encode()
        + signed
        + f"<signature>{signature}</signature></manifest>\n".encode()
    )
