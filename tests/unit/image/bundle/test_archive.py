"""EC-06: what may be in a bundle's archive."""

import io
import os
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from nova.exception import BundleUnacceptable
from nova.image.bundle import archive
from tests.fixtures import archives
from tests.fixtures.archives import CONTENT, SIZE

HOSTILE = archives.hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_ec_06_hostile_archives_are_refused(name: str) -> None:
    with pytest.raises(BundleUnacceptable):
        archive.extract(io.BytesIO(HOSTILE[name]), io.BytesIO(), SIZE)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["disk.img", "./disk.img", "x" * 90, "ünïcode"])
def test_one_file_is_taken_out(form: int, name: str) -> None:
    sink = io.BytesIO()
    archive.extract(io.BytesIO(archives.good(form, name)), sink, SIZE)
    assert sink.getvalue() == CONTENT


def test_long_names_and_times_of_extended_headers_do_no_harm() -> None:
    named = archives.member("x" * 200, mtime=1.5)
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        sink = io.BytesIO()
        content = archives.archive((named, CONTENT), form=form)
        archive.extract(io.BytesIO(content), sink, SIZE)
        assert sink.getvalue() == CONTENT


def test_a_file_with_holes_is_taken_out() -> None:
    extents = [(index * 1000, 100) for index in range(40)]
    stored = b"".join(bytes([index + 1]) * 100 for index in range(40))
    sink = io.BytesIO()
    archive.extract(io.BytesIO(archives.sparse(extents, 50_000, stored)), sink, 50_000)
    expected = bytearray(50_000)
    for index, (offset, length) in enumerate(extents):
        expected[offset : offset + length] = bytes([index + 1]) * length
    # What is behind the last extent is a hole to the end, which truncate() makes in a file.
    assert sink.getvalue() == bytes(expected)[: len(sink.getvalue())]
    assert len(sink.getvalue()) >= 39_100


def test_ec_06_memory_is_bounded_whatever_a_header_says() -> None:
    tracemalloc.start()
    try:
        for name in ("extended header beyond measure", "holes that make it huge"):
            with pytest.raises(BundleUnacceptable):
                archive.extract(io.BytesIO(HOSTILE[name]), io.BytesIO(), SIZE)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    finally:
        tracemalloc.stop()


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(
    form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    changes=st.lists(st.tuples(st.integers(0, 1023), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 8192),
)
def test_ec_06_whatever_an_archive_holds_it_is_refused_or_taken_out_whole(
    form: int, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(archives.good(form))
    for position, value in changes:
        content[position] = value
    if changes:
        head = content[:512]
        archives.checksum(head)
        content[:512] = head
    sink = io.BytesIO()
    try:
        archive.extract(io.BytesIO(content[: len(content) - cut]), sink, SIZE)
    except BundleUnacceptable:
        return
    assert len(sink.getvalue()) == SIZE


@pytest.mark.programs
@pytest.mark.parametrize("form", ["gnu", "pax", "oldgnu", "ustar"])
def test_archives_of_gnu_tar_are_taken_out(tmp_path: Path, form: str) -> None:
    disk = tmp_path / "disk.img"
    with disk.open("wb") as file:
        file.write(b"begin" * 1000)
        file.seek(5_000_000)
        file.write(b"end")
    for flags in ([], ["-S"] if "gnu" in form else ["-h"]):
        made = tmp_path / "made.tar"
        command = ["tar", "-c", "-h", *flags, f"--format={form}", "-f", str(made)]
        subprocess.run([*command, "-C", str(tmp_path), "disk.img"], check=True)
        target = tmp_path / "image"
        with made.open("rb") as source, target.open("wb") as sink:
            archive.extract(source, sink, disk.stat().st_size)
        assert target.read_bytes() == disk.read_bytes()
        assert os.stat(target).st_blocks * 512 < 3_000_000
