"""Manifests: what is read, and what is refused before anything is done."""

import datetime
import pathlib
import re

import pytest

from nova.exception import BundleUnacceptable
from nova.image.bundle import manifest as manifests
from nova.image.bundle.manifest import is_signed_by_one_of, parse
from tests.fixtures.bundles import DISK, WHEN, bundle_files, pair, resigned

MAX_BYTES = 10 * 1024**2


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    files = bundle_files(
        tmp_path_factory.mktemp("bundle"), mappings=(("ami", "sda1"), ("root", "/dev/sda1"))
    )
    return files["disk.manifest.xml"].decode()


def _signed(text: str) -> str:
    match = re.search("<machine_configuration>.*</image>", text, re.DOTALL)
    assert match is not None
    return match[0]


def test_a_manifest_is_read(text: str) -> None:
    found = parse(text.encode(), MAX_BYTES)
    assert (found.name, found.kind, found.architecture) == ("disk.img", "ami", "x86_64")
    assert found.mappings == (("ami", "sda1"), ("root", "/dev/sda1"))
    assert found.size_bytes == len(DISK)
    assert found.parts[0].filename == "disk.part.00"
    certificate = pair("user").certificate.decode()
    assert is_signed_by_one_of(found, [pair("other").certificate.decode(), certificate], WHEN)
    assert not is_signed_by_one_of(found, [pair("other").certificate.decode()], WHEN)
    assert not is_signed_by_one_of(found, [], WHEN)


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_certificate_out_of_its_time_signs_nothing(text: str, days: int) -> None:
    found = parse(text.encode(), MAX_BYTES)
    moment = WHEN + datetime.timedelta(days=days)
    assert not is_signed_by_one_of(found, [pair("user").certificate.decode()], moment)


@pytest.mark.parametrize(
    "wish, kind, kernel",
    [
        ({"kernel_id": "true"}, "aki", None),
        ({"ramdisk_id": "true"}, "ari", None),
        ({"kernel_id": "aki-00000001", "ramdisk_id": "ari-2"}, "ami", "aki-00000001"),
    ],
)
def test_kernels_and_ramdisks(
    tmp_path: pathlib.Path, wish: dict[str, str], kind: str, kernel: str | None
) -> None:
    files = bundle_files(tmp_path, **wish)
    found = parse(files["disk.manifest.xml"], MAX_BYTES)
    assert (found.kind, found.kernel_id) == (kind, kernel)


def test_the_other_spelling_of_mappings_and_no_architecture(text: str) -> None:
    signed = _signed(text).replace("<architecture>x86_64</architecture>", "")
    signed = signed.replace("block_device_mapping>", "block_device_mappings>")
    signed = signed.replace("mapping>", "block_device_mapping>")
    found = parse(resigned(signed.encode()), MAX_BYTES)
    assert found.architecture == "x86_64"
    assert len(found.mappings) == 2


def test_any_change_of_what_is_signed_is_seen(text: str) -> None:
    certificate = [pair("user").certificate.decode()]
    for old, new in (
        ("x86_64", "i386"),
        ("<name>disk.img", "<name>disk.imh"),
        (f"<size>{len(DISK)}", f"<size>{len(DISK) + 1}"),
        ("<image>", "<image >"),
        ("</user>", "</user><!-- -->"),
    ):
        assert old in text
        found = parse(text.replace(old, new).encode(), MAX_BYTES)
        assert not is_signed_by_one_of(found, certificate, WHEN), old


def test_ec_06_manifests_are_checked_before_anything_is_read(text: str) -> None:
    first = re.search('<part index="0">.*?</part>', text)
    secret = re.search("<ec2_encrypted_key.*?</ec2_encrypted_key>", text)
    assert first is not None
    assert secret is not None
    many = text.count("<part ")
    changes = {
        "not XML": ("<manifest>", "<manifest"),
        "another root": ("manifest>", "other>"),
        "entities": ("<manifest>", '<!DOCTYPE m [<!ENTITY a "b">]><manifest>'),
        "outside entities": ("<manifest>", '<!DOCTYPE m SYSTEM "file:///etc/passwd"><manifest>'),
        "a second image": ("<signature>", "<image></image><signature>"),
        "an image in a comment": ("<signature>", "<!-- <image> --><signature>"),
        "no image": ("<image>", "<imago>"),
        "no signature": ("signature>", "signatur>"),
        "another signature": ("<signature>", "<signature>00</signature><signature>"),
        "bad signature": ("<signature>", "<signature>zz"),
        "architecture": ("x86_64", "x86_65"),
        "absolute part": ("disk.part.00", "/etc/passwd"),
        "part above": ("disk.part.00", "../other.00"),
        "part with NUL": ("disk.part.00", "&#0;"),
        "part with a line": ("disk.part.00", "a&#10;b"),
        "part twice": ("disk.part.00", "disk.part.01"),
        "part left out": (first[0], ""),
        "part repeated": (first[0], first[0] * 2),
        "part count": (f'count="{many}"', f'count="{many - 1}"'),
        "huge count": (f'count="{many}"', 'count="99999999999999999999"'),
        "no parts": ("<parts", "<party"),
        "part digest": ('algorithm="SHA1"', 'algorithm="MD5"'),
        "size": (f"<size>{len(DISK)}", f"<size>{10**12}"),
        "no size": (f"<size>{len(DISK)}", "<size>0"),
        "negative size": ("<size>", "<size>-"),
        "bundled size": ("<bundled_size>", "<bundled_size>999999"),
        "key length": (secret[0], f"{secret[0][:200]}</ec2_encrypted_key>"),
        "key algorithm": ('algorithm="AES-128-CBC"', 'algorithm="DES"'),
        "mapping": ("<device>sda1", "<device>sda1;reboot"),
        "kernel": ("</architecture>", "</architecture><kernel_id>a b</kernel_id>"),
    }
    for name, (old, new) in changes.items():
        assert old in text, name
        changed = text.replace(old, new, 1) if name != "another root" else text.replace(old, new)
        with pytest.raises(BundleUnacceptable):
            print(name, parse(changed.encode(), MAX_BYTES))
    with pytest.raises(BundleUnacceptable):
        parse(text.encode("utf-16"), MAX_BYTES)
    with pytest.raises(BundleUnacceptable):
        parse(b" " * (manifests.MAX_MANIFEST_BYTES + 1), MAX_BYTES)
    with pytest.raises(BundleUnacceptable):
        parse(text.encode(), len(DISK) - 1)
