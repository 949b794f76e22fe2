"""The programs as processes: arguments, bad configuration, signals, workers."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.programs

ROOT = pathlib.Path(__file__).parents[2]
PROXIES = ["novncproxy", "serialproxy", "spicehtml5proxy", "xvpvncproxy"]
SERVERS = ["api", "api_metadata", "cert", "compute", "conductor", "consoleauth", "network"]
PROGRAMS = [*SERVERS, "objectstore", "scheduler", *PROXIES]
PATIENCE_S = 60
NO_BROKER = "rabbit://u:p@127.0.0.1:1/"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def configuration(tmp_path):
    def write(extra="", mode=0o600, workers=1):
        path = tmp_path / "nova.conf"
        path.write_text(
            "[DEFAULT]\nhost = h1\nmy_ip = 127.0.0.1\n"
            f"state_path = {tmp_path}\ntransport_url = {NO_BROKER}\n"
            f"metadata_listen = 127.0.0.1\nmetadata_listen_port = {free_port()}\n"
            f"metadata_workers = {workers}\ngraceful_shutdown_timeout = 5\n{extra}"
        )
        path.chmod(mode)
        return path

    return write


def environment(concurrency="threads"):
    return {**os.environ, "PYTHONPATH": str(ROOT), "OS_DEFAULT__CONCURRENCY": concurrency}


def command(program, path):
    return [sys.executable, "-m", f"nova.cmd.{program}", "--config-file", str(path)]


def finished(program, path, concurrency="threads"):
    return subprocess.run(
        command(program, path),
        env=environment(concurrency),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Program:
    """A running program and its log."""

    def __init__(self, path, concurrency):
        self.log = path.with_suffix(".log")
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen(
                command("api_metadata", path),
                env=environment(concurrency),
                stdout=sink,
                stderr=sink,
            )

    def text(self):
        return self.log.read_text()

    def wait_for(self, pattern, count=1):
        end = time.monotonic() + PATIENCE_S
        while len(re.findall(pattern, self.text())) < count:
            assert time.monotonic() < end and self.process.poll() is None, self.text()
            time.sleep(0.05)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def run():
    running = []

    def start(path, concurrency="threads"):
        running.append(Program(path, concurrency))
        return running[-1]

    yield start
    for program in running:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_names_the_configuration_file(program):
    done = subprocess.run(
        [sys.executable, "-m", f"nova.cmd.{program}", "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0 and "--config-file" in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_bad_configuration_is_one_line_and_exit_code_2(program, configuration):
    done = finished(program, configuration("report_interval = soon\n"))
    assert done.returncode == 2
    assert "report_interval" in done.stderr and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("program", [one for one in PROGRAMS if one != "conductor"])
def test_hst_06_only_the_conductor_may_have_a_database(program, configuration):
    done = finished(program, configuration("[database]\nconnection = sqlite://\n"))
    assert done.returncode == 2 and "[database]" in done.stderr


@pytest.mark.parametrize("workers", [1, 3])
def test_database_without_schema_is_one_line_for_all_workers(workers, configuration, tmp_path):
    text = f"log_dir = {tmp_path}\n[conductor]\nworkers = {workers}\n"
    done = finished(
        "conductor", configuration(f"{text}[database]\nconnection = sqlite:///{tmp_path}/nova.db\n")
    )
    assert done.returncode == 2
    assert re.fullmatch(r"\S+: .*run nova-manage db sync\n", done.stderr)


def test_hst_04_transport_url_that_everybody_reads_is_refused(configuration):
    done = finished("scheduler", configuration(mode=0o644))
    assert done.returncode == 2 and "transport_url" in done.stderr
    assert "u:p" not in done.stderr


@pytest.mark.parametrize("program", ["compute", "network"])
@pytest.mark.parametrize("helper", ["/bin/false", "/nonexistent/sudo"])
def test_helper_without_rights_is_exit_code_2_at_start(program, helper, configuration):
    done = finished(
        program, configuration(f"[nova_{program}_privileged]\nhelper_command = {helper}\n")
    )
    assert done.returncode == 2
    assert f"is there a sudo rule for {helper}?" in done.stderr
    assert "Traceback" not in done.stderr


def test_address_in_use_is_exit_code_2(configuration):
    path = configuration()
    port = int(re.search(r"metadata_listen_port = (\d+)", path.read_text())[1])
    with socket.create_server(("127.0.0.1", port)):
        done = finished("api_metadata", path)
    assert done.returncode == 2 and str(port) in done.stderr


@pytest.mark.parametrize("concurrency", ["threads", "eventlet"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_program_properly(configuration, run, concurrency, number):
    program = run(configuration(), concurrency)
    program.wait_for(" Ready")
    assert f"on {concurrency}" in program.text()
    assert program.end(number) == 0


@pytest.mark.parametrize("concurrency", ["threads", "eventlet"])
def test_hangup_starts_again_in_the_same_process(configuration, run, concurrency):
    program = run(configuration(), concurrency)
    program.wait_for(" Ready")
    program.process.send_signal(signal.SIGHUP)
    program.wait_for(" Ready", count=2)
    assert program.end() == 0


@pytest.mark.parametrize("concurrency", ["threads", "eventlet"])
def test_worker_that_dies_is_replaced_and_all_end_together(configuration, run, concurrency):
    program = run(configuration(workers=2), concurrency)
    program.wait_for("Ready: 2 workers")
    first = int(re.search(r"Started worker (\d+)", program.text())[1])
    os.kill(first, signal.SIGKILL)
    program.wait_for(r"nova.launcher .* Ready", count=3)
    assert program.end() == 0
    for pid in re.findall(r"Started worker (\d+)", program.text()):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.parametrize("concurrency", ["threads", "eventlet"])
def test_workers_end_when_their_parent_is_killed(configuration, run, concurrency):
    program = run(configuration(workers=2), concurrency)
    program.wait_for("Ready: 2 workers")
    program.process.kill()
    program.process.wait()
    for pid in re.findall(r"Started worker (\d+)", program.text()):
        end = time.monotonic() + PATIENCE_S
        while pathlib.Path(f"/proc/{pid}/cmdline").exists() and (
            pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        ):
            assert time.monotonic() < end, "a worker is left"
            time.sleep(0.05)


def test_signal_for_a_worker_just_made_does_not_reach_the_parent():
    program = """
import os, signal
from nova.workers import Workers
fork = os.fork
def told_to_end_at_once():
    pid = fork()
    if pid == 0:
        os.kill(os.getppid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    return pid
os.fork = told_to_end_at_once
class Idle:
    def start(self): pass
    def stop(self): return True
raise SystemExit(Workers([Idle], 20).run())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0


def test_supervisor_is_told(configuration, run, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        program = run(configuration())
        assert notify.recv(100) == b"READY=1"
        assert program.end() == 0


def test_nova_manage_does_not_bother_users_with_the_end_of_eventlet():
    program = (
        "import sys, nova.cmd.manage as manage; sys.argv[1:] = ['--version']\n"
        "try: manage.main()\n"
        "except SystemExit: pass\n"
        "import nova.rpc.amqp"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stderr == ""
