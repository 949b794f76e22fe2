"""VDI, VHD, VHDX and the formats that are known only to be refused."""

import pytest

from nova import exception
from nova.image.inspector import verdict
from nova.image.inspector.reader import MAX_READ_BYTES, BadImage, BytesReader, exactly
from tests.fixtures import images

SIZE = images.SIZE


def reason_for(content: bytes) -> str:
    with pytest.raises(exception.ImageUnacceptable) as caught:
        verdict.inspect(content)
    return caught.value.kwargs["reason"]


@pytest.mark.parametrize("name", sorted(images.SOUND))
def test_sound_image_is_recognised(name):
    facts = verdict.inspect(images.SOUND[name])
    assert facts.format == name
    sized = {"luks": images.MIB, "iso": 40 * 2048}
    assert facts.virtual_size_bytes == sized.get(name, SIZE)


@pytest.mark.parametrize("name", sorted(images.REFUSED))
def test_img_05_reference_carrying_formats_are_refused(name):
    assert reason_for(images.REFUSED[name])


@pytest.mark.parametrize("kind", [0, 3, 4, 5, 0xFFFFFFFF])
def test_img_05_vdi_of_a_dependent_type_is_refused(kind):
    assert "depends" in reason_for(images.vdi(image_type=kind))


@pytest.mark.parametrize("field", ["uuid_link", "uuid_parent"])
def test_img_05_vdi_links_are_refused(field):
    assert "parent or linked" in reason_for(images.vdi(**{field: b"\1" * 16}))


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"sector_bytes": 4096},
        {"block_bytes": 0},
        {"extra": 8},
        {"size": SIZE + images.MIB},
        {"size": 1 << 63},
        {"blocks": 0xFFFFFFFF},
        {"blocks": 1 << 20, "size": 1 << 40, "data_at": 1 << 30},
        {"allocated": 1000},
        {"map_at": 0},
        {"data_at": 512},
    ],
)
def test_impossible_vdi_is_refused(changes):
    assert reason_for(images.vdi(**changes))


def test_fixed_vdi_is_accepted():
    assert verdict.inspect(images.vdi(image_type=2)).format == "vdi"


def test_fixed_vhd_with_partitions_is_accepted():
    facts = verdict.inspect(images.vhd_fixed(images.mbr()))
    assert (facts.format, facts.partition_table) == ("vhd", "mbr")


@pytest.mark.parametrize(
    "content",
    [
        images.vhd(kind=4),
        images.vhd(kind=0),
        images.vhd(kind=2),
        images.vhd(parent="../base.vhd".encode("utf-16-be")),
        images.vhd(locators=b"W2ru" + bytes(20)),
        images.vhd_fixed(kind=3),
        images.vhd_fixed(kind=4),
        images.vhdx(flags=2),
        images.vhdx(parent=True),
    ],
)
def test_img_05_differencing_vhd_and_vhdx_are_refused(content):
    assert reason_for(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (images.vhd(checksum=0), "checksum"),
        (images.vhd(current=0, cylinders=0), "virtual size"),
        (images.vhd(current=1 << 60), "virtual size"),
        (images.vhd(block_bytes=0), "block size"),
        (images.vhd(block_bytes=256), "block size"),
        (images.vhd(block_bytes=3 << 20), "block size"),
        (images.vhd(block_bytes=512 << 20), "block size"),
        (images.vhd(entries=1), "too small"),
        (images.vhd(entries=1 << 30), "outside the file"),
        (images.vhd(table_at=1 << 62), "outside the file"),
        (images.vhd(data_at=0), "header is missing"),
        (images.overlay(images.vhd(), 512, b"CXSPARSE"), "header is missing"),
        (images.overlay(images.vhd(), 1024, b"x"), "parent"),
        (images.overlay(images.vhd(), 512 + 36, b"xxxx"), "checksum"),
        (images.overlay(images.vhd(), 512 + 40, b"x"), "parent"),
        (images.vhd(data_at=1 << 63), "ends before"),
        (images.vhd(end=b""), "differ"),
        (images.vhd(end=bytes(512)), "differ"),
        (images.vhd(end=images.vhd_footer(kind=3, data_at=512, time=1)), "differ"),
        (images.vhd_fixed(current=SIZE * 2), "shorter"),
    ],
)
def test_impossible_vhd_is_refused(content, reason):
    assert reason in reason_for(content)


