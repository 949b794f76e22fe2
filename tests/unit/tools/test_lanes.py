"""The lanes of the integration stage: each test in one of them, each told what it needs."""

from pathlib import Path

import pytest
from standup import test_command
from standup.paths import CHECKOUT

CACHE = Path("/cache")
PYTEST = ("python", "-m", "pytest", "-q", "--randomly-seed=1")


def _lane(name: str) -> list[str]:
    [command] = test_command._integration(PYTEST, CACHE, [name])
    return command


def _stages(*words: str) -> list[test_command.Stage]:
    options = test_command._parser().parse_args(words)
    stages = test_command._stages(Path("/venv"), CACHE, options)
    return [one for one in stages if test_command._selected(one, options)]


def test_files_of_a_lane_are_in_no_other() -> None:
    files = [one for lane in test_command.OWN_LANES for one in lane.tests if one.endswith(".py")]
    once = set(files) - {"tests/integration/test_libvirt.py"}  # two lanes, with opposite -k
    assert len(files) == len(once) + 2
    others = _lane("others")
    for file in files:
        assert (CHECKOUT / file).exists()
        assert f"--ignore={file}" in others


def test_vlans_are_tested_on_debians_kernel_without_servers() -> None:
    command = _lane("vlans")
    apart, machine = command[: command.index("--")], command[command.index("--") + 1 :]
    assert apart[-2:] == ["--servers", ""]
    assert machine[0] == str(CHECKOUT / "tools/kernel-vm")
    assert machine[machine.index("--images") + 1] == "/cache/guest"
    assert "8021q" in machine[machine.index("--modules") + 1].split()
    inside = machine[machine.index("--") + 1 :]
    assert inside[-1] == "tests/integration/vlan_cases.py"
    assert "--randomly-seed=1" not in inside  # its plugin is not loaded


def test_other_lanes_run_here_and_remember_what_failed() -> None:
    command = _lane("clients")
    assert str(CHECKOUT / "tools/kernel-vm") not in command
    assert "cache_dir=.pytest_cache/clients" in command
    assert command[command.index("--") + 1 :][: len(PYTEST)] == list(PYTEST)


def test_named_lanes_run_without_other_stages() -> None:
    [stage] = _stages("--lane", "vlans", "--lane", "clients")
    assert [command[-1] for command in stage.commands] == [
        "tests/integration/test_networking_sdk.py",
        "tests/integration/vlan_cases.py",
    ]
    assert [one.name for one in _stages()] == list(test_command.STAGES)


def test_unknown_lane_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _stages("--lane", "nowhere")
    assert "nowhere" in capsys.readouterr().err


def test_every_functional_test_runs_on_threads_once() -> None:
    [stage] = _stages("--only", "functional")
    rest, green, tables = stage.commands
    assert "NOVA_TEST_CONCURRENCY=eventlet" in green
    assert "tests/functional" in rest and "tests/functional" not in tables
    for file in test_command.REQUESTS_ALONE:
        assert (CHECKOUT / file).exists()
        assert file in tables and f"--ignore={file}" in rest and f"--ignore={file}" in green
