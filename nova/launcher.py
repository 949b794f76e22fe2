"""Runs a program until it is told to end: signals, worker processes, exit codes.

SIGTERM and SIGINT: finish what runs, then end with 0; a second one ends at once with 1.
SIGHUP: finish what runs, then start again with the configuration as it is then.
SIGUSR2: write the stacks of all threads to stderr.
"""

import faulthandler
import gc
import logging
import os
import pathlib
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn, Protocol

from nova import concurrency
from nova.config import BAD_CONFIGURATION
from nova.exception import ConfigurationError, NovaException

LOG = logging.getLogger(__name__)

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
HEARD_SIGNALS = STOP_SIGNALS | {signal.SIGHUP, signal.SIGCHLD}
OK = 0
FAILED = 1
# New objects between two rounds of the garbage collector; a long list makes a million.
YOUNG_OBJECTS = 10_000


class Runnable(Protocol):
    """A service as the launcher sees it."""

    def start(self) -> None:
        """Begin; return when requests can be served."""

    def stop(self) -> bool:
        """End; tell whether everything in progress was finished."""


class SignalInbox:
    """Turns signals into bytes on a socket, so that they are read like anything else."""

    def __init__(self, ignored: frozenset[signal.Signals] = frozenset()) -> None:
        self.reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in HEARD_SIGNALS:
            signal.signal(number, signal.SIG_IGN if number in ignored else _note)
        faulthandler.register(signal.SIGUSR2, all_threads=True)

    def put(self, number: signal.Signals) -> None:
        """Make the reader believe that a signal came."""
        self._writer.send(bytes([number]))

    def read(self) -> list[signal.Signals]:
        """Wait for signals and return them."""
        return [signal.Signals(number) for number in self.reader.recv(64)]


def _note(number: int, frame: object) -> None:
    """Exist, so that the signal is delivered to the wake-up socket."""


def notify_ready() -> None:
    """Tell the process supervisor, if it asked to be told (NOTIFY_SOCKET)."""
    name = os.environ.get("NOTIFY_SOCKET")
    if not name:
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"READY=1", address)
        except OSError as error:
            LOG.warning("The supervisor could not be told that the service is ready: %s", error)


def run(make: Callable[[], Runnable]) -> int:
    """Run one service in this process; return the exit code."""
    return run_with(make, SignalInbox(), notify_ready)


def complain(error: NovaException) -> int:
    """Say why the program can not run, where somebody will see it; return the exit code."""
    announce(str(error))
    return exit_code(error)


def announce(reason: str) -> None:
    """Say why the program can not run: in the log, and on stderr if that is not the log."""
    LOG.error("%s", reason)
    handlers = logging.getLogger().handlers
    if not any(getattr(one, "stream", None) is sys.stderr for one in handlers):
        print(f"{pathlib.Path(sys.argv[0]).name}: {reason}", file=sys.stderr)


def exit_code(error: NovaException) -> int:
    """Return the exit code of a program that can not run."""
    return BAD_CONFIGURATION if isinstance(error, ConfigurationError) else FAILED


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads that still work."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def settle_memory() -> None:
    """Take what start-up made out of the garbage collector's rounds, and make them rarer.

    All of it lasts as long as the process; walked through again and again, it cost a quarter
    of the time of a long list.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def run_with(
    make: Callable[[], Runnable],
    inbox: SignalInbox,
    ready: Callable[[], None],
    refuse: Callable[[NovaException], int] = complain,
) -> int:
    """Run one service with given ways to hear signals, to say that it is ready, or why not."""
    outcome = _Outcome()
    started = concurrency.Event()
    try:
        service = make()
    except NovaException as error:
        return refuse(error)

    def begin() -> None:
        try:
            service.start()
        except NovaException as error:
            outcome.end(refuse(error))
            return
        except Exception:
            LOG.exception("The service can not start")
            outcome.end(FAILED)
            return
        started.set()
        settle_memory()
        LOG.info("Ready")
        ready()

    def end(again: bool) -> None:
        LOG.info("Stopping")
        if not started.is_set():
            outcome.end(OK)
            return
        service.stop()
        outcome.end(OK, again=again)

    concurrency.spawn(begin, name="begin")
    concurrency.spawn(_relay_signals, inbox, end, outcome, name="signals")
    outcome.finished.wait()
    if outcome.again:
        exec_again()
    return outcome.code


class _Outcome:
    """The exit code, once it is known."""

    def __init__(self) -> None:
        self.finished = concurrency.Event()
        self.code = OK
        self.again = False

    def end(self, code: int, again: bool = False) -> None:
        self.code, self.again = code, again
        self.finished.set()


def _relay_signals(inbox: SignalInbox, end: Callable[[bool], None], outcome: _Outcome) -> None:
    stopping = False
    while True:
        for number in inbox.read():
            if number in STOP_SIGNALS and stopping:
                LOG.warning("Told to stop twice: ending at once.")
                os._exit(FAILED)
            if number in STOP_SIGNALS or (number == signal.SIGHUP and not stopping):
                stopping = True
                concurrency.spawn(end, number == signal.SIGHUP, name="end")


def exec_again() -> NoReturn:
    """Replace this process by a fresh start of the same program."""
    LOG.info("Starting again with the configuration as it is now")
    logging.shutdown()
    signal.set_wakeup_fd(-1)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
