"""What the driver does with guests that exist, beyond the conformance suite."""

import contextlib

import pytest

from nova import exception
from tests.fixtures.libvirt_driver import NotingFirewall


@pytest.fixture
def driver(libvirt_case):
    return libvirt_case.driver


@pytest.fixture
def host(libvirt_case):
    return libvirt_case.host


@pytest.fixture
def spawned(libvirt_case):
    def spawn(**changes):
        detail = libvirt_case.detail(**changes)
        libvirt_case.driver.spawn(detail, None)
        return detail.instance

    return spawn


def has_saved_memory(host, instance):
    return bool(host.with_guest("ask", instance.uuid, lambda guest: guest.hasManagedSaveImage()))


def test_new_definition_drops_the_memory_saved_under_the_old_one(driver, host, spawned):
    instance = spawned()
    driver.suspend(instance)
    assert has_saved_memory(host, instance)
    driver._setup.define(instance)
    assert not has_saved_memory(host, instance)


def test_guest_that_is_off_can_not_be_suspended(driver, spawned):
    instance = spawned()
    driver.power_off(instance, 0, 1)
    for operation in (driver.suspend, driver.pause, driver.unpause):
        with pytest.raises(exception.DriverError):
            operation(instance)


@pytest.mark.parametrize(
    ("changes", "user"),
    [
        ({}, "root"),
        ({"os_type": "linux"}, "root"),
        ({"os_type": "windows"}, "Administrator"),
        ({"os_type": "windows", "image_properties": {"os_admin_user": "boss"}}, "boss"),
    ],
)
def test_password_is_that_of_the_images_administrator(driver, host, spawned, changes, user):
    driver.set_admin_password(spawned(**changes), "secret")
    assert host.calls == [f"password of {user}"]


def test_agent_that_refuses_a_password_is_told_without_it(driver, host, spawned, caplog):
    host.fail_next("password of root")
    with pytest.raises(exception.GuestAgentUnavailable) as caught:
        driver.set_admin_password(spawned(), "top-secret")
    assert "top-secret" not in str(caught.value) + caplog.text


@pytest.mark.parametrize(("user", "password"), [("root", "a\0b"), ("ro\0ot", "secret")])
def test_text_that_no_agent_can_be_told_is_refused(driver, host, spawned, user, password):
    instance = spawned(image_properties={"os_admin_user": user})
    with pytest.raises(exception.GuestAgentUnavailable):
        driver.set_admin_password(instance, password)
    assert host.calls == []


def test_interrupt_to_a_guest_that_is_off_is_an_error(driver, spawned):
    instance = spawned()
    driver.power_off(instance, 0, 1)
    with pytest.raises(exception.DriverError):
        driver.trigger_crash_dump(instance)


@pytest.mark.parametrize("operation", ["resume", "power_on", "refresh_network"])
def test_missing_guest_gets_no_filters(libvirt_case, driver, host, monkeypatch, operation):
    for owner in (driver, driver._setup):
        monkeypatch.setattr(owner, "_firewall", NotingFirewall(host))
    with contextlib.suppress(exception.GuestNotFound):
        getattr(driver, operation)(libvirt_case.detail().instance)
    assert host.calls == []


def test_filters_of_a_guest_are_written_anew(driver, host, spawned, monkeypatch):
    instance = spawned()
    monkeypatch.setattr(driver, "_firewall", NotingFirewall(host))
    driver.refresh_network(instance)
    assert host.calls == ["filters of 0"]


def test_filters_stay_on_a_host_with_guests(driver, host, spawned, monkeypatch):
    spawned()
    monkeypatch.setattr(driver, "_firewall", NotingFirewall(host))
    with pytest.raises(exception.DriverError, match="1 guests are on this host"):
        driver.clear_firewall()
    assert "clear filters" not in host.calls


def test_filters_go_from_a_host_without_guests(driver, host, monkeypatch):
    monkeypatch.setattr(driver, "_firewall", NotingFirewall(host))
    driver.clear_firewall()
    assert host.calls == ["clear filters"]
