"""From the parts of a bundle to its image, in three steps from file to file.

Memory is bounded whatever the bundle holds, and disk by what its manifest says.
Source: objectstore-cert, section 2.3.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from nova.exception import BundleUnacceptable
from nova.image.bundle import archive
from nova.image.bundle.holes import CHUNK_BYTES, new_file, write_sparse
from nova.image.bundle.manifest import Manifest

# Headers, maps of holes, and zeros at the end.
_ARCHIVE_SLACK_BYTES = 16 * 1024**2
_HEX = re.compile(r"[0-9a-fA-F]{32}")
_BLOCK_BITS = 128
_GZIP = 31

Read = Callable[[str, int], Iterable[bytes]]


def join(read: Read, manifest: Manifest, path: str) -> None:
    """Write all parts to a new file, each compared with its digest.

    read: gives the content of a part, of at most so many bytes.
    Raises: BundleUnacceptable, and what read raises.
    """
    left = manifest.bundled_size_bytes
    with new_file(path) as sink:
        for index, part in enumerate(manifest.parts):
            digest = hashlib.sha1(usedforsecurity=False)
            for chunk in read(part.filename, left):
                left -= len(chunk)
                if left < 0:
                    raise _bad("it is larger than its manifest says")
                digest.update(chunk)
                sink.write(chunk)
            if digest.hexdigest() != part.sha1:
                raise _bad(f"its part {index} is not the one that its manifest is about")
    if left:
        raise _bad("it is smaller than its manifest says")


def secret(text: str) -> bytes:
    """Return a key or an initialisation vector of its text.  Raises: BundleUnacceptable."""
    if not _HEX.fullmatch(text):
        raise undecryptable()
    return bytes.fromhex(text)


def decrypt(source: str, target: str, key: bytes, iv: bytes, manifest: Manifest) -> None:
    """Write the archive to a new file and compare its digest.

    Raises: BundleUnacceptable, in the same words whether key, padding, compression or digest
    is wrong.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    left = manifest.size_bytes + _ARCHIVE_SLACK_BYTES
    try:
        with open(source, "rb") as file, new_file(target) as sink:
            for chunk in _unzipped(_decrypted(file, key, iv)):
                left -= len(chunk)
                if left < 0:
                    raise ValueError("too large")
                digest.update(chunk)
                write_sparse(sink, chunk)
            sink.truncate()
        if digest.hexdigest() != manifest.tar_sha1:
            raise ValueError("another digest")
    except (ValueError, zlib.error):
        raise undecryptable() from None


def extract(source: str, target: str, manifest: Manifest) -> None:
    """Write the image to a new file.  Raises: BundleUnacceptable."""
    with open(source, "rb") as file, new_file(target) as sink:
        archive.extract(file, sink, manifest.size_bytes)


def undecryptable() -> BundleUnacceptable:
    """Return the one error of everything that has to do with keys."""
    return _bad("it can not be decrypted, or holds something else than its manifest says")


def _bad(what: str) -> BundleUnacceptable:
    return BundleUnacceptable(reason=f"{what}.")


def _decrypted(file: BinaryIO, key: bytes, iv: bytes) -> Iterator[bytes]:
    """Raises: ValueError."""
    cipher = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    while chunk := file.read(CHUNK_BYTES):
        yield unpadder.update(cipher.update(chunk))
    yield unpadder.update(cipher.finalize()) + unpadder.finalize()


def _unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Raises: ValueError, zlib.error."""
    stream = zlib.decompressobj(_GZIP)
    for chunk in chunks:
        pending = chunk
        while pending:
            yield stream.decompress(pending, CHUNK_BYTES)
            if stream.unused_data:
                raise ValueError("something follows the archive")
            pending = stream.unconsumed_tail
    while more := stream.decompress(stream.unconsumed_tail, CHUNK_BYTES):
        yield more
    if not stream.eof:
        raise ValueError("the archive is cut off")
