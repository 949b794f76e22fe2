import pytest

from nova.exception import DriverError, ImageNotFound
from nova.objects.instance_detail import InstanceDetail
from nova.objects.lifecycle import PowerState
from nova.virt.fake import CONSOLE_BYTES, FakeDriver
from tests.fixtures.guests import make_instance

REFUSED = DriverError(operation="start the guest", reason="no")


@pytest.fixture
def slept():
    return []


@pytest.fixture
def driver(slept):
    driver = FakeDriver(delays_s={"spawn": 2.5}, sleep=slept.append)
    driver.init_host("compute1", lambda event: None)
    return driver


@pytest.fixture
def detail():
    return InstanceDetail(instance=make_instance())


def test_injected_failure_hits_only_the_next_calls(driver, detail):
    driver.fail_next("spawn", REFUSED, count=2)
    for _ in range(2):
        with pytest.raises(DriverError):
            driver.spawn(detail, None)
    driver.spawn(detail, None)
    assert driver.get_power_state(detail.instance) is PowerState.RUNNING


def test_different_failures_come_in_order(driver, detail):
    driver.fail_next("spawn", REFUSED)
    driver.fail_next("spawn", ImageNotFound(image_id="x"))
    with pytest.raises(DriverError):
        driver.spawn(detail, None)
    with pytest.raises(ImageNotFound):
        driver.spawn(detail, None)


def test_failed_spawn_leaves_files_behind_as_a_real_one_does(driver, detail):
    driver.fail_next("spawn", REFUSED)
    with pytest.raises(DriverError):
        driver.spawn(detail, None)
    assert driver.list_guests() == {}
    assert driver.list_files() == {detail.instance.uuid}


def test_hook_runs_in_the_middle_of_the_call(driver, detail):
    seen = []
    driver.during_next("spawn", lambda: seen.append((driver.list_guests(), driver.list_files())))
    driver.spawn(detail, None)
    assert seen == [({}, {detail.instance.uuid})]


def test_delay_is_slept_by_the_given_function(driver, detail, slept):
    driver.spawn(detail, None)
    assert slept == [2.5]


def test_stubborn_guest_is_given_its_time_before_it_is_forced(driver, detail, slept):
    driver.spawn(detail, None)
    driver.guests[detail.instance.uuid].obeys_acpi = False
    assert driver.reboot_soft(detail.instance, 7) is False
    driver.power_off(detail.instance, 60, 10)
    assert slept == [2.5, 7, 60]
    assert driver.get_power_state(detail.instance) is PowerState.SHUTDOWN


def test_soft_reboot_of_a_stopped_guest_is_refused(driver, detail):
    driver.spawn(detail, None)
    driver.power_off(detail.instance, 0, 10)
    assert driver.reboot_soft(detail.instance, 7) is False


def test_free_disk_is_what_guests_leave(driver, detail):
    before = driver.get_resources().free_disk_gb
    driver.spawn(detail, None)
    assert driver.get_resources().free_disk_gb == before - detail.instance.flavor.disk_gb


def test_console_keeps_its_newest_bytes(driver, detail):
    driver.spawn(detail, None)
    driver.guests[detail.instance.uuid].console = b"x" * CONSOLE_BYTES
    driver.reboot_hard(detail.instance)
    console = driver.get_console_output(detail.instance)
    assert len(console) == CONSOLE_BYTES
    assert console.endswith(b"boots with 128 MB\n")


def test_thousands_of_guests_are_quick(driver, slept):
    details = [InstanceDetail(instance=make_instance(id=n)) for n in range(1, 2001)]
    for detail in details:
        driver.spawn(detail, None)
    assert len(driver.list_guests()) == 2000
    for detail in details:
        driver.destroy(detail.instance)
    assert driver.list_files() == set()
