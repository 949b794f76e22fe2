"""Commands of qemu-img: formats named, names harmless, limits set."""

import ast
import pathlib

import pytest

import nova
from nova import exception
from nova.virt.libvirt import limited
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg
from tests.fixtures import images
from tests.fixtures.qemu_img_program import Programs


@pytest.fixture
def programs(monkeypatch):
    stub = Programs()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


@pytest.fixture
def tool(tmp_path):
    return QemuImg(Area(str(tmp_path)))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(images.qcow2())
    return str(path)


def test_img_06_every_command_names_its_formats(programs, tool, source, tmp_path):
    target, base, over = (str(tmp_path / name) for name in ("target", "base", "over"))
    tool.info(source, "qcow2")
    tool.measure(source, "qcow2")
    tool.convert_to_raw(source, "qcow2", target, images.SIZE)
    tool.create(base, "qcow2", 1024)
    tool.create_overlay(over, target, "raw", images.SIZE)
    tool.resize(over, "qcow2", 2 * images.SIZE)
    assert len(programs.calls) == 6
    assert all("-f" in call for call in programs.calls)
    assert [call[call.index("-F") + 1] for call in programs.calls if "-b" in call] == ["raw"]


@pytest.mark.parametrize(
    ("declared", "driver"),
    [("raw", "raw"), ("iso", "raw"), ("vhd", "vpc"), ("vhdx", "vhdx"), ("vmdk", "vmdk")],
)
def test_img_06_formats_have_the_drivers_of_qemu(programs, tool, tmp_path, declared, driver):
    path = tmp_path / "image"
    path.write_bytes(images.SOUND[declared])
    tool.measure(str(path), declared)
    assert programs.calls[0][programs.calls[0].index("-f") + 1] == driver


@pytest.mark.parametrize("wrong", ["", "luks", "qcow", "file", "nbd", "-O", None])
def test_img_06_other_formats_never_reach_a_command(programs, tool, source, tmp_path, wrong):
    for attempt in (
        lambda: tool.info(source, wrong),
        lambda: tool.convert_to_raw(source, wrong, str(tmp_path / "x"), 1),
        lambda: tool.create(str(tmp_path / "x"), wrong, 1),
        lambda: tool.create_overlay(str(tmp_path / "x"), source, wrong, 1),
        lambda: tool.resize(source, wrong, 1),
    ):
        with pytest.raises(exception.Internal):
            attempt()
    assert programs.calls == []


@pytest.mark.parametrize(
    "name",
    [
        "json:{}",
        'json:{"driver":"file","filename":"/etc/shadow"}',
        "nbd:127.0.0.1:10809",
        "nbd://127.0.0.1/x",
        "https://elsewhere.test/image",
        "ssh://host/file",
        "file:/etc/shadow",
        "-O",
        "--object",
        "relative",
        "",
        "/etc/shadow",
        "/etc/../etc/shadow",
        "{area}/../shadow",
        "{area}//x",
        "{area}/./source",
        "{area}/sour\nce",
        "{area}/a\0b",
    ],
)
def test_img_05_hostile_names_never_reach_a_command(programs, tool, source, tmp_path, name):
    path = name.replace("{area}", str(tmp_path))
    for attempt in (
        lambda: tool.info(path, "raw"),
        lambda: tool.convert_to_raw(path, "raw", str(tmp_path / "x"), 1),
        lambda: tool.convert_to_raw(source, "raw", path, 1),
        lambda: tool.create(path, "raw", 1),
        lambda: tool.create_overlay(str(tmp_path / "x"), path, "raw", 1),
        lambda: tool.create_overlay(path, source, "raw", 1),
        lambda: tool.resize(path, "raw", 1),
    ):
        with pytest.raises(exception.UnsafePath):
            attempt()
    assert programs.calls == []


def test_img_05_relative_names_are_refused_inside_the_area_too(
    programs, tool, source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nbd:x").write_bytes(b"x")
    for path in ("source", "nbd:x", "./source"):
        with pytest.raises(exception.UnsafePath):
            tool.info(path, "qcow2")
    assert programs.calls == []


def test_img_16_links_are_not_followed(programs, tool, source, tmp_path):
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "away").symlink_to("/etc")
    for path in ("link", "away/hostname", "away"):
        with pytest.raises(exception.UnsafePath):
            tool.info(str(tmp_path / path), "raw")
    with pytest.raises(exception.UnsafePath, match="in its place"):
        tool.create(str(tmp_path / "link"), "raw", 1)
    assert programs.calls == []


def test_img_10_every_command_runs_under_limits(programs, tool, source, tmp_path):
    tool.info(source, "qcow2")
    tool.convert_to_raw(source, "qcow2", str(tmp_path / "x"), 12345)
    assert programs.limits[0] == {"as": str(2 << 30), "cpu": "30:35", "core": "0"}
    assert programs.limits[1]["fsize"] == "12345"


def test_img_10_time_out_is_an_error_of_its_own(programs, tool, source):
    for exit_code in (124, 137, -24):
        programs.fail_next("info", exit_code)
        with pytest.raises(exception.CommandTimeout):
            tool.info(source, "qcow2")


def test_failure_tells_the_user_no_paths(programs, tool, source):
    programs.fail_next("info", 1)
    with pytest.raises(exception.CommandFailed) as caught:
        tool.info(source, "qcow2")
    assert source not in str(caught.value)


@pytest.mark.logs_errors
def test_missing_program_is_a_failure(monkeypatch):
    def missing(*args, **kwargs):
        raise FileNotFoundError("prlimit")

    monkeypatch.setattr("subprocess.run", missing)
    with pytest.raises(exception.CommandFailed):
        limited.run(["qemu-img", "--version"], limited.Limits())


def test_img_06_only_one_module_builds_such_commands():
    """Look for the program's name in every string constant that is not a docstring."""
    root = pathlib.Path(nova.__file__).parent
    users = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.split()
                if words and words[0].rpartition("/")[2] in ("qemu-img", "qemu-nbd", "qemu-io"):
                    users.add(path.relative_to(root).as_posix())
    assert users == {"virt/libvirt/qemu_img.py"}


def test_img_06_snapshot_is_converted_from_and_to_named_formats(programs, tool, source, tmp_path):
    for target_format in ("raw", "qcow2", "vmdk", "vdi"):
        target = str(tmp_path / target_format)
        tool.convert(source, "qcow2", target, target_format, images.SIZE)
        assert programs.calls[-1][2:7] == ["-f", "qcow2", "-O", target_format, "--"]
        assert int(programs.limits[-1]["fsize"]) > images.SIZE


@pytest.mark.parametrize("formats", [("qcow2", "qed"), ("qed", "qcow2"), ("luks", "raw")])
def test_snapshot_of_another_format_is_refused(programs, tool, source, tmp_path, formats):
    with pytest.raises(exception.Internal):
        tool.convert(source, formats[0], str(tmp_path / "target"), formats[1], images.SIZE)
    assert programs.calls == []
