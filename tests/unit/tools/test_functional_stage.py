"""The functional stage: every file runs, and on both back ends but for those that say why not."""

import pytest
from standup import test_command
from standup.paths import CHECKOUT

ONCE = (*test_command.PROGRAMS, *test_command.REQUESTS_ALONE)


def _ignored(command: list[str]) -> set[str]:
    return {one.removeprefix("--ignore=") for one in command if one.startswith("--ignore=")}


def test_what_neither_back_end_runs_is_run_once_after_them() -> None:
    threads, green, once = test_command._functional(["pytest"], 2)
    assert threads[-1] == green[-1] == "tests/functional"
    assert _ignored(threads) == _ignored(green) == set(ONCE)
    assert once == ["pytest", "-n", "2", *ONCE]
    assert green[:2] == ["env", "NOVA_TEST_CONCURRENCY=eventlet"]
    assert "-n" not in green  # it needs one process


@pytest.mark.parametrize("path", ONCE)
def test_what_runs_once_is_there(path: str) -> None:
    assert (CHECKOUT / path).exists()


def test_nothing_runs_once_that_begins_threads_itself() -> None:
    concurrent = ("import threading", "import concurrent", "threads=")
    found = [
        path
        for path in test_command.REQUESTS_ALONE
        if any(word in (CHECKOUT / path).read_text() for word in concurrent)
    ]
    assert found == []
