"""Interfaces that come and go; QEMU's part is played by the lively host."""

import dataclasses

import pytest

from nova import exception
from nova.virt.libvirt.hardware import HardwareSettings
from nova.virt.libvirt.interfaces import ASK_AGAIN_S, DETACH_TIMEOUT_S, GuestInterfaces
from tests.fixtures.guests import make_vif
from tests.fixtures.libvirt_driver import NotingFirewall

SETTINGS = HardwareSettings(virt_type="test")


@pytest.fixture
def host(libvirt_case):
    return libvirt_case.host


@pytest.fixture
def interfaces(host, frozen_clock):
    plug = lambda vifs: host.calls.append("plug")  # noqa: E731
    return GuestInterfaces(host, NotingFirewall(host), frozen_clock.advance, plug)


@pytest.fixture
def instance(libvirt_case):
    detail = libvirt_case.detail()
    libvirt_case.driver.spawn(detail, None)
    return dataclasses.replace(detail.instance, vifs=(make_vif(),))


def xml_of(host, instance, live=True):
    return host.definition(instance.uuid, live=live)


def test_net_01_filters_are_there_before_the_interface(host, interfaces, instance):
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    assert host.calls == ["plug", "filters of 1", "attach live", "attach saved"]
    assert 'filter="filter-fa:16:3e:00:00:01"' in xml_of(host, instance)
    assert instance.vifs[0].devname in xml_of(host, instance, live=False)


def test_interface_that_is_there_is_not_attached_again(host, interfaces, instance):
    host.fail_next("attach saved")
    with pytest.raises(exception.DriverError):
        interfaces.attach(instance, instance.vifs[0], SETTINGS)
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    assert host.calls.count("attach live") == 1
    assert xml_of(host, instance).count("<interface") == 1


def test_guest_that_is_off_gets_it_with_its_next_start(host, interfaces, instance):
    host.kill(instance.uuid)
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    assert "attach live" not in host.calls
    interfaces.detach(instance, instance.vifs[0])
    assert host.calls[-2:] == ["detach saved", "forget filter"]


def test_guest_that_is_missing_gets_none(interfaces, libvirt_case):
    instance = libvirt_case.detail(vifs=(make_vif(),)).instance
    with pytest.raises(exception.GuestNotFound):
        interfaces.attach(instance, instance.vifs[0], SETTINGS)
    interfaces.detach(instance, instance.vifs[0])


def test_interface_is_gone_before_its_definition_and_filter(host, interfaces, instance):
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    host.calls.clear()
    for _ in range(2):
        interfaces.detach(instance, instance.vifs[0])
    assert host.calls == ["detach live", "detach saved", "forget filter", "forget filter"]
    assert "<interface" not in xml_of(host, instance)


def test_guest_that_is_starting_is_asked_again(host, interfaces, instance, frozen_clock):
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    host.lets_go = False
    host.fail_next("detach live")
    asked = []

    def obey_at_the_third_request():
        asked.append(host.calls.count("detach live"))
        host.lets_go = asked[-1] >= 2

    host.on_poll = obey_at_the_third_request
    interfaces.detach(instance, instance.vifs[0])
    assert host.calls.count("detach live") == 3
    assert host.calls.count("detach saved") == 1


def test_interface_that_the_guest_does_not_let_go_stays_defined(
    host, interfaces, instance, frozen_clock
):
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    host.lets_go = False
    with pytest.raises(exception.DriverError, match="let it go"):
        interfaces.detach(instance, instance.vifs[0])
    assert host.calls.count("detach live") == DETACH_TIMEOUT_S // ASK_AGAIN_S
    assert "detach saved" not in host.calls
    assert "forget filter" not in host.calls


def test_guest_that_goes_off_meanwhile_needs_not_let_go(host, interfaces, instance):
    interfaces.attach(instance, instance.vifs[0], SETTINGS)
    host.lets_go = False
    host.on_poll = lambda: host.kill(instance.uuid)
    interfaces.detach(instance, instance.vifs[0])
    assert host.calls[-2:] == ["detach saved", "forget filter"]
