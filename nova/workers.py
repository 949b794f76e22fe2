"""Several processes of one service: a parent that forks, watches and ends them."""

import collections
import dataclasses
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence

from nova import clock, concurrency, launcher
from nova.config import BAD_CONFIGURATION
from nova.exception import NovaException
from nova.launcher import Runnable, SignalInbox

LOG = logging.getLogger(__name__)

_READY = b"R"
_REFUSED = b"X"
_LONGEST_REASON = 4096
_THROTTLE_S = 1.0


@dataclasses.dataclass(slots=True)
class _Child:
    pid: int
    link: socket.socket
    make: Callable[[], Runnable]
    ready: bool = False
    gone: bool = False


class Workers:
    """The parent; it holds no connection and no thread, so that forking is safe.

    A worker that dies is replaced; when more than count die within count seconds, the
    parent pauses between them.  A worker that finds the configuration bad ends all.
    """

    def __init__(self, makes: Sequence[Callable[[], Runnable]], stop_timeout_s: float) -> None:
        """Prepare one worker for each of makes."""
        self._makes = makes
        self._count = count = len(makes)
        self._stop_timeout_s = stop_timeout_s
        self._children: dict[int, _Child] = {}
        self._deaths: collections.deque[float] = collections.deque(maxlen=count + 1)
        self._stop_before: float | None = None
        self._again = False
        self._announced = False
        self._code = launcher.OK
        self._refusals: set[str] = set()

    def run(self) -> int:
        """Run until told to end; return the exit code."""
        inbox = SignalInbox()
        # What was loaded so far is left alone by the workers' collectors and stays shared.
        gc.collect()
        gc.freeze()
        for make in self._makes:
            self._fork(inbox, make)
        while self._children:
            links = {child.link: child for child in self._children.values() if not child.gone}
            sources = [inbox.reader, *links]
            for source in concurrency.wait_readable(sources, self._patience()):
                if source is inbox.reader:
                    self._heed(inbox)
                else:
                    self._hear(links[source])
            self._reap(inbox)
            self._enforce_deadline()
        if self._again:
            launcher.exec_again()
        return self._code

    def _patience(self) -> float | None:
        if self._stop_before is None:
            return None
        return max(0.0, self._stop_before - clock.monotonic())

    def _fork(self, inbox: SignalInbox, make: Callable[[], Runnable]) -> None:
        ours, theirs = socket.socketpair()
        # Until the worker has an inbox of its own, its signals would land in that of the parent.
        signal.pthread_sigmask(signal.SIG_BLOCK, launcher.HEARD_SIGNALS)
        pid = os.fork()
        if pid == 0:
            concurrency.after_fork()
            ours.close()
            for sibling in self._children.values():
                sibling.link.close()
            _work(make, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, launcher.HEARD_SIGNALS)
        theirs.close()
        self._children[pid] = _Child(pid, ours, make)
        LOG.info("Started worker %s", pid)

    def _heed(self, inbox: SignalInbox) -> None:
        for number in inbox.read():
            if number == signal.SIGHUP and self._stop_before is None:
                self._again = True
                self._end()
            elif number in launcher.STOP_SIGNALS:
                if self._stop_before is not None:
                    LOG.warning("Told to stop twice: ending at once.")
                    self._signal(signal.SIGKILL)
                    self._code = launcher.FAILED
                else:
                    self._end()

    def _end(self) -> None:
        LOG.info("Stopping %s workers", len(self._children))
        self._stop_before = clock.monotonic() + self._stop_timeout_s
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)

    def _hear(self, child: _Child) -> None:
        message = child.link.recv(1)
        if message == _READY:
            child.ready = True
            self._note_ready()
        elif message == _REFUSED:
            self._announce(child.link.recv(_LONGEST_REASON).decode(errors="replace"))
        else:
            child.gone = True

    def _note_ready(self) -> None:
        if not self._announced and all(one.ready for one in self._children.values()):
            self._announced = True
            LOG.info("Ready: %s workers", self._count)
            launcher.notify_ready()

    def _announce(self, reason: str) -> None:
        """Say once what all workers find."""
        if reason not in self._refusals:
            self._refusals.add(reason)
            launcher.announce(reason)

    def _reap(self, inbox: SignalInbox) -> None:
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._bury(self._children.pop(pid), os.waitstatus_to_exitcode(status), inbox)

    def _bury(self, child: _Child, code: int, inbox: SignalInbox) -> None:
        while not child.gone:
            self._hear(child)
        child.link.close()
        if self._stop_before is not None:
            return
        if code == BAD_CONFIGURATION:
            self._code = code
            self._end()
            return
        LOG.error("Worker %s ended with %s; another takes its place.", child.pid, code)
        self._deaths.append(clock.monotonic())
        if self._dying_fast():
            concurrency.sleep(_THROTTLE_S)
        self._fork(inbox, child.make)

    def _dying_fast(self) -> bool:
        full = len(self._deaths) == self._deaths.maxlen
        return full and self._deaths[-1] - self._deaths[0] < self._count

    def _enforce_deadline(self) -> None:
        if self._stop_before is not None and clock.monotonic() >= self._stop_before:
            LOG.warning("Workers did not end within the deadline.")
            self._signal(signal.SIGKILL)
            self._stop_before = float("inf")
            self._code = launcher.FAILED


def _work(make: Callable[[], Runnable], link: socket.socket) -> None:
    """Be a worker; end like one that is told to when the parent is gone."""
    inbox = SignalInbox(ignored=frozenset({signal.SIGINT, signal.SIGHUP}))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, launcher.HEARD_SIGNALS)
    concurrency.spawn(_watch_parent, link, inbox, name="watch-parent")

    def refuse(error: NovaException) -> int:
        link.sendall(_REFUSED + str(error).encode()[:_LONGEST_REASON])
        return launcher.exit_code(error)

    code = launcher.FAILED
    try:
        code = launcher.run_with(make, inbox, lambda: link.sendall(_READY), refuse)
    except Exception:
        LOG.exception("Unexpected error in a worker")
    finally:
        launcher.leave(code)


def _watch_parent(link: socket.socket, inbox: SignalInbox) -> None:
    while link.recv(1):
        pass
    inbox.put(signal.SIGTERM)
