"""Folders in which bundles are worked on."""

import os
import pathlib
import stat
import time

import pytest

from nova.image.bundle.workplace import PREFIX, private_folder, remove_abandoned


def _age(path: pathlib.Path) -> None:
    before = time.time() - 3600
    os.utime(path, (before, before))


def test_a_folder_is_private_and_goes_with_its_work(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError), private_folder(str(tmp_path)) as folder:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        (pathlib.Path(folder) / "image").write_bytes(b"secret")
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: pathlib.Path) -> None:
    abandoned = tmp_path / f"{PREFIX}old"
    abandoned.mkdir()
    (abandoned / "image").write_bytes(b"secret")
    _age(abandoned)
    fresh = tmp_path / f"{PREFIX}fresh"
    fresh.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    _age(other)
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(other)
    with private_folder(str(tmp_path)) as folder:
        _age(pathlib.Path(folder))
        remove_abandoned(str(tmp_path))
        remove_abandoned(str(tmp_path))
        assert {path.name for path in tmp_path.iterdir()} == {
            fresh.name,
            other.name,
            link.name,
            os.path.basename(folder),
        }
