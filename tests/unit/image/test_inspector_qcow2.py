"""Headers of qcow2 images, good and hostile."""

import pytest

from nova import exception
from nova.image.inspector import verdict
from tests.fixtures import images


def reason_for(content: bytes) -> str:
    with pytest.raises(exception.ImageUnacceptable) as caught:
        verdict.inspect(content, "the-image")
    assert "the-image" in str(caught.value)
    return caught.value.kwargs["reason"]


@pytest.mark.parametrize("version", [2, 3])
def test_img_02_sound_header_gives_the_virtual_size(version):
    facts = verdict.inspect(images.qcow2(version=version, size=3 * images.MIB))
    assert (facts.format, facts.virtual_size_bytes) == ("qcow2", 3 * images.MIB)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", [b"/etc/shadow", b"json:{}", b"nbd://127.0.0.1/x", b"base"])
def test_img_01_backing_file_is_refused(version, name):
    assert "backing file" in reason_for(images.qcow2_with_backing(name, version))


@pytest.mark.parametrize("changes", [{"backing_offset": 512}, {"backing_size": 10}])
def test_img_01_half_a_backing_reference_is_refused(changes):
    assert "backing file" in reason_for(images.qcow2(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"incompatible": images.DATA_FILE_BIT},
        {"extensions": [(images.EXTENSION_DATA_FILE, b"/etc/shadow")]},
        {"version": 2, "extensions": [(images.EXTENSION_DATA_FILE, b"/etc/shadow")]},
        {"autoclear": 2},
        {"extensions": [(1, b"x" * 9), (images.EXTENSION_DATA_FILE, b"a")]},
    ],
)
def test_img_02_external_data_file_is_refused(changes):
    assert "external data file" in reason_for(images.qcow2(**changes))


@pytest.mark.parametrize("bit", [bit for bit in range(64) if bit not in (0, 2, 3, 4)])
def test_img_02_unknown_and_corrupt_incompatible_bits_are_refused(bit):
    wanted = "corrupt" if bit == 1 else "not known"
    assert wanted in reason_for(images.qcow2(incompatible=1 << bit))


@pytest.mark.parametrize("bit", [0, 3, 4])
def test_img_02_harmless_incompatible_bits_are_accepted(bit):
    assert verdict.inspect(images.qcow2(incompatible=1 << bit)).format == "qcow2"


@pytest.mark.parametrize("length", [0, 8, 72, 96, 103, 105, 111, 65544, 0xFFFFFFF8])
def test_img_02_lying_header_length_is_refused(length):
    assert "header length" in reason_for(images.qcow2(header_length=length))


def test_img_02_compression_bit_needs_the_field():
    assert "header length" in reason_for(images.qcow2(incompatible=8, header_length=104))
    assert "compression" in reason_for(images.qcow2(incompatible=8, tail=b"\x07" + bytes(7)))


@pytest.mark.parametrize("length", [65536, 0xFFFFFFFF, 65536 - 112])
def test_img_02_extension_past_the_header_is_refused(length):
    kind = (0x12345678).to_bytes(4, "big") + length.to_bytes(4, "big")
    content = images.overlay(images.qcow2(), 112, kind)
    assert "extension" in reason_for(content)


@pytest.mark.parametrize("cut", [5, 8, 71, 72, 103, 111, 4096, 65535, 65536, 65537, 3 << 16])
def test_img_02_truncated_file_is_refused(cut):
    assert reason_for(images.qcow2(cut=cut))


@pytest.mark.parametrize("version", [0, 4, 5, 0x03000000, 0xFFFFFFFF])
def test_img_02_unknown_version_is_refused(version):
    assert "version" in reason_for(images.qcow2(version=version))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cluster_bits": 8}, "cluster size"),
        ({"cluster_bits": 22}, "cluster size"),
        ({"cluster_bits": 0xFFFFFFFF}, "cluster size"),
        ({"refcount_order": 7}, "refcount width"),
        ({"refcount_clusters": 0}, "size of its refcount table"),
        ({"refcount_clusters": 129}, "size of its refcount table"),
        ({"refcount_clusters": 0xFFFFFFFF}, "size of its refcount table"),
        ({"refcount_offset": 0}, "lies over its header"),
        ({"refcount_offset": 1 << 60}, "outside the file"),
        ({"refcount_offset": 513}, "not aligned"),
        ({"l1_entries": 0}, "too small"),
        ({"l1_entries": (1 << 22) + 1}, "too large"),
        ({"l1_offset": 0}, "lies over its header"),
        ({"l1_offset": 1 << 62}, "outside the file"),
        ({"l1_offset": (3 << 16) + 8}, "not aligned"),
        ({"size": (1 << 64) - 1}, "virtual size is out of range"),
        ({"size": 1 << 62}, "virtual size is out of range"),
        ({"size": 1 << 50}, "too small"),
        ({"snapshots": 65537}, "too many snapshots"),
        ({"snapshots": 2, "snapshots_offset": 3 << 16, "cut": (3 << 16) + 79}, "outside the file"),
        ({"snapshots": 1}, "lies over its header"),
    ],
)
def test_img_10_impossible_geometry_is_refused(changes, reason):
    assert reason in reason_for(images.qcow2(**changes))


def test_extensions_must_end_within_the_file():
    endless = b"".join((0x11111111).to_bytes(4, "big") + bytes(4) for _ in range(300))
    content = images.overlay(images.qcow2(), 112, endless)[: 112 + 8 * 300]
    assert "qcow2 header" in reason_for(content)


@pytest.mark.parametrize("crypt", [1, 2, 3])
def test_encrypted_image_is_refused(crypt):
    assert "encrypted" in reason_for(images.qcow2(crypt=crypt))
    extension = [(images.EXTENSION_ENCRYPTION, bytes(16))]
    assert "encrypted" in reason_for(images.qcow2(extensions=extension))


def test_img_08_huge_virtual_size_is_reported_not_hidden():
    size = 8 << 40
    content = images.qcow2(size=size, l1_entries=size >> 29) + bytes(200000)
    assert verdict.inspect(content).virtual_size_bytes == size
