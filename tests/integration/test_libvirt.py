"""Run the cases with real guests inside a host of their own.

NOVA_TEST_GUEST_IMAGES names the folder where tools/guest-image keeps its results; without
it they are built for the occasion, which takes half a minute.
"""

import ast
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

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
    )
)
NEEDED = ("libvirtd", "virtlogd", "qemu-system-x86_64", "genisoimage", "ebtables")
_CASE_TIMEOUT_S = 2400


def case_names():
    """Return the names of all cases, read without running their modules."""
    for file in CASES:
        for node in ast.parse(file.read_text()).body:
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test or (isinstance(node, ast.ClassDef) and node.name.startswith("Test")):
                yield f"{file.name}::{node.name}"


@pytest.fixture(scope="module")
def guest_images():
    given = os.environ.get(IMAGES_VARIABLE)
    folder = given or tempfile.mkdtemp(prefix="nova-guest-image-", dir="/var/tmp")
    subprocess.run([ROOT / "tools" / "guest-image", "-u", folder], check=True)
    yield folder
    if not given:
        shutil.rmtree(folder)


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


@pytest.mark.parametrize("name", list(case_names()))
def test_with_real_guests(hosts, guest_images, name):
    inside = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(CASES[0].with_name(name)),
    ]
    done = subprocess.run(
        [*hosts, "exec", "1", *inside],
        cwd=ROOT,
        env={**os.environ, IMAGES_VARIABLE: str(guest_images)},
        capture_output=True,
        text=True,
        timeout=_CASE_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]
