"""Copies of disks that the hypervisor wrote, as a hostile caller would ask for them."""

import os

import pytest

from nova.privileged import disk_copies

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"
OTHER = 65534


@pytest.fixture
def folder(tmp_path):
    (tmp_path / UUID).mkdir()
    return tmp_path / UUID


def give(folder, instance_uuid=UUID):
    disk_copies.give_copy(str(folder.parent), instance_uuid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_copy_gets_the_owner_of_its_directory(folder):
    copy, disk = folder / "disk.copy", folder / "disk"
    for path in (copy, disk):
        path.write_bytes(b"")
    os.chown(folder, OTHER, OTHER)
    give(folder)
    assert (copy.stat().st_uid, copy.stat().st_gid) == (OTHER, OTHER)
    assert disk.stat().st_uid != OTHER


@pytest.mark.parametrize("name", ["..", "../..", "x", UUID + "/..", UUID.upper(), ""])
def test_hst_03_only_uuids_name_a_guest(folder, name):
    with pytest.raises(ValueError, match="uuid"):
        give(folder, name)


def test_hst_03_link_in_the_place_of_the_copy_is_not_followed(folder):
    (folder / "disk.copy").symlink_to("/etc/passwd")
    with pytest.raises(OSError):
        give(folder)


def test_hst_03_link_in_the_place_of_the_directory_is_not_followed(folder):
    folder.rmdir()
    folder.symlink_to("/etc")
    with pytest.raises(OSError):
        give(folder)


def test_hst_03_second_name_of_another_file_is_refused(folder):
    (folder.parent / "other").write_bytes(b"")
    os.link(folder.parent / "other", folder / "disk.copy")
    with pytest.raises(ValueError, match="plain"):
        give(folder)


def test_hst_03_pipe_is_refused(folder):
    os.mkfifo(folder / "disk.copy")
    with pytest.raises(ValueError, match="plain"):
        give(folder)
