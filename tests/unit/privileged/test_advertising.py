"""HST-03: radvd with a hostile caller."""

import os
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova.network.linux import LinuxHost
from nova.network.radvd import Advertiser
from nova.privileged import advertising
from nova.privileged.context import run_in_process


class Programs:
    """Stands for the programs of the host."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []

    def run(self, arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        """Note a run."""
        self.runs.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give programs that do nothing."""
    made = Programs()
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give networks_path; privileged functions run in this process."""
    run_in_process(True)
    cfg.CONF.set_override("networks_path", str(tmp_path))
    yield tmp_path
    cfg.CONF.clear_override("networks_path")
    run_in_process(False)


def test_radvd_gets_files_of_its_bridge(folder: pathlib.Path, programs: Programs) -> None:
    advertising.start_radvd("br1", "nobody")
    assert programs.runs == [
        ["radvd", "-C", f"{folder}/nova-ra-br1.conf", "-p", f"{folder}/nova-ra-br1.pid",
         "-u", "nobody"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bridge", "user"),
    [("../x", "nobody"), ("br1", "root"), ("br1", "no-such-user"), ("br1", "-x"), ("br1", 7)],
)
def test_hst_03_argument_is_refused(
    bridge: str, user: Any, folder: pathlib.Path, programs: Programs
) -> None:
    with pytest.raises(ValueError):
        advertising.start_radvd(bridge, user)
    assert programs.runs == []


def test_hst_03_link_in_place_of_a_file_is_refused(
    folder: pathlib.Path, programs: Programs
) -> None:
    (folder / "nova-ra-br1.pid").symlink_to("/etc/passwd")
    with pytest.raises(ValueError):
        advertising.start_radvd("br1", "nobody")
    assert programs.runs == []


@pytest.mark.parametrize("content", ["", "x", "0", "999999999", "{own}"])
def test_hst_03_pid_file_of_another_process_gets_no_signal(
    content: str, folder: pathlib.Path
) -> None:
    (folder / "nova-ra-br1.pid").write_text(content.format(own=os.getpid()))
    assert advertising.signal_radvd("br1", "TERM") is False


def test_hst_03_only_some_signals(folder: pathlib.Path) -> None:
    with pytest.raises(ValueError):
        advertising.signal_radvd("br1", "STOP")


def test_files_of_radvd_are_apart_from_those_of_dnsmasq(
    folder: pathlib.Path, programs: Programs
) -> None:
    host = LinuxHost(str(folder))
    assert host.ensure_advertiser(Advertiser(bridge="br1", user="nobody", config="x")) is True
    assert (host.list_advertisers(), host.list_servers()) == (("br1",), ())
    assert host.remove_advertiser("br1") is True
    assert host.remove_advertiser("br1") is False
    assert list(folder.iterdir()) == []
