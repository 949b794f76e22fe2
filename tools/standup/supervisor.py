"""The process supervisor: starts programs, keeps them running, stops them in order.

One process with one loop. It is told what to do through a UNIX socket, one JSON object per
connection, and it reaps every orphan of its programs, which the first process of a container often
does not. It can itself be the first process of a PID namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import grp
import json
import os
import pwd
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from standup import processes
from standup.program import Program, ProgramState

PR_SET_CHILD_SUBREAPER = 36
HEALTHY_AFTER_S = 10.0
LONGEST_PAUSE_S = 30.0


@dataclass
class Child:
    """A program and its present process."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    identity: processes.ProcessId | None = None
    started_at: float = 0.0
    restarts: int = 0
    quick_failures: int = 0
    start_again_at: float | None = None
    kill_at: float | None = None
    wanted: bool = True
    last_exit: str = ""


class Supervisor:
    """All state lives in this object and is touched by the loop only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.children: dict[str, Child] = {}
        self.closing = False
        self._told_to_end = False
        self.selector = selectors.DefaultSelector()

    # ------------------------------------------------------------------ life

    def run(self, programs: Sequence[Program] = ()) -> None:
        """Start some programs, then serve until told to shut down and the last one has ended.

        Returns at once if another supervisor serves this directory.
        """
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "supervisor.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._serve_until_told(programs)

    def _serve_until_told(self, programs: Sequence[Program]) -> None:
        self._end_leftovers()
        wake, listener = self._catch_signals(), self._listen()
        for program in programs:
            self.start(program)
        me = processes.identify(os.getpid())
        if me:
            processes.write_pid_file(self.directory / "supervisor.pid", me)
        while not (self.closing and not self._running()):
            for key, _events in self.selector.select(self._next_timer_s()):
                if key.fileobj is listener:
                    self._serve(listener)
                elif key.fileobj is wake:
                    wake.recv(4096)
            if self._told_to_end and not self.closing:
                self.shut_down()
            self._reap()
            self._run_timers()
        listener.close()
        for name in ("supervisor.sock", "supervisor.pid"):
            (self.directory / name).unlink(missing_ok=True)

    def _catch_signals(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._signal_socket = theirs
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.selector.register(ours, selectors.EVENT_READ)
        return ours

    def _note_end(self, *_: object) -> None:
        self._told_to_end = True

    def _listen(self) -> socket.socket:
        path = self.directory / "supervisor.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        old = os.umask(0o177)
        with processes.short_path(path) as address:
            listener.bind(address)
        os.umask(old)
        listener.listen(16)
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)
        return listener

    def _end_leftovers(self) -> None:
        """End programs of a supervisor that was killed: nobody would watch or reap them."""
        for path in self.directory.glob("*.pid"):
            left = processes.read_pid_file(path)
            if left and left.pid != os.getpid():
                processes.end(left)
            path.unlink(missing_ok=True)

    # -------------------------------------------------------------- requests

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _address = listener.accept()
            with connection:
                connection.settimeout(2.0)
                request = json.loads(connection.makefile("r").readline() or "{}")
                reply = self.handle(request)
                connection.sendall(json.dumps(reply).encode() + b"\n")

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one request and return its answer: {"ok": …} or {"error": text}."""
        operation = request.get("op")
        if operation == "start":
            self.start(Program.from_json(request["program"]))
        elif operation == "stop":
            self.stop(request["name"])
        elif operation == "kill":
            self.kill(request["name"])
        elif operation == "forget":
            self._forget(request["name"])
        elif operation == "shutdown":
            self.shut_down()
        elif operation != "status":
            return {"error": f"unknown operation {operation!r}"}
        return {"ok": [asdict(self._state(child)) for child in self.children.values()]}

    def start(self, program: Program) -> None:
        """Start a program; a running one of this name is left alone."""
        child = self.children.get(program.name)
        if child and child.process:
            return
        child = Child(program)
        self.children[program.name] = child
        self._spawn(child)

    def stop(self, name: str) -> None:
        """Ask a program to end; the loop kills it when its time is over."""
        child = self.children.get(name)
        if child is None:
            return
        child.wanted, child.start_again_at = False, None
        if child.process:
            self._signal(child, signal.SIGTERM)
            child.kill_at = time.monotonic() + child.program.stop_timeout_s

    def shut_down(self) -> None:
        """Stop everything, the highest tier first; the loop ends after the last."""
        self.closing = True
        for child in self.children.values():
            child.wanted, child.start_again_at = False, None
        self._stop_highest_tier()

    def _stop_highest_tier(self) -> None:
        running = self._running()
        highest = max((child.program.tier for child in running), default=0)
        for child in running:
            if child.program.tier == highest and not child.kill_at:
                self.stop(child.program.name)

    def kill(self, name: str) -> None:
        """End a program like a power failure; it is started again if it is to be kept running."""
        child = self.children.get(name)
        if child:
            self._signal(child, signal.SIGKILL)

    def _forget(self, name: str) -> None:
        child = self.children.get(name)
        if child and not child.process:
            del self.children[name]

    # ------------------------------------------------------------- processes

    def _spawn(self, child: Child) -> None:
        program = child.program
        child.start_again_at, child.started_at = None, time.monotonic()
        try:
            with open(program.log, "ab") as log:
                child.process = subprocess.Popen(
                    program.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=program.directory,
                    env=_environment(program),
                    start_new_session=True,
                    umask=program.umask,
                    **_credentials(program),
                )
        except (OSError, KeyError, subprocess.SubprocessError) as error:
            self._ended(child, f"cannot start: {error}")
            return
        child.identity = processes.identify(child.process.pid)
        if child.identity:
            processes.write_pid_file(self._pid_file(child), child.identity)

    def _reap(self) -> None:
        """Collect every process that has ended, programs and orphans alike."""
        by_pid = {child.process.pid: child for child in self._running() if child.process}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = by_pid.get(pid)
            if child and child.process:
                code = os.waitstatus_to_exitcode(status)
                child.process.returncode = code
                self._ended(child, f"status {code}" if code >= 0 else f"signal {-code}")

    def _ended(self, child: Child, how: str) -> None:
        lived_s = time.monotonic() - child.started_at
        child.process, child.identity, child.kill_at, child.last_exit = None, None, None, how
        self._pid_file(child).unlink(missing_ok=True)
        if self.closing:
            self._stop_highest_tier()
        elif child.wanted and child.program.restart:
            child.quick_failures = 0 if lived_s >= HEALTHY_AFTER_S else child.quick_failures + 1
            pause_s = min(LONGEST_PAUSE_S, 0.25 * 2**child.quick_failures)
            child.start_again_at = time.monotonic() + pause_s

    def _run_timers(self) -> None:
        now = time.monotonic()
        for child in list(self.children.values()):
            if child.kill_at and now >= child.kill_at:
                self._signal(child, signal.SIGKILL)
                child.kill_at = now + 5.0
            if child.start_again_at and now >= child.start_again_at:
                child.restarts += 1
                self._spawn(child)

    def _next_timer_s(self) -> float:
        timers = [t for c in self.children.values() for t in (c.kill_at, c.start_again_at) if t]
        return max(0.0, min(timers) - time.monotonic()) if timers else 60.0

    def _signal(self, child: Child, number: signal.Signals) -> None:
        if child.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, number)

    def _running(self) -> list[Child]:
        return [child for child in self.children.values() if child.process]

    def _pid_file(self, child: Child) -> Path:
        return self.directory / f"{child.program.name}.pid"

    def _state(self, child: Child) -> ProgramState:
        name, log = child.program.name, child.program.log
        if child.process:
            uptime_s = time.monotonic() - child.started_at
            pid = child.process.pid
            return ProgramState(
                name, "running", pid, child.restarts, uptime_s, log, child.last_exit
            )
        state = "waiting" if child.start_again_at else "stopped" if not child.wanted else "failed"
        return ProgramState(name, state, None, child.restarts, 0.0, log, child.last_exit)


def _credentials(program: Program) -> dict[str, Any]:
    if program.user is None:
        return {}
    account = pwd.getpwnam(program.user)
    groups = {grp.getgrnam(name).gr_gid for name in program.groups}
    groups.update(os.getgrouplist(program.user, account.pw_gid))
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": sorted(groups)}


def _environment(program: Program) -> dict[str, str]:
    values = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }
    if program.user:
        values["USER"] = values["LOGNAME"] = program.user
        values["HOME"] = pwd.getpwnam(program.user).pw_dir
    elif "HOME" in os.environ:
        values["HOME"] = os.environ["HOME"]
    return {**values, **program.environment}
