"""Console logs and disks, as a hostile caller would ask for them."""

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


# --- Disks ----------------------------------------------------------------------------------


def take_back(folder, instance_uuid=UUID):
    guest_files.give_to_owner_of_directory(str(folder.parent), instance_uuid)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@needs_root
def test_disks_and_only_disks_go_to_the_owner_of_the_directory(folder):
    for name in ("disk", "disk.local", "console.log"):
        (folder / name).write_bytes(b"")
        os.chown(folder / name, 64055, 64055)
    os.chown(folder, 12345, 12346)
    take_back(folder)
    owners = {name: os.stat(folder / name).st_uid for name in os.listdir(folder)}
    assert owners == {"disk": 12345, "disk.local": 12345, "console.log": 64055}


@pytest.mark.parametrize("name", ["..", "../..", "x", UUID + "/..", UUID.upper(), ""])
def test_hst_03_only_uuids_name_a_guest_whose_disks_are_given_back(folder, name):
    with pytest.raises(ValueError, match="uuid"):
        take_back(folder, name)


@needs_root
@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_hst_03_no_other_file_is_given_away_through_a_link(folder, tmp_path, make):
    other = tmp_path / "other"
    other.write_bytes(b"")
    make(other, folder / "disk")
    os.chown(folder, 12345, 12346)
    with pytest.raises((OSError, ValueError)):
        take_back(folder)
    assert os.stat(other).st_uid == 0


@needs_root
def test_hst_03_directory_that_is_a_link_is_not_entered(tmp_path):
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / UUID)
    with pytest.raises(OSError):
        guest_files.give_to_owner_of_directory(str(tmp_path), UUID)
