"""Run the cases with real guests inside a host of their own."""

import ast
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

import pytest

from tests.fixtures.real_guests import IMAGES_VARIABLE

pytestmark = pytest.mark.integration

ROOT = pathlib.Path(__file__).parents[2]
CASES = tuple(
    pathlib.Path(__file__).with_name(name)
    for name in (
        "libvirt_guest_cases.py",
        "libvirt_disk_cases.py",
        "libvirt_live_cases.py",
        "libvirt_hardware_cases.py",
        "libvirt_console_cases.py",
    )
)
NEEDED = ("libvirtd", "virtlogd", "qemu-system-x86_64", "genisoimage", "ebtables")
_FILE_TIMEOUT_S = 3600

# Of the conformance suite, what the cases of disks and of guests that live do more thoroughly
# here, and what does not depend on the hypervisor; libvirt's test hypervisor has seen all of it.
SEEN_ELSEWHERE = (
    "test_driver_has_all_methods",
    "test_driver_can_rescue_rebuild_and_resize",
    "test_driver_can_pause_save_copy_and_control",
    "test_power_action_on_a_missing_guest_says_so",
    "test_operation_on_a_missing_guest_says_so",
    "test_control_of_a_missing_guest_says_so",
    "test_password_of_a_missing_guest_says_so",
    "test_rescue_of_a_missing_guest_says_so",
    "test_missing_guest_has_no_console",
    "test_snapshot_of_a_missing_guest_can_be_discarded",
    "test_host_tells_its_uptime",
    "test_guest_with_config_drive_runs",
    "test_destroy_leaves_nothing",
    "test_power_off_and_on",  # and those that begin like it
    "test_soft_reboot_leaves_the_guest_running",
    "test_hard_reboot_starts_a_running_and_a_stopped_guest",
    "test_console_log_is_bytes_of_limited_length",
    "test_rescued_guest_runs_and_so_does_it_afterwards",
    "test_guest_that_is_off_can_be_rescued",
    "test_rescued_guest_is_switched_like_any_other",
    "test_rebuilt_guest_is_on_if_asked_for",
    "test_resize_and_confirm",
    "test_resize_and_revert",
    "test_disks_are_not_made_smaller[smaller0]",
    "test_pause_and_unpause",
    "test_suspended_guest_is_off_and_goes_on",
    "test_guest_that_was_paused_when_it_was_saved_runs_afterwards",
    "test_suspended_guest_can_be_started_otherwise[reboot_hard]",
    "test_destroy_of_a_suspended_guest_leaves_nothing",
    "test_snapshot_is_a_file_and_leaves_the_guest_as_it_was",
    "test_destroy_takes_the_snapshot_along",
    "test_quiesced_snapshot_without_agent_is_refused",
    "test_interrupt_leaves_the_guest_running",
    "test_diagnostics_have_every_part_of_the_guest",
    "test_diagnostics_of_a_stopped_guest_tell_that_it_is_off",
    "test_filters_can_be_written_anew",
    "test_destroy_of_a_stopped_guest_leaves_nothing",
    "test_leftover_files_are_destroyed_by_their_uuid_alone",
    "test_power_off_without_patience_is_forced",
    "test_each_running_guest_has_a_console_of_its_own",
    "test_console_is_there_while_the_guest_is",
)
SUITE = "libvirt_guest_cases.py::TestLibvirtDriverOnQemu"


def case_names():
    """Return the names of all cases, read without running their modules."""
    for file in CASES:
        for node in ast.parse(file.read_text()).body:
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test or (isinstance(node, ast.ClassDef) and node.name.startswith("Test")):
                yield f"{file.name}::{node.name}"


@pytest.fixture(scope="module")
def hosts():
    """Give the command that speaks to one host, and remove the host in the end."""
    missing = [
        name for name in NEEDED if shutil.which(name, path=os.defpath + ":/usr/sbin") is None
    ]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    folder = tempfile.mkdtemp(prefix="nova-hosts-", dir="/var/tmp")
    name = f"lv{os.getpid() % 100000}"
    command = [str(ROOT / "tools" / "hosts"), "--name", name, "--dir", folder]
    try:
        subprocess.run([*command, "create", "1"], check=True)
        yield command
    finally:
        subprocess.run([*command, "destroy"], check=True)
        shutil.rmtree(folder, ignore_errors=True)


@dataclasses.dataclass
class Runs:
    """One run of each file that has cases in this session, when its first result is asked for."""

    hosts: list[str]
    images: str
    wanted: list[str]
    folder: pathlib.Path
    results: dict[str, dict[str, list[str]]] = dataclasses.field(default_factory=dict)

    def complaints(self, name):
        """Return what is wrong with a case."""
        file = name.partition("::")[0]
        if file not in self.results:
            self.results[file] = self._run([one for one in self.wanted if one.startswith(file)])
        return self.results[file].get(name, ["it did not run"])

    def _run(self, names):
        report = self.folder / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--junit-xml={report}", "--durations=20", *_deselected()]
        done = subprocess.run(
            [*self.hosts, "exec", "1", *command, *(str(CASES[0].with_name(one)) for one in names)],
            cwd=ROOT,
            env={**os.environ, IMAGES_VARIABLE: self.images},
            capture_output=True,
            text=True,
            timeout=_FILE_TIMEOUT_S,
        )
        assert report.exists(), done.stdout[-20000:] + done.stderr[-5000:]
        found = dict.fromkeys(names)
        for case in ElementTree.parse(report).iter("testcase"):
            name = _name_of(case)
            found[name] = [*(found.get(name) or []), *_complaints_of(case)]
        report.unlink()
        count = "cat /var/log/libvirt/qemu/*.log | grep -c 'starting up'"
        subprocess.run([*self.hosts, "exec", "1", "sh", "-c", f"echo starts of guests: $({count})"])
        print(re.sub(r"(?s).*(?=slowest)", "", done.stdout))
        return {name: lines for name, lines in found.items() if lines is not None}


def _deselected():
    root = pathlib.Path(__file__).parent.relative_to(ROOT)
    return [f"--deselect={root}/{SUITE}::{name}" for name in SEEN_ELSEWHERE]


def _name_of(case):
    """Return file and class or function of a case in a report."""
    _, _, rest = case.get("classname").partition("libvirt_")
    file, _, owner = rest.partition(".")
    return f"libvirt_{file}.py::{owner or case.get('name').partition('[')[0]}"


def _complaints_of(case):
    """Return the texts of failures, errors and skips of a case in a report."""
    return [
        f"{case.get('name')}: {part.get('message')}\n{part.text}"
        for part in case
        if part.tag in ("failure", "error", "skipped")
    ]


@pytest.fixture(scope="module")
def runs(request, hosts, guest_images, tmp_path_factory):
    """Give the results of the cases; only those that this session has are run."""
    items = [item for item in request.session.items if item.path.name == "test_libvirt.py"]
    wanted = [item.callspec.params["name"] for item in items]
    return Runs(hosts, str(guest_images), wanted, tmp_path_factory.mktemp("reports"))


@pytest.mark.parametrize("name", list(case_names()))
def test_with_real_guests(runs, name):
    complaints = runs.complaints(name)
    assert not complaints, "\n".join(complaints)[-20000:]
