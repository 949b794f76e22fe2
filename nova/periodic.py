"""Work that repeats: each task in its own thread, spread at the start, never overlapping itself."""

import dataclasses
import logging
import random
from collections.abc import Callable, Iterable

from nova import clock, concurrency
from nova.exception import NovaException

LOG = logging.getLogger(__name__)

_MOST_DOUBLINGS = 30


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicTask:
    """A function and the seconds between the starts of two runs.

    initial_delay_s None: a random delay up to the fuzzy delay, and not above the interval.
    A run that takes longer than the interval delays the next one.
    retry_s: pause after a failed run, doubled with each further one up to the interval.
    """

    name: str
    interval_s: float
    function: Callable[[], object]
    initial_delay_s: float | None = None
    retry_s: float | None = None

    def pause_s(self, failures: int) -> float:
        """Return the seconds until the next start, after some failed runs in a row."""
        if not failures or self.retry_s is None:
            return self.interval_s
        return min(self.interval_s, self.retry_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))


class PeriodicRunner:
    """Runs tasks until it is told to stop."""

    def __init__(
        self,
        tasks: Iterable[PeriodicTask],
        fuzzy_delay_s: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self._tasks = [task for task in tasks if task.interval_s > 0]
        self._fuzzy_delay_s = fuzzy_delay_s
        self._rng = rng or random.Random()
        self._stopping = concurrency.Event()
        self._threads: list[concurrency.Thread] = []

    def start(self) -> None:
        """Begin all tasks."""
        for task in self._tasks:
            self._threads.append(concurrency.spawn(self._loop, task, name=f"task-{task.name}"))

    def stop(self) -> None:
        """Begin no further run."""
        self._stopping.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for runs in progress; tell whether all ended."""
        end = clock.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, end - clock.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def first_delay_s(self, task: PeriodicTask) -> float:
        """Return how long to wait before the first run."""
        if task.initial_delay_s is not None:
            return task.initial_delay_s
        return self._rng.uniform(0, min(self._fuzzy_delay_s, task.interval_s))

    def _loop(self, task: PeriodicTask) -> None:
        health = TaskHealth(task.name)
        delay, failures = self.first_delay_s(task), 0
        while not self._stopping.wait(delay):
            started = clock.monotonic()
            failures = 0 if health.run(task.function) else failures + 1
            delay = max(0.0, started + task.pause_s(failures) - clock.monotonic())


class TaskHealth:
    """Runs a task and logs when it begins to fail and when it is well again, not each time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing = False

    def run(self, function: Callable[[], object]) -> bool:
        """Run once; tell whether it succeeded."""
        try:
            function()
        except NovaException as error:
            if not self._failing:
                LOG.warning("%s fails, it is tried again: %s", self._name, error)
            self._failing = True
            return False
        except Exception:
            LOG.exception("Unexpected error in %s", self._name)
            self._failing = True
            return False
        if self._failing:
            LOG.info("%s works again", self._name)
        self._failing = False
        return True
