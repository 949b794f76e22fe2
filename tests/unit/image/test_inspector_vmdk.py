"""VMDK descriptors and headers, good and hostile."""

import pytest

from nova import exception
from nova.image.inspector import verdict
from tests.fixtures import images

SECTORS = images.SIZE // 512


def reason_for(content: bytes) -> str:
    with pytest.raises(exception.ImageUnacceptable) as caught:
        verdict.inspect(content)
    return caught.value.kwargs["reason"]


@pytest.mark.parametrize(
    "content", [images.vmdk(), images.stream_vmdk(), images.stream_vmdk(gd=26)]
)
def test_img_04_one_file_types_are_accepted(content):
    facts = verdict.inspect(content)
    assert (facts.format, facts.virtual_size_bytes) == ("vmdk", images.SIZE)


@pytest.mark.parametrize(
    "create_type",
    [
        "monolithicFlat",
        "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat",
        "vmfs",
        "vmfsSparse",
        "fullDevice",
        "partitionedDevice",
        "custom",
        "MonolithicSparse",
        "monolithicsparse",
        "STREAMOPTIMIZED",
        " monolithicSparse",
        "",
    ],
)
def test_img_04_other_create_types_and_odd_case_are_refused(create_type):
    assert "vmdk types" in reason_for(images.vmdk(images.vmdk_descriptor(create_type)))


@pytest.mark.parametrize(
    "extents",
    [
        (),
        (f'RW {SECTORS} FLAT "disk.vmdk" 0',),
        (f'RW {SECTORS} FLAT "/etc/shadow" 0',),
        (f'RW {SECTORS} SPARSE "/etc/shadow"',),
        (f'RW {SECTORS} SPARSE "../disk.vmdk"',),
        (f'RW {SECTORS} SPARSE "sub/disk.vmdk"',),
        (f'RW {SECTORS} SPARSE "C:\\disk.vmdk"',),
        (f'RW {SECTORS} SPARSE "nbd:localhost"',),
        (f'RW {SECTORS} SPARSE ".."',),
        (f'RW {SECTORS} SPARSE ""',),
        (f'RW {SECTORS} VMFS "disk.vmdk"',),
        (f"RW {SECTORS} ZERO",),
        (f'RW {SECTORS + 1} SPARSE "disk.vmdk"',),
        (f'rw {SECTORS} SPARSE "disk.vmdk"',),
        (f'NOACCESS {SECTORS} SPARSE "disk.vmdk"',),
        (f'RW {SECTORS} SPARSE "disk.vmdk"', f'RW {SECTORS} SPARSE "disk.vmdk"'),
        (f'RW {SECTORS} SPARSE "disk.vmdk"', f'RW {SECTORS} FLAT "/etc/shadow" 0'),
        (f'RW {SECTORS} SPARSE "disk.vmdk"', f'rdonly {SECTORS} FLAT "/etc/shadow" 0'),
    ],
)
def test_img_04_extents_other_than_the_file_itself_are_refused(extents):
    assert "extent" in reason_for(images.vmdk(images.vmdk_descriptor(extents=extents)))


@pytest.mark.parametrize(
    "extra",
    [
        ('createType="monolithicFlat"',),
        ('CREATETYPE="monolithicFlat"',),
        ("parentCID=12345678",),
        ('changeTrackPath="/etc/shadow"',),
        ("nonsense",),
    ],
)
def test_img_04_repeated_and_unknown_lines_are_refused(extra):
    assert "line" in reason_for(images.vmdk(images.vmdk_descriptor(extra=extra)))


def test_img_04_parents_are_refused():
    assert "parent" in reason_for(images.vmdk(images.vmdk_descriptor(parent_cid="12345678")))
    hint = ('parentFileNameHint="/etc/shadow"',)
    assert "parent" in reason_for(images.vmdk(images.vmdk_descriptor(extra=hint)))
    hint = ('PARENTFILENAMEHINT="/etc/shadow"',)
    assert "parent" in reason_for(images.vmdk(images.vmdk_descriptor(extra=hint)))


def test_img_04_two_descriptors_are_refused():
    text = images.vmdk_descriptor()
    assert reason_for(images.vmdk(text + text))
    assert "behind" in reason_for(images.vmdk(text.encode() + b"\0" + text.encode()))


@pytest.mark.parametrize(
    "comment",
    ["# Disk DescriptorFile", '# createType="monolithicFlat"', 'ddb.x = "parentCID=12345678"'],
)
def test_img_04_nothing_is_said_twice_not_even_in_comments(comment):
    assert "twice" in reason_for(images.vmdk(images.vmdk_descriptor(extra=(comment,))))


def test_img_04_descriptor_at_a_second_offset_is_refused():
    moved = images.overlay(images.vmdk(descriptor_at=40), 40 * 512, b"# Disk DescriptorFile\n")
    assert "descriptor" in reason_for(moved)
    outside_area = images.overlay(
        images.vmdk(descriptor_size=2), 3 * 512, b'parentFileNameHint="/etc/shadow"'
    )
    assert "parent" in reason_for(outside_area)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"descriptor_at": 0}, "descriptor is missing"),
        ({"descriptor_at": 1 << 60}, "descriptor is missing"),
        ({"descriptor_size": 0}, "descriptor is missing"),
        ({"descriptor_size": 21}, "descriptor is missing"),
        ({"descriptor_size": 1 << 62}, "descriptor is missing"),
        ({"version": 0}, "version"),
        ({"version": 4}, "version"),
        ({"capacity": 0}, "virtual size"),
        ({"capacity": 1 << 60}, "virtual size"),
        ({"capacity": SECTORS * 2}, "extent"),
        ({"capacity": 1 << 50}, "outside the file"),
        ({"grain": 0}, "geometry"),
        ({"grain": 3}, "geometry"),
        ({"grain": 4096}, "geometry"),
        ({"grain": 1 << 40}, "geometry"),
        ({"entries": 0}, "geometry"),
        ({"entries": 256}, "geometry"),
        ({"entries": 0xFFFFFFFF}, "geometry"),
        ({"gd": 0}, "directory is missing"),
        ({"gd": 1 << 54}, "outside the file"),
        ({"compression": 2}, "compression"),
        ({"magic": b"COWD"}, "one sparse file"),
    ],
)
def test_img_04_impossible_headers_are_refused(changes, reason):
    assert reason in reason_for(images.vmdk(**changes))


@pytest.mark.parametrize("changes", [{"footer_capacity": 1 << 40}, {"footer_capacity": 0}])
def test_img_08_footer_that_contradicts_the_header_is_refused(changes):
    assert "footer" in reason_for(images.stream_vmdk(**changes))


@pytest.mark.parametrize("directory", [0, 1 << 54, 0xFFFFFFFFFFFFFFFF])
def test_footer_without_a_grain_directory_is_refused(directory):
    assert "grain directory" in reason_for(images.stream_vmdk(footer_gd=directory))


@pytest.mark.parametrize("length", [4, 79, 511, 512, 600, 4096])
def test_truncated_vmdk_is_refused(length):
    assert reason_for(images.vmdk()[:length])


def test_descriptor_that_is_not_text_is_refused():
    assert "text" in reason_for(images.vmdk(b"\xff\xfe\xfd"))
