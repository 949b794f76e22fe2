"""The order of steps and what happens when one fails."""

import threading

import pytest
from standup.errors import StandupError
from standup.progress import Reporter, Step, run_steps


def _fail() -> str:
    raise StandupError("the reason")


def test_steps_run_after_those_they_need() -> None:
    order: list[str] = []

    def work(name: str) -> str:
        order.append(name)
        return name

    steps = [
        Step("last", "last", lambda: work("last"), ("middle", "first")),
        Step("middle", "middle", lambda: work("middle"), ("first",)),
        Step("first", "first", lambda: work("first")),
    ]
    run_steps(steps, Reporter())
    assert order == ["first", "middle", "last"]


def test_independent_steps_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)
    steps = [Step(name, name, lambda: str(meeting.wait())) for name in ("one", "two")]
    run_steps(steps, Reporter())
    assert not meeting.broken


def test_nothing_begins_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    later = Step("later", "later step", lambda: str(done.append("later")), ("broken",))
    with pytest.raises(StandupError, match="the reason"):
        run_steps([Step("broken", "broken step", _fail), later], Reporter())
    assert done == []
    assert "FAIL  broken step: the reason" in capsys.readouterr().out


def test_a_step_that_needs_an_unknown_one_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        run_steps([Step("one", "one", str, ("nowhere",))], Reporter())
