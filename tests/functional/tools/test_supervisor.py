"""The process supervisor with real processes."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from standup import processes
from standup.errors import StandupError
from standup.manager import SupervisedPrograms, wait_until
from standup.program import Program

PATIENCE_S = 20.0


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[SupervisedPrograms]:
    """Yield a supervisor, which is stopped afterwards."""
    supervised = SupervisedPrograms(tmp_path / "run")
    yield supervised
    supervised.shut_down()


def _sleeper(tmp_path: Path, name: str = "sleeper", tier: int = 0, code: str = "") -> Program:
    text = f"import time; {code or 'None'}; print('begun', flush=True); time.sleep(600)"
    return Program(name, (sys.executable, "-c", text), str(tmp_path / f"{name}.log"), tier=tier)


def _pid(programs: SupervisedPrograms, name: str) -> int | None:
    state = programs.state(name)
    return state.pid if state else None


def test_a_program_that_dies_is_started_again(programs: SupervisedPrograms, tmp_path: Path) -> None:
    programs.start(_sleeper(tmp_path))
    first = _pid(programs, "sleeper")
    assert first
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: _pid(programs, "sleeper") not in (None, first), PATIENCE_S, "not restarted")
    state = programs.state("sleeper")
    assert state
    assert state.restarts == 1
    assert state.last_exit == "signal 9"


def test_starting_twice_starts_one_process(programs: SupervisedPrograms, tmp_path: Path) -> None:
    programs.start(_sleeper(tmp_path))
    first = _pid(programs, "sleeper")
    programs.start(_sleeper(tmp_path))
    assert _pid(programs, "sleeper") == first


def test_stopping_ends_the_whole_process_group(
    programs: SupervisedPrograms, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    fork = (
        "import subprocess; p = subprocess.Popen(['sleep', '600']); "
        f"open({str(child)!r}, 'w').write(str(p.pid))"
    )
    programs.start(_sleeper(tmp_path, code=fork))
    wait_until(lambda: child.exists() and child.read_text() != "", PATIENCE_S, "no child")
    grandchild = processes.identify(int(child.read_text()))
    assert grandchild
    programs.stop("sleeper")
    wait_until(lambda: not processes.alive(grandchild), PATIENCE_S, "the grandchild lives")
    assert programs.state("sleeper") is None


def test_a_program_that_ignores_sigterm_is_killed(
    programs: SupervisedPrograms, tmp_path: Path
) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    program = _sleeper(tmp_path, code=deaf)
    programs.start(Program(**{**program.to_json(), "stop_timeout_s": 0.3}))
    log = Path(program.log)
    wait_until(lambda: "begun" in log.read_text(), PATIENCE_S, "not begun")
    programs.stop("sleeper")
    assert programs.state("sleeper") is None


def test_programs_of_a_killed_supervisor_are_found_and_ended(
    programs: SupervisedPrograms, tmp_path: Path
) -> None:
    programs.start(_sleeper(tmp_path))
    orphan = processes.identify(_pid(programs, "sleeper") or 0)
    supervisor = processes.read_pid_file(programs.directory / "supervisor.pid")
    assert orphan
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(supervisor), PATIENCE_S, "the supervisor lives")
    programs.start(_sleeper(tmp_path, "other"))
    assert not processes.alive(orphan)


def test_a_program_that_cannot_start_says_why(programs: SupervisedPrograms, tmp_path: Path) -> None:
    programs.start(Program("broken", ("/nonexistent",), str(tmp_path / "log"), restart=False))
    state = programs.state("broken")
    assert state
    assert state.state == "failed"
    assert "cannot start" in state.last_exit


def test_nobody_serving_is_an_error_that_names_the_directory(tmp_path: Path) -> None:
    programs = SupervisedPrograms(tmp_path / "run")
    assert not programs.answers()
    with pytest.raises(StandupError, match="run"):
        programs._ask({"op": "status"})
    programs.kill("any")
    programs.stop("any")
    assert programs.states() == []
