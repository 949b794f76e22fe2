"""Which ports guests' serial consoles have, from spawn to destroy."""

import dataclasses

import pytest

from nova import exception
from nova.objects.console import ConsoleType
from tests.fixtures.libvirt_driver import LibvirtCase

pytestmark = pytest.mark.loopback

# Ports that nothing listens on: libvirt's test hypervisor does not either.
PORTS = range(61320, 61322)


@pytest.fixture
def case(tmp_path, disk_programs, frozen_clock, libvirt_events):
    case = LibvirtCase(str(tmp_path), frozen_clock.advance, PORTS)
    case.driver.init_host("compute1", lambda event: None)
    yield case
    case.close()


@pytest.fixture
def two(case):
    """Give two servers that run."""
    details = [case.detail(), case.detail()]
    for detail in details:
        case.driver.spawn(detail, None)
    return [detail.instance for detail in details]


def port_of(case, instance):
    return case.driver.get_console(instance, ConsoleType.SERIAL).port


def test_guests_have_different_ports_and_none_is_left_for_a_third(case, two):
    assert [port_of(case, instance) for instance in two] == list(PORTS)
    with pytest.raises(exception.SocketPortRangeExhausted):
        case.driver.spawn(case.detail(), None)


def test_destroyed_guest_leaves_its_port_to_the_next(case, two):
    case.driver.destroy(two[0])
    detail = case.detail()
    case.driver.spawn(detail, None)
    assert port_of(case, detail.instance) == PORTS[0]


def test_rebooted_guest_needs_no_second_port(case, two):
    case.driver.reboot_hard(two[1])
    assert port_of(case, two[1]) == PORTS[1]


def test_port_of_a_stopped_guest_is_given_away_and_it_starts_on_another(case, two):
    case.driver.power_off(two[0], 0, 1)
    detail = case.detail()
    case.driver.spawn(detail, None)
    assert port_of(case, detail.instance) == PORTS[0]
    with pytest.raises(exception.SocketPortRangeExhausted):
        case.driver.power_on(two[0])
    case.driver.destroy(two[1])
    case.driver.power_on(two[0])
    assert port_of(case, two[0]) == PORTS[1]


def test_saved_guest_keeps_its_port(case, two):
    case.driver.suspend(two[0])
    with pytest.raises(exception.SocketPortRangeExhausted):
        case.driver.spawn(case.detail(), None)
    case.driver.resume(two[0])
    assert port_of(case, two[0]) == PORTS[0]


def test_new_process_knows_the_ports_from_the_guests(case, two):
    case.driver.cleanup_host()
    case.driver.init_host("compute1", lambda event: None)
    with pytest.raises(exception.SocketPortRangeExhausted):
        case.driver.spawn(case.detail(), None)


def test_guest_from_before_the_upgrade_has_its_console_from_the_next_start(libvirt_case):
    detail = libvirt_case.detail()
    hardware = libvirt_case.driver._setup.hardware
    libvirt_case.driver._setup.hardware = dataclasses.replace(hardware, vnc_listen=None)
    libvirt_case.driver.spawn(detail, None)
    libvirt_case.driver._setup.hardware = hardware
    with pytest.raises(exception.ConsoleTypeUnavailable):
        libvirt_case.driver.get_console(detail.instance, ConsoleType.NOVNC)
    libvirt_case.driver.power_off(detail.instance, 0, 1)
    libvirt_case.driver.power_on(detail.instance)
    assert libvirt_case.driver.get_console(detail.instance, ConsoleType.NOVNC).port
