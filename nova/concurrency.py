"""Threads of work, locks and waiting, on native threads or on eventlet.

nova.cmd decides by patching the standard library before anything else is imported; under
eventlet the classes of threading are green, so most of this is the same code for both.
"""

import collections
import concurrent.futures
import contextlib
import contextvars
import logging
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, Self, TypeVar

_GREEN = "eventlet" in sys.modules and bool(
    sys.modules["eventlet"].patcher.is_monkey_patched("thread")
)

if _GREEN:
    from eventlet import hubs, patcher, tpool

LOG = logging.getLogger(__name__)

T = TypeVar("T")

Thread = threading.Thread
Event = threading.Event
Local = threading.local
Lock = threading.Lock
sleep = time.sleep


def is_green() -> bool:
    """Tell whether this process runs on eventlet."""
    return _GREEN


def after_fork() -> None:
    """Make this process, just forked, independent of its parent; call it first in a child."""
    if _GREEN:
        hubs.use_hub()


def spawn(function: Callable[..., object], *args: Any, name: str | None = None) -> threading.Thread:
    """Run a function in a thread of its own, with this thread's log ids; an error is logged."""
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(_logged, function, args), name=name, daemon=True)
    thread.start()
    return thread


def _logged(function: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:
        LOG.exception("Unexpected error in %s", getattr(function, "__qualname__", function))


class Pool:
    """Runs functions at once up to a number; further ones wait in a queue."""

    def __init__(self, size: int, name: str = "pool") -> None:
        self._executor = concurrent.futures.ThreadPoolExecutor(size, thread_name_prefix=name)
        self._idle = threading.Condition()
        self._running = 0

    def spawn(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function when there is room; an error is logged."""
        with self._idle:
            self._running += 1
        try:
            self._executor.submit(contextvars.copy_context().run, self._run, function, args)
        except RuntimeError:
            self._end()
            raise

    def _run(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        try:
            _logged(function, args)
        finally:
            self._end()

    def _end(self) -> None:
        with self._idle:
            self._running -= 1
            self._idle.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing runs or waits; tell whether that came in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout_s)

    def stop(self) -> None:
        """Take no further work and drop what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class LockRegistry:
    """Locks by key; a lock exists as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._users: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; it may not be taken twice by the same thread."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
            self._users[key] += 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key], self._locks[key]


def run_native(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run a blocking call of a C library so that other work goes on meanwhile."""
    if not is_green():
        return function(*args, **kwargs)
    result: T = tpool.execute(function, *args, **kwargs)
    return result


class Aside:
    """Runs blocking calls of C libraries beside this thread, one after the other.

    At most one is on its way: begin() waits for the one before, wait() for the last, and both
    raise what that raised.  Use it as a context manager.
    """

    def __init__(self) -> None:
        self._executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._last: concurrent.futures.Future[object] | None = None

    def begin(self, function: Callable[..., object], *args: Any) -> None:
        """Begin a call."""
        self.wait()
        self._last = self._executor.submit(run_native, function, *args)
        # Under eventlet the call only now reaches its thread: reads and writes that need not
        # wait would keep this one running.
        sleep(0)

    def wait(self) -> None:
        """Wait until nothing is on its way."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown()


def spawn_native(function: Callable[[], object], name: str) -> None:
    """Run a function in a real thread, also under eventlet; it must not touch green objects.

    Its way to the rest of the process is a Mailbox.
    """
    module = patcher.original("threading") if is_green() else threading
    module.Thread(target=_logged, args=(function, ()), name=name, daemon=True).start()


def wait_readable(sources: list[Any], timeout_s: float | None) -> list[Any]:
    """Wait, with the whole process, until some sockets can be read; return these.

    For a process that has one thread of work.  The select of eventlet would tell a thread of
    two sockets one after the other, of the second also when it was closed in between.
    """
    waiting = patcher.original("select") if is_green() else select
    readable: list[Any] = waiting.select(sources, [], [], timeout_s)[0]
    return readable


class Mailbox(Generic[T]):
    """A queue that real threads fill while one green or plain thread waits for items."""

    def __init__(self) -> None:
        self._items: collections.deque[T] = collections.deque()
        self._reader, self._writer = socket.socketpair()
        self._write = patcher.original("os").write if is_green() else os.write
        self._writer.setblocking(False)

    def put(self, item: T) -> None:
        """Add an item; safe from any thread."""
        self._items.append(item)
        with contextlib.suppress(BlockingIOError):
            self._write(self._writer.fileno(), b"x")

    def get(self) -> T:
        """Wait for the next item and take it."""
        while not self._items:
            self._reader.recv(4096)
        return self._items.popleft()