def test_img_08_vhd_size_is_the_larger_of_its_two_statements():
    facts = verdict.inspect(images.vhd_fixed(cylinders=65534, heads=16, sectors=255))
    assert facts.virtual_size_bytes == 65534 * 16 * 255 * 512


def test_largest_vhd_geometry_says_nothing():
    facts = verdict.inspect(images.vhd_fixed(cylinders=65535, heads=16, sectors=255))
    assert facts.virtual_size_bytes == SIZE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (images.vhdx(size=0), "virtual size"),
        (images.vhdx(size=1 << 60), "virtual size"),
        (images.vhdx(size=1 << 45), "too small"),
        (images.vhdx(block_bytes=1 << 19), "block size"),
        (images.vhdx(block_bytes=512 << 20), "block size"),
        (images.vhdx(block_bytes=3 << 20), "block size"),
        (images.vhdx(bat_length=1 << 31), "outside the file"),
        (images.vhdx(extra_regions=(b"x" * 16,)), "not known"),
        (images.vhdx(extra_regions=(images.VHDX_BAT,)), "not known"),
        (images.vhdx(extra_items=(images.VHDX_SIZE,)), "items that are not known"),
        (images.vhdx(extra_items=(b"x" * 16,)), "items that are not known"),
        (images.vhdx(second_table=bytes(64 * 1024)), "missing or differ"),
        (images.vhdx(second_table=b"regi" + bytes(64 * 1024 - 4)), "missing or differ"),
        (images.vhdx()[:1000], "ends before"),
        (images.vhdx()[: 2 * images.MIB], "outside the file"),
        (images.overlay(images.vhdx(), images.MIB, b"METADATA"), "can not be read"),
        (images.overlay(images.vhdx(), images.MIB + 10, b"\xff\xff"), "can not be read"),
        (images.overlay(images.vhdx(), images.MIB + 48, b"\xff" * 4), "outside its region"),
        (images.overlay(images.vhdx(), images.MIB + 32, b"y" * 16), "not known"),
        (images.overlay(images.vhdx(), images.MIB + 52, bytes(4)), "incomplete"),
    ],
)
def test_impossible_vhdx_is_refused(content, reason):
    assert reason in reason_for(content)


def vhdx_with_tables(offset: int, content: bytes) -> bytes:
    """Return a VHDX with the same bytes changed in both copies of its region table."""
    once = images.overlay(images.vhdx(), 192 * 1024 + offset, content)
    return images.overlay(once, 256 * 1024 + offset, content)


@pytest.mark.parametrize(
    ("offset", "content", "reason"),
    [
        (0, b"REGI", "missing or differ"),
        (8, b"\x01", "missing or differ"),
        (8, b"\x00", "missing or differ"),
        (8, b"\x00\x08", "too many"),
        (16 + 32 + 24, (65535).to_bytes(4, "little"), "too short"),
    ],
)
def test_impossible_vhdx_region_tables_are_refused(offset, content, reason):
    assert reason in reason_for(vhdx_with_tables(offset, content))


def test_empty_image_is_refused():
    assert "empty" in reason_for(b"")


@pytest.mark.parametrize("length", [1, 7, 511, 512, 513])
def test_short_raw_image_is_raw(length):
    assert verdict.inspect(b"x" * length).virtual_size_bytes == length


def test_img_10_inspector_never_holds_much_of_an_image():
    reader = BytesReader(bytes(MAX_READ_BYTES + 1))
    with pytest.raises(BadImage, match="large"):
        exactly(reader, 0, MAX_READ_BYTES + 1, "table")
