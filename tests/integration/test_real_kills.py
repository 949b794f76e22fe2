"""nova-compute is killed in the middle of the heavy operations on a real guest.

Each test leaves its server running.
"""

import contextlib
import subprocess

import pytest

from tests.fixtures.daemons import TooLate, wait_for
from tests.fixtures.glance_transport import SERVICE_TOKEN
from tests.fixtures.process_cloud import ENDED
from tests.fixtures.real_cloud import RealCloud, console
from tests.fixtures.served_glance import ServedGlance

NEEDED = ("libvirtd", "virtlogd", "qemu-system-x86_64", "ebtables", "dnsmasq", "ssh")
PATIENCE_S = 150

pytestmark = pytest.mark.integration


class Cloud(RealCloud):
    """With an image service that takes images, and a flavor to grow to."""

    def _images(self):
        return ServedGlance()

    def _common(self, controller):
        found = super()._common(controller)
        endpoint = found["glance"]["endpoint_override"]
        found["glance"] |= {
            "auth_type": "admin_token",
            "endpoint": endpoint,
            "token": SERVICE_TOKEN,
        }
        return found

    def open(self):
        super().open()
        flavor = {"id": "grown", "name": "grown", "ram": 192, "vcpus": 1, "disk": 2}
        self.admin.do("POST", "/flavors", {"flavor": flavor})


@pytest.fixture(scope="session")
def cloud_class():
    return Cloud


@pytest.fixture(scope="module")
def server(cloud, shell):
    server = cloud.request(name="mortal", key_name="mine")
    assert server.wait_for_status(*ENDED, patience_s=120) == "ACTIVE", server.show()
    boot_id(shell, server)
    return server


def boot_id(shell, server):
    """Wait until the guest lets us in; return which of its lives this is."""

    def ask():
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            return shell.run(server, "cat /proc/sys/kernel/random/boot_id").strip()
        return None

    try:
        return wait_for(ask, "", PATIENCE_S)
    except TooLate:
        pytest.fail(f"{server.uuid} lets nobody in:\n{console(server)[-4000:]}")


def killed_in(cloud, server, body, *steps):
    """Ask for an action; kill nova-compute in one of these steps, and start it again."""
    server.act(body)
    wait_for(lambda: server.task_state in steps, f"not seen in {steps}", PATIENCE_S)
    compute = cloud.daemons["compute"]
    compute.kill()
    step = server.task_state
    assert step in steps
    compute.start()
    compute.ready()


def ends_as(server, *statuses):
    return server.wait_for_status(*statuses, "ERROR", patience_s=PATIENCE_S)


def images_of(cloud):
    return cloud.images.statuses()


def test_create_image_killed_leaves_the_guest_running_and_no_image(cloud, shell, server):
    life, before = boot_id(shell, server), images_of(cloud)
    body = {"createImage": {"name": "lost"}}
    killed_in(cloud, server, body, "image_pending_upload", "image_uploading")
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    assert boot_id(shell, server) == life
    wait_for(lambda: images_of(cloud) == before, "an image is left")
    server.act({"createImage": {"name": "taken"}})
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    (taken,) = images_of(cloud).keys() - before.keys()
    assert images_of(cloud)[taken] == "active"
    assert boot_id(shell, server) == life


def test_suspend_killed_is_suspended_with_its_memory(cloud, shell, server):
    life = boot_id(shell, server)
    killed_in(cloud, server, {"suspend": None}, "suspending")
    assert ends_as(server, "SUSPENDED") == "SUSPENDED"
    server.act({"resume": None})
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    assert boot_id(shell, server) == life


@pytest.mark.parametrize("steps", [("resize_migrating",), ("resize_migrated", "resize_finish")])
def test_resize_killed_is_done_and_can_be_reverted(cloud, shell, server, steps):
    boot_id(shell, server)
    shell.run(server, "echo kept > /root/kept; sync")
    killed_in(cloud, server, {"resize": {"flavorRef": "grown"}}, *steps)
    assert ends_as(server, "VERIFY_RESIZE") == "VERIFY_RESIZE"
    boot_id(shell, server)
    sectors = int(shell.run(server, "cat /sys/block/vda/size"))
    assert sectors == 2 << 21
    assert shell.run(server, "cat /root/kept").strip() == "kept"
    server.act({"revertResize": None})
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    boot_id(shell, server)
    assert int(shell.run(server, "cat /sys/block/vda/size")) == 1 << 21


def test_rescue_killed_is_rescued_and_comes_back(cloud, shell, server):
    boot_id(shell, server)
    shell.run(server, "echo own > /root/own; sync")
    killed_in(cloud, server, {"rescue": {}}, "rescuing")
    assert ends_as(server, "RESCUE") == "RESCUE"
    boot_id(shell, server)
    server.act({"unrescue": None})
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    boot_id(shell, server)
    assert shell.run(server, "cat /root/own").strip() == "own"


def test_rebuild_killed_is_in_error_with_a_reason_and_can_be_rebuilt(cloud, shell, server):
    boot_id(shell, server)
    body = {"rebuild": {"imageRef": cloud.image_id}}
    killed_in(cloud, server, body, "rebuild_block_device_mapping", "rebuild_spawning")
    assert ends_as(server, "ACTIVE") == "ERROR"
    assert "restarted while it rebuilt" in server.fault
    server.act(body)
    assert server.wait_for_status("ACTIVE", patience_s=PATIENCE_S)
    boot_id(shell, server)
    assert shell.run(server, "ls /root/own 2>/dev/null").strip() == ""


def test_shelve_killed_is_shelved_and_comes_back(cloud, shell, server):
    boot_id(shell, server)
    shell.run(server, "echo shelved > /root/shelved; sync")
    before = images_of(cloud)
    steps = ("shelving_image_pending_upload", "shelving_image_uploading")
    killed_in(cloud, server, {"shelve": None}, *steps)
    assert ends_as(server, "SHELVED_OFFLOADED") == "SHELVED_OFFLOADED"
    server.act({"unshelve": None})
    assert ends_as(server, "ACTIVE") == "ACTIVE"
    boot_id(shell, server)
    assert shell.run(server, "cat /root/shelved").strip() == "shelved"
    wait_for(lambda: images_of(cloud) == before, "the image is left")
