"""The probe guest, on a host that plays its part."""

import json

import pytest

from nova import exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt import probe, probe_guest
from nova.virt.libvirt.capabilities import HostCapabilities, HostCpu
from nova.virt.libvirt.host import GuestFacts, HostFacts
from nova.virt.libvirt.probe import Outcome
from tests.fixtures.time import frozen_clock  # noqa: F401

BOTH = (("x86_64", "qemu", "hvm"), ("x86_64", "kvm", "hvm"))


class ProbedHost:
    """A host whose probe guests end in one way."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.version = 7002022
        self.definitions = []
        self.removed = []

    def facts(self):
        return HostFacts(
            hostname="h",
            hypervisor_type="QEMU",
            hypervisor_version=self.version,
            cpus=1,
            memory_mb=1,
        )

    def list_guests(self, prefix):
        return [GuestFacts(uuid="stray", name=f"{prefix}1", power_state=PowerState.RUNNING)]

    def define(self, xml):
        self.definitions.append(xml)

    def start(self, instance_uuid):
        if self.outcome is Outcome.REFUSED:
            raise exception.DriverError(operation="start the guest", reason="no")

    def find_guest(self, instance_uuid):
        state = PowerState.RUNNING if self.outcome is Outcome.HUNG else PowerState.SHUTDOWN
        return GuestFacts(
            uuid=instance_uuid,
            name="probe",
            power_state=state,
            shut_down=self.outcome is Outcome.RAN,
        )

    def kill(self, instance_uuid):
        self.removed.append(("kill", instance_uuid))

    def undefine(self, instance_uuid):
        self.removed.append(("undefine", instance_uuid))


def make_capabilities(guests=BOTH, architecture="x86_64"):
    return HostCapabilities(cpu=HostCpu(architecture=architecture), guests=guests)


def choose(host, folder, sleep, capabilities=None):
    return probe.choose_virt_type(host, capabilities or make_capabilities(), folder, 5, sleep)


@pytest.fixture
def sleep(frozen_clock):  # noqa: F811
    return frozen_clock.advance


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.RAN, "kvm"),
        (Outcome.CRASHED, "qemu"),
        (Outcome.HUNG, "qemu"),
        (Outcome.REFUSED, "qemu"),
    ],
)
def test_kvm_is_chosen_only_after_a_guest_ran_under_it(tmp_path, sleep, outcome, expected):
    host = ProbedHost(outcome)
    verdict = choose(host, str(tmp_path), sleep)
    assert verdict.virt_type == expected
    assert outcome.value in verdict.reason


def test_probe_guest_and_its_files_are_removed(tmp_path, sleep):
    host = ProbedHost(Outcome.HUNG)
    choose(host, str(tmp_path), sleep)
    stray, own = host.removed[:2], host.removed[2:]
    assert stray == [("kill", "stray"), ("undefine", "stray")]
    assert [what for what, _ in own] == ["kill", "undefine"]
    assert [path.name for path in tmp_path.iterdir()] == ["virt_type.json"]


def test_verdict_is_kept_until_the_hypervisor_changes(tmp_path, sleep):
    host = ProbedHost(Outcome.RAN)
    choose(host, str(tmp_path), sleep)
    choose(host, str(tmp_path), sleep)
    assert len(host.definitions) == 1
    host.version += 1
    choose(host, str(tmp_path), sleep)
    assert len(host.definitions) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"virt_type": "kvm"}', "\x00"])
def test_damaged_record_is_no_verdict(tmp_path, sleep, content):
    (tmp_path / "virt_type.json").write_text(content)
    host = ProbedHost(Outcome.HUNG)
    assert choose(host, str(tmp_path), sleep).virt_type == "qemu"
    assert json.loads((tmp_path / "virt_type.json").read_text())["virt_type"] == "qemu"


@pytest.mark.parametrize(
    "capabilities",
    [
        make_capabilities(guests=BOTH[:1]),
        make_capabilities(guests=(*BOTH[:1], ("i686", "kvm", "hvm"))),
        make_capabilities(guests=(("aarch64", "kvm", "hvm"),), architecture="aarch64"),
    ],
)
def test_without_kvm_or_program_no_guest_is_tried(tmp_path, sleep, capabilities):
    host = ProbedHost(Outcome.RAN)
    assert choose(host, str(tmp_path), sleep, capabilities).virt_type == "qemu"
    assert host.definitions == []


def test_boot_sector_ends_with_the_mark_and_the_code_fits():
    disk = probe_guest.disk()
    assert disk[510:512] == b"\x55\xaa"
    assert len(disk) == 1024 * 1024 and not any(disk[512:])
    # The far jump and the table's address must meet what they point at.
    assert disk[0x56:0x57] == b"\xb9" and disk[0x78:0x80] == bytes(8)
