"""Run steps, side by side where they do not depend on each other, and tell how they get on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from standup.errors import StandupError


@dataclass(frozen=True)
class Step:
    """One thing to do. work returns a few words about what was done.

    After names the steps it needs.
    """

    name: str
    title: str
    work: Callable[[], str]
    after: tuple[str, ...] = ()


class Reporter:
    """Prints one line when a step begins and one when it ends, with the time since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def say(self, mark: str, text: str) -> None:
        """Print a line."""
        with self._lock:
            print(f"{time.monotonic() - self._began:6.1f}s {mark:>4}  {text}", flush=True)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began


def run_steps(steps: Sequence[Step], reporter: Reporter) -> None:
    """Run all steps; after a failure the running ones end and no other begins.

    Raises: StandupError of the first step that failed.
    """
    waiting = {step.name: step for step in steps}
    unknown = {name for step in steps for name in step.after} - set(waiting)
    if unknown:
        raise ValueError(f"steps name unknown steps: {sorted(unknown)}")
    done: set[str] = set()
    running: dict[Future[None], Step] = {}
    failure: StandupError | None = None
    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        while running or (waiting and failure is None):
            for step in [s for s in waiting.values() if failure is None and set(s.after) <= done]:
                del waiting[step.name]
                running[pool.submit(_perform, step, reporter)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                try:
                    future.result()
                    done.add(step.name)
                except StandupError as error:
                    failure = failure or error
    if failure:
        raise failure


def _perform(step: Step, reporter: Reporter) -> None:
    reporter.say("...", step.title)
    began = time.monotonic()
    try:
        words = step.work()
    except StandupError as error:
        reporter.say("FAIL", f"{step.title}: {error.why}")
        if error.log:
            print(f"{'':14}log: {error.log}", flush=True)
        error.shown = True
        raise
    reporter.say(
        "ok", f"{step.title} ({time.monotonic() - began:.1f} s){': ' + words if words else ''}"
    )
