"""Console logs, as a hostile caller would ask for them."""

import os

import pytest

from nova.privileged import guest_files

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / UUID).mkdir()
    return tmp_path / UUID


def tail(folder, instance_uuid=UUID, max_bytes=100):
    return guest_files.tail_of_console(str(folder.parent), instance_uuid, max_bytes)


def test_end_of_the_log_is_returned(folder):
    (folder / "console.log").write_bytes(b"x" * 200 + b"end")
    assert tail(folder, max_bytes=4) == b"xend"


def test_short_log_goes_on_in_the_generation_before(folder):
    (folder / "console.log").write_bytes(b"new")
    (folder / "console.log.0").write_bytes(b"old")
    assert tail(folder, max_bytes=5) == b"ldnew"


def test_no_log_is_none(folder):
    assert tail(folder) is None
    assert tail(folder, instance_uuid=UUID.replace("3", "4")) is None


@pytest.mark.parametrize("name", ["..", "../..", "x", UUID + "/..", UUID.upper(), ""])
def test_hst_03_only_uuids_name_a_guest(folder, name):
    with pytest.raises(ValueError, match="uuid"):
        tail(folder, instance_uuid=name)


@pytest.mark.parametrize("size", [0, -1, 1 << 30])
def test_hst_03_size_is_bounded(folder, size):
    with pytest.raises(ValueError, match="size"):
        tail(folder, max_bytes=size)


def test_hst_03_links_are_not_followed(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    os.symlink(secret, folder / "console.log")
    with pytest.raises(OSError):
        tail(folder)


def test_hst_03_hard_links_are_not_read(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    os.link(secret, folder / "console.log")
    with pytest.raises(ValueError, match="plain"):
        tail(folder)


def test_hst_03_pipe_does_not_hang_the_helper(folder):
    os.mkfifo(folder / "console.log")
    with pytest.raises(ValueError, match="plain"):
        tail(folder)


def test_hst_03_directory_of_the_guest_may_not_be_a_link(tmp_path):
    os.symlink("/var/log", tmp_path / UUID)
    with pytest.raises(OSError):
        guest_files.tail_of_console(str(tmp_path), UUID, 100)
