"""What tests with real guests share: the guest's image, a cloud with one host, a shell.

NOVA_TEST_GUEST_IMAGES names the folder where tools/guest-image keeps its results; without it
they are built for the occasion, which takes half a minute.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# The package of the tools is run from its directory and never installed.
sys.path.insert(0, str(ROOT / "tools"))

from standup.rabbitmq import SCRIPTS  # noqa: E402

from tests.fixtures.real_cloud import RealCloud, Shell, running_real_cloud  # noqa: E402
from tests.fixtures.real_guests import IMAGES_VARIABLE  # noqa: E402

NEEDED = ("libvirtd", "virtlogd", "qemu-system-x86_64", "genisoimage", "ebtables", "dnsmasq", "ssh")


@pytest.fixture(scope="session")
def guest_images():
    """Give the folder of the tiny guest's images."""
    given = os.environ.get(IMAGES_VARIABLE)
    folder = pathlib.Path(given or tempfile.mkdtemp(prefix="nova-guest-image-", dir="/var/tmp"))
    subprocess.run([ROOT / "tools" / "guest-image", "-u", folder], check=True)
    yield folder
    if not given:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cloud_class():
    """Give the kind of cloud that the tests of a module want."""
    return RealCloud


@pytest.fixture(scope="module")
def cloud(guest_images, cloud_class):
    """Give a cloud with one host and real guests; some modules have one without guests."""
    path = f"{os.defpath}:/usr/sbin:/sbin"
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if os.geteuid() != 0 or missing or not (SCRIPTS / "rabbitmq-server").exists():
        pytest.skip(f"needs root, RabbitMQ and {', '.join(missing) or 'nothing else'}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nova-real-", dir="/var/tmp"))
    try:
        with running_real_cloud(folder, guest_images / "tiny.qcow2", cloud_class) as cloud:
            yield cloud
    finally:
        if "NOVA_TEST_KEEP" not in os.environ:
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shell(cloud):
    """Give a shell to all servers, by a key of our own."""
    key = cloud.folder / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True)
    public = key.with_suffix(".pub").read_text()
    keypair = {"name": "mine", "type": "ssh", "public_key": public}
    cloud.user.do("POST", "/os-keypairs", {"keypair": keypair})
    return Shell(key)
