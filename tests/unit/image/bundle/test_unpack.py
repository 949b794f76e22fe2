"""Bundles from their parts to the image."""

import gzip
import hashlib
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from nova.cert import authority
from nova.exception import BundleUnacceptable
from nova.image.bundle import manifest as manifests
from nova.image.bundle import unpack
from tests.fixtures import archives
from tests.fixtures.bundles import DISK, bundle_files, by_hand, pair

MAX_BYTES = 10 * 1024**2


def _unpack(folder: pathlib.Path, files: dict[str, bytes]) -> bytes:
    """Do what the service does, with the cloud's key."""
    (name,) = (name for name in files if name.endswith(".manifest.xml"))
    found = manifests.parse(files[name], MAX_BYTES)

    def read(part: str, limit: int) -> Iterator[bytes]:
        for at in range(0, len(files[part]), 1000):
            yield files[part][at : at + 1000]

    work = folder / "work"
    work.mkdir()
    encrypted, archive, image = (str(work / step) for step in ("encrypted", "archive", "image"))
    unpack.join(read, found, encrypted)
    texts = [
        authority.decrypt(pair("cloud").key, secret)
        for secret in (found.secret_key, found.secret_iv)
    ]
    key, iv = (unpack.secret(text) for text in texts)
    unpack.decrypt(encrypted, archive, key, iv, found)
    unpack.extract(archive, image, found)
    return pathlib.Path(image).read_bytes()


def test_what_was_bundled_comes_out(tmp_path: pathlib.Path) -> None:
    files = bundle_files(tmp_path)
    assert len(files) > 2
    assert _unpack(tmp_path, files) == DISK


@pytest.mark.parametrize("content", [b"x", bytes(3_000_000), b"ab" * 600_000])
def test_disks_of_all_sorts(tmp_path: pathlib.Path, content: bytes) -> None:
    assert _unpack(tmp_path, bundle_files(tmp_path, content)) == content


def test_ec_06_parts_that_are_not_those_of_the_manifest_are_refused(
    tmp_path: pathlib.Path,
) -> None:
    files = bundle_files(tmp_path)
    part = "disk.part.00"
    for index, content in enumerate(
        (b"", files[part][:-1], files[part] + b"x", b"x" + files[part][1:], files["disk.part.01"])
    ):
        folder = tmp_path / str(index)
        folder.mkdir()
        with pytest.raises(BundleUnacceptable):
            _unpack(folder, files | {part: content})


def _bad_bundles() -> dict[str, dict[str, bytes]]:
    archive, size = archives.good(), archives.SIZE
    packed = gzip.compress(archive)
    whole = -(-len(packed) // 16) * 16
    return {
        "key too short": by_hand(archive, size, key_text=b"00" * 15),
        "key too long": by_hand(archive, size, key_text=b"00" * 17),
        "key of other digits": by_hand(archive, size, key_text=b"zz" * 16),
        "another key": by_hand(archive, size, key_text=b"00" * 16),
        "padding of zero": by_hand(archive, size, padded=packed.ljust(whole + 16, b"\0")),
        "padding too long": by_hand(archive, size, padded=packed.ljust(whole + 16, b"\x11")),
        "padding unlike": by_hand(
            archive, size, padded=packed.ljust(whole + 14, b"\0") + b"\x01\x02"
        ),
        "no whole block": by_hand(archive, size, packed=packed[:-5]),
        "no compression": by_hand(archive, size, packed=archive),
        "something behind": by_hand(archive, size, packed=packed + b"more"),
        "another digest": by_hand(archive, size, tar_sha1=hashlib.sha1(b"").hexdigest()),
        "bomb": by_hand(bytes(60_000_000), size),
    }


def test_ec_07_all_faults_of_keys_and_padding_are_told_alike(tmp_path: pathlib.Path) -> None:
    said = set()
    for name, files in _bad_bundles().items():
        folder = tmp_path / name
        folder.mkdir()
        with pytest.raises(BundleUnacceptable) as caught:
            _unpack(folder, files)
        said.add(str(caught.value))
    assert len(said) == 1


def test_ec_06_a_hostile_archive_in_a_good_bundle_is_refused(tmp_path: pathlib.Path) -> None:
    for index, name in enumerate(("symbolic link", "two files", "parent", "holes that overlap")):
        folder = tmp_path / str(index)
        folder.mkdir()
        files = by_hand(archives.hostile()[name], archives.SIZE)
        with pytest.raises(BundleUnacceptable):
            _unpack(folder, files)
        assert not (tmp_path.parent / "disk.img").exists()


@pytest.mark.programs
def test_a_bundle_can_be_undone_with_openssl_and_tar(tmp_path: pathlib.Path) -> None:
    files = bundle_files(tmp_path)
    found = manifests.parse(files["disk.manifest.xml"], MAX_BYTES)
    key, iv = (
        authority.decrypt(pair("cloud").key, secret)
        for secret in (found.secret_key, found.secret_iv)
    )
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(files[part.filename] for part in found.parts))
    packed = tmp_path / "packed"
    cipher = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", key, "-iv", iv]
    subprocess.run([*cipher, "-in", str(joined), "-out", str(packed)], check=True)
    target = tmp_path / "out"
    target.mkdir()
    subprocess.run(["tar", "-xzf", str(packed), "-C", str(target)], check=True)
    assert (target / "disk.img").read_bytes() == DISK
    assert hashlib.sha1(gzip.decompress(packed.read_bytes())).hexdigest() == found.tar_sha1
