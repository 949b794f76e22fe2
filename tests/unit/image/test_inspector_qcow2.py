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
    "changes",
    [
        {"cluster_bits": 8},
        {"cluster_bits": 22},
        {"cluster_bits": 0xFFFFFFFF},
        {"refcount_order": 7},
        {"refcount_clusters": 0},
        {"refcount_clusters": 0xFFFFFFFF},
        {"refcount_offset": 0},
        {"refcount_offset": 1 << 60},
        {"refcount_offset": 513},
        {"l1_entries": 0},
        {"l1_entries": 1 << 24},
        {"l1_offset": 0},
        {"l1_offset": 1 << 62},
        {"l1_offset": (3 << 16) + 8},
        {"size": (1 << 64) - 1},
        {"size": 1 << 62},
        {"size": 1 << 50},
        {"snapshots": 65537},
        {"snapshots": 1000, "snapshots_offset": 3 << 16, "cut": (3 << 16) + 8},
        {"snapshots": 1},
    ],
)
def test_img_10_impossible_geometry_is_refused(changes):
    assert reason_for(images.qcow2(**changes))


@pytest.mark.parametrize("crypt", [1, 2, 3])
def test_encrypted_image_is_refused(crypt):
    assert "encrypted" in reason_for(images.qcow2(crypt=crypt))
    extension = [(images.EXTENSION_ENCRYPTION, bytes(16))]
    assert "encrypted" in reason_for(images.qcow2(extensions=extension))


def test_img_08_huge_virtual_size_is_reported_not_hidden():
    size = 8 << 40
    content = images.qcow2(size=size, l1_entries=size >> 29) + bytes(200000)
    assert verdict.inspect(content).virtual_size_bytes == size
