"""Declared format against real content, polyglots, and anything at all."""

import io
import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nova import exception
from nova.image.inspector import verdict
from tests.fixtures import images

DECLARED = ["raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "luks", "ami", "aki", "ari"]
ACTUAL = {**images.SOUND, "mbr": images.mbr(), "gpt": images.gpt()}
RAW_LIKE = {"raw", "mbr", "gpt"}


def judge(declared, content):
    verdict.check(verdict.inspect(content), declared)


def may_boot(declared, actual):
    if declared in ("raw", "ami", "aki", "ari"):
        return actual in RAW_LIKE
    return declared == actual and declared != "luks"


@pytest.mark.parametrize(("declared", "actual"), list(itertools.product(DECLARED, sorted(ACTUAL))))
def test_img_03_only_the_diagonal_boots(declared, actual):
    if may_boot(declared, actual):
        judge(declared, ACTUAL[actual])
    else:
        with pytest.raises(exception.ImageUnacceptable):
            judge(declared, ACTUAL[actual])


@pytest.mark.parametrize("declared", [None, "", "ploop", "qed", "vpc", "QCOW2", "json:{}"])
def test_img_03_formats_off_the_list_are_refused(declared):
    with pytest.raises(exception.ImageUnacceptable, match="can not be booted"):
        judge(declared, images.raw())


POLYGLOTS = {
    "iso+qcow2": images.iso(images.qcow2()),
    "iso+vmdk": images.iso(images.vmdk()),
    "iso+vdi": images.iso(images.vdi()),
    "iso+vhd": images.vhd_fixed(images.iso(images.raw())),
    "iso+vhdx": images.iso(images.vhdx()),
    "iso+luks": images.iso(images.luks()),
    "iso+qed": images.iso(images.REFUSED["qed"]),
    "gpt+vmdk": images.overlay(images.gpt(), 0, images.vmdk()[:79]),
    "gpt+qcow2": images.overlay(images.gpt(), 0, images.qcow2()[:112]),
    "gpt4k+qcow2": images.overlay(images.qcow2(), 4096, b"EFI PART"),
    "mbr+qcow2": images.overlay(images.mbr(), 0, images.qcow2()[:112]),
    "mbr+vdi": images.overlay(images.vdi(), 446, images.mbr()[446:512]),
    "vhd+qcow2": images.vhd_fixed(images.qcow2()),
    "vhd+vmdk": images.vhd_fixed(images.vmdk()),
    "vdi+qcow2": images.overlay(images.vdi(), 0, images.qcow2()[:64]),
    "dmg+qcow2": images.qcow2() + images.REFUSED["dmg"][-512:],
    "dmg+iso": images.iso() + images.REFUSED["dmg"][-512:],
}


@pytest.mark.parametrize("name", sorted(POLYGLOTS))
@pytest.mark.parametrize("declared", ["raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso"])
def test_img_03_polyglots_never_boot(name, declared):
    with pytest.raises(exception.ImageUnacceptable):
        judge(declared, POLYGLOTS[name])


@pytest.mark.parametrize("table", ["mbr", "gpt"])
def test_hybrid_iso_boots_as_iso_only(table):
    content = images.iso(ACTUAL[table])
    judge("iso", content)
    with pytest.raises(exception.ImageUnacceptable):
        judge("raw", content)


def test_image_without_size_is_refused():
    with pytest.raises(exception.ImageUnacceptable, match="no size"):
        judge("qcow2", images.qcow2(size=0))


def test_reads_from_an_open_file_without_moving_it(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(images.qcow2())
    with path.open("rb") as file:
        assert verdict.inspect(file).format == "qcow2"
        assert file.tell() == 0


def test_img_06_inspector_reads_bytes_only(tmp_path, monkeypatch):
    """Neither a program nor a second file is ever opened."""

    def forbidden(*args, **kwargs):
        raise AssertionError("the inspector opened something")

    content = images.qcow2_with_backing()
    monkeypatch.setattr("subprocess.Popen", forbidden)
    monkeypatch.setattr("builtins.open", forbidden)
    monkeypatch.setattr("os.open", forbidden)
    monkeypatch.setattr(io, "open", forbidden)
    with pytest.raises(exception.ImageUnacceptable):
        verdict.inspect(content)


SEEDS = [
    *images.SOUND.values(),
    *images.REFUSED.values(),
    images.vhd_fixed(),
    images.stream_vmdk(),
    images.qcow2(version=2),
]
# Where headers lie; the rest of the bytes changes little.
HOT = st.one_of(
    st.integers(0, 1200),
    st.integers(-1600, -1),
    st.integers(192 * 1024, 192 * 1024 + 200),
    st.integers(images.MIB, images.MIB + 200),
    st.integers(images.MIB + 65536, images.MIB + 65560),
    st.integers(0, 4 * images.MIB),
)
PIECE = st.one_of(
    st.binary(min_size=1, max_size=16),
    st.sampled_from(
        [b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7), bytes(8), b"\xff" * 4]
    ),
)


def verdict_or_refusal(content):
    try:
        facts = verdict.inspect(content)
    except exception.ImageUnacceptable:
        return
    assert facts.format in {*images.SOUND}
    assert 0 <= facts.virtual_size_bytes < 1 << 63
    assert facts.file_size_bytes == len(content)


@settings(max_examples=200, deadline=None)
@given(seed=st.sampled_from(SEEDS), spots=st.lists(st.tuples(HOT, PIECE), max_size=5))
def test_sup_03_damaged_headers_are_judged_or_refused(seed, spots):
    content = bytearray(seed)
    for offset, piece in spots:
        at = offset % len(content)
        content[at : at + len(piece)] = piece
    verdict_or_refusal(bytes(content[: len(seed)]))


@settings(max_examples=100, deadline=None)
@given(seed=st.sampled_from(SEEDS), share=st.floats(0, 1))
def test_sup_03_cut_files_are_judged_or_refused(seed, share):
    verdict_or_refusal(seed[: int(len(seed) * share)])


@settings(max_examples=200, deadline=None)
@given(magic=st.sampled_from([seed[:8] for seed in SEEDS] + [b""]), rest=st.binary(max_size=2000))
@example(magic=b"KDMV", rest=b"")
def test_sup_03_noise_is_judged_or_refused(magic, rest):
    verdict_or_refusal(magic + rest)
