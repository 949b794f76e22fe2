"""The connection, on libvirt's own test hypervisor."""

import pathlib
import re
import uuid

import pytest

import nova
from nova import exception
from nova.objects.lifecycle import PowerState
from nova.virt.libvirt.guest import GuestConfig
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.xml import domain_xml


@pytest.fixture
def host(tmp_path):
    node = tmp_path / "node.xml"
    node.write_text("<node/>")
    host = Host(f"test://{node}", with_events=False)
    host.connect()
    yield host
    host.close()


@pytest.fixture
def guest(host):
    return define(host, "instance-00000001")


def define(host, name):
    instance_uuid = str(uuid.uuid4())
    config = GuestConfig(virt_type="test", name=name, uuid=instance_uuid, memory_mb=64, vcpus=1)
    host.define(domain_xml(config))
    return instance_uuid


def state(host, guest):
    return host.find_guest(guest).power_state


def test_defined_guest_is_off(host, guest):
    assert state(host, guest) is PowerState.SHUTDOWN


def test_guest_starts_once(host, guest):
    host.start(guest)
    host.start(guest)
    assert state(host, guest) is PowerState.RUNNING


def test_guests_of_others_are_not_listed(host, guest):
    define(host, "database")
    assert [found.uuid for found in host.list_guests()] == [guest]


def test_guest_that_shut_itself_down_is_told_from_one_that_was_killed(host, guest):
    host.start(guest)
    host.ask_shutdown(guest)
    assert host.find_guest(guest).shut_down
    host.start(guest)
    host.kill(guest)
    assert not host.find_guest(guest).shut_down


def test_kill_and_undefine_are_safe_to_repeat(host, guest):
    host.start(guest)
    for _ in range(2):
        host.kill(guest)
    for _ in range(2):
        host.undefine(guest)
    assert host.find_guest(guest) is None
    host.kill(guest)


@pytest.mark.parametrize("operation", ["start", "ask_shutdown", "ask_reboot"])
def test_operation_on_a_missing_guest_says_so(host, operation):
    with pytest.raises(exception.GuestNotFound):
        getattr(host, operation)(str(uuid.uuid4()))


def test_refusal_of_libvirt_is_a_driver_error_without_its_words(host, guest, caplog):
    with pytest.raises(exception.DriverError) as caught:
        host.ask_shutdown(guest)
    assert "shut the guest down" in str(caught.value)
    assert "not running" not in str(caught.value)
    assert "not running" in caplog.text


def test_definition_that_libvirt_can_not_read_is_a_driver_error(host):
    with pytest.raises(exception.DriverError):
        host.define("<domain/>")


def test_libvirt_that_can_not_be_reached_is_unavailable(tmp_path):
    host = Host(f"test://{tmp_path}/missing.xml", with_events=False)
    with pytest.raises(exception.HypervisorUnavailable):
        host.connect()


def test_connection_that_was_closed_is_opened_anew(host, tmp_path):
    host.close()
    assert host.facts().hypervisor_type == "TEST"
    assert host.list_guests() == []


def test_host_tells_what_it_has_and_can_run(host):
    facts = host.facts()
    assert (facts.cpus, facts.memory_mb) == (16, 3072)
    capabilities = host.capabilities()
    assert capabilities.offers("test") and not capabilities.offers("kvm")


def test_only_two_modules_import_the_library():
    package = pathlib.Path(nova.__file__).parent
    users = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import libvirt\b|from libvirt\b)", path.read_text(), re.MULTILINE)
    }
    assert users == {"virt/libvirt/host.py", "virt/libvirt/guest_calls.py"}
