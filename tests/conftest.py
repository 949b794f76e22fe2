"""Guards around every test, and the configuration that tests use.

NOVA_TEST_CONCURRENCY=eventlet runs the tests on green threads, in one process.
NOVA_TEST_NO_SKIPS=1 makes skipped tests a failure of the run.
"""

import os

from nova.cmd import backend

if os.environ.get("NOVA_TEST_CONCURRENCY") == backend.EVENTLET:
    backend.patch()

import logging
import pathlib
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator

import pytest
from oslo_config import cfg

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    from nova import config

_TESTS = pathlib.Path(__file__).parent
_PATIENCE_S = 2.0


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to spread green tests: the threads of xdist began before they could be patched."""
    green = os.environ.get("NOVA_TEST_CONCURRENCY") == backend.EVENTLET
    if green and ("PYTEST_XDIST_WORKER" in os.environ or config.getoption("numprocesses", None)):
        raise pytest.UsageError("NOVA_TEST_CONCURRENCY=eventlet needs one process: leave out -n")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if tests were skipped where everything is said to be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NOVA_TEST_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _level(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0]


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on connections: all of them in unit and contract tests, else those off loopback."""
    level = _level(request.node)
    if level == "integration" or request.node.get_closest_marker("integration"):
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        loopback = isinstance(address, tuple) and str(address[0]) in ("127.0.0.1", "::1")
        local = request.node.get_closest_marker("loopback") or level == "functional"
        silent = self.family == socket.AF_UNIX or self.type == socket.SOCK_DGRAM
        if not silent and not (local and loopback):
            pytest.fail(f"this test may not connect to {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on real programs in unit and contract tests without the marker ``programs``."""
    marked = any(request.node.get_closest_marker(name) for name in ("programs", "integration"))
    if marked or _level(request.node) not in ("unit", "contract"):
        return

    def refuse(self: object, args: object, *rest: object, **options: object) -> None:
        pytest.fail(f"this test may not start {args}")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def _no_threads_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when a unit or contract test leaves threads behind."""
    before = set(threading.enumerate())
    yield
    if _level(request.node) not in ("unit", "contract"):
        return
    end = time.monotonic() + _PATIENCE_S
    for thread in filter(_stays, set(threading.enumerate()) - before):
        thread.join(max(0.0, end - time.monotonic()))
    left = [one.name for one in set(threading.enumerate()) - before if _stays(one)]
    if left:
        pytest.fail(f"threads are left: {', '.join(left)}")


def _stays(thread: threading.Thread) -> bool:
    """Tell whether a thread should have ended; libvirt's event loop can not be ended."""
    return thread.is_alive() and not thread.name.startswith("libvirt-")


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_errors_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on log lines above warning in unit tests without the marker ``logs_errors``."""
    handler = _Errors()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    marked = request.node.get_closest_marker("logs_errors")
    if handler.lines and not marked and _level(request.node) == "unit":
        pytest.fail("unexpected errors were logged: " + "; ".join(handler.lines))


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    """Return a configuration of its own with all options at their defaults."""
    fresh = cfg.ConfigOpts()
    config.register(fresh)
    fresh([], project="nova", default_config_files=[], default_config_dirs=[])
    return fresh
