"""Config drives, with a stand-in for the program that makes them."""

import os
import stat

import pytest

from nova import exception
from nova.virt.libvirt import configdrive
from tests.fixtures.libvirt_driver import GuestPrograms


@pytest.fixture
def programs(monkeypatch):
    stub = GuestPrograms()
    monkeypatch.setattr("subprocess.run", stub)
    return stub


def test_drive_holds_all_files_and_nothing_else_stays(tmp_path, programs):
    path = tmp_path / "disk.config"
    configdrive.write(str(path), {"openstack/latest/user_data": b"x", "ec2/latest": b"y"})
    assert path.read_text() == "ec2/latest\nopenstack/latest/user_data\n"
    assert os.listdir(tmp_path) == ["disk.config"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_drive_has_the_label_and_long_names(tmp_path, programs):
    configdrive.write(str(tmp_path / "disk.config"), {"a": b""})
    command = programs.calls[0]
    assert command[command.index("-V") + 1] == "config-2"
    assert {"-J", "-r", "-l", "-ldots", "-allow-lowercase", "-allow-multidot"} <= set(command)


def test_drive_is_replaced(tmp_path, programs):
    path = tmp_path / "disk.config"
    path.write_text("old")
    configdrive.write(str(path), {"new": b""})
    assert path.read_text() == "new\n"


@pytest.mark.parametrize("name", ["../outside", "/etc/cron.d/x", "a/../../x", "a//b", "./a"])
def test_hst_03_file_that_leads_elsewhere_is_refused(tmp_path, programs, name):
    with pytest.raises(exception.UnsafePath):
        configdrive.write(str(tmp_path / "disk.config"), {name: b"x"})
    assert os.listdir(tmp_path) == []


def test_failing_program_leaves_nothing(tmp_path, monkeypatch):
    programs = GuestPrograms()

    def fail(command, **options):
        return type(programs(command, **options))(command, 1, b"", b"no space")

    monkeypatch.setattr("subprocess.run", fail)
    with pytest.raises(exception.CommandFailed):
        configdrive.write(str(tmp_path / "disk.config"), {"a": b"x"})
    assert os.listdir(tmp_path) == []
