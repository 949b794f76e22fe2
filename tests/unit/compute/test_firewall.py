"""The host's rules follow what is stored: together, in time, and before guests start."""

import logging
import threading
import time

import pytest

from nova.compute.firewall import HostFirewallKeeper
from nova.compute.rpcapi import ComputeAPI
from nova.exception import CommandFailed, DatabaseUnavailable
from nova.objects.firewall import HostFirewall
from nova.objects.lifecycle import PowerState
from nova.objects.operation import OperationState
from nova.rpc.local import LocalBus
from nova.virt.fake import FakeDriver
from tests.fixtures.compute import CONTEXT, HOST, LoneCompute
from tests.fixtures.firewalls import StubFirewall, make_guest
from tests.fixtures.time import FrozenClock

STORED = HostFirewall(guests=(make_guest(5),))
CHANGED = HostFirewall(guests=(make_guest(5), make_guest(6)))
REFUSED = CommandFailed(command="iptables-restore", exit_code=1)


@pytest.fixture
def compute(frozen_clock: FrozenClock) -> LoneCompute:
    """Give a host that has just started."""
    return LoneCompute()


def refresh(compute: LoneCompute) -> None:
    compute.bus.client(ComputeAPI).on(HOST).refresh_firewall(CONTEXT)


def keeper(bus: LocalBus, stored: StubFirewall, driver: FakeDriver) -> HostFirewallKeeper:
    bus.serve("conductor", "controller", [stored]).start()
    return HostFirewallKeeper(bus, HOST, driver, bus, 60)


def test_net_06_request_brings_what_is_stored_into_force(compute: LoneCompute) -> None:
    compute.firewall.stored = STORED
    refresh(compute)
    compute.bus.run_until_idle()
    assert compute.driver.firewall == STORED


def test_log_tells_when_a_change_is_in_force_and_not_of_healing(
    compute: LoneCompute, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    compute.manager._firewall.ensure(CONTEXT)
    assert "is in force" not in caplog.text
    refresh(compute)
    compute.bus.run_until_idle()
    assert "A change of rules is in force" in caplog.text


def test_net_07_requests_that_wait_become_one_run(compute: LoneCompute) -> None:
    asked = compute.firewall.asked
    for _ in range(100):
        refresh(compute)
    compute.bus.run_until_idle()
    assert compute.firewall.asked - asked <= 2


def test_net_06_request_during_a_run_is_met_by_another_run(compute: LoneCompute) -> None:
    def change() -> None:
        compute.firewall.stored = CHANGED
        for _ in range(5):
            compute.manager.refresh_firewall(CONTEXT)

    compute.firewall.stored = STORED
    compute.driver.during_next("apply_firewall", change)
    asked = compute.firewall.asked
    refresh(compute)
    compute.bus.run_until_idle()
    assert compute.driver.firewall == CHANGED
    assert compute.firewall.asked - asked == 2


def test_concurrent_callers_share_a_run_that_began_after_each_of_them() -> None:
    stored, driver, bus = StubFirewall(), FakeDriver(), LocalBus(threads=2)
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        assert go_on.wait(10)

    rules = keeper(bus, stored, driver)
    driver.during_next("apply_firewall", hold)
    first = threading.Thread(target=rules.ensure, args=(CONTEXT,))
    first.start()
    assert inside.wait(10)
    stored.stored = CHANGED
    later = [threading.Thread(target=rules.ensure, args=(CONTEXT,)) for _ in range(5)]
    for thread in later:
        thread.start()
    deadline = time.monotonic() + 10
    while len(rules._changed._waiters) < len(later) and time.monotonic() < deadline:
        time.sleep(0.001)
    go_on.set()
    for thread in (first, *later):
        thread.join(10)
    bus.close()
    assert driver.firewall == CHANGED
    assert stored.asked == 2


def test_net_09_failed_run_keeps_what_was_in_force_and_is_repeated(
    compute: LoneCompute, frozen_clock: FrozenClock
) -> None:
    compute.firewall.stored = STORED
    refresh(compute)
    compute.bus.run_until_idle()
    compute.firewall.stored = CHANGED
    compute.driver.fail_next("apply_firewall", REFUSED, count=2)
    refresh(compute)
    compute.bus.run_until_idle()
    assert compute.driver.firewall == STORED
    with pytest.raises(CommandFailed):
        compute.manager.heal_firewall()
    compute.manager.heal_firewall()
    assert compute.driver.firewall == CHANGED


def test_net_06_conductor_that_was_away_is_asked_again(compute: LoneCompute) -> None:
    compute.firewall.stored = STORED
    compute.firewall.errors = [DatabaseUnavailable(reason="away")]
    refresh(compute)
    compute.bus.run_until_idle()
    assert compute.driver.firewall == HostFirewall()
    compute.manager.heal_firewall()
    assert compute.driver.firewall == STORED


def test_rules_are_healed_at_the_interval_and_not_more_often(
    compute: LoneCompute, frozen_clock: FrozenClock
) -> None:
    asked = compute.firewall.asked
    compute.manager.heal_firewall()
    assert compute.firewall.asked == asked
    frozen_clock.advance(60)
    compute.driver.firewall = HostFirewall()
    compute.firewall.stored = STORED
    compute.manager.heal_firewall()
    assert compute.driver.firewall == STORED


def test_run_that_is_cut_off_is_a_failed_one() -> None:
    stored, driver, bus = StubFirewall(), FakeDriver(), LocalBus()
    rules = keeper(bus, stored, driver)
    driver.fail_next("apply_firewall", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        rules.ensure(CONTEXT)
    stored.stored = STORED
    rules.heal()
    assert driver.firewall == STORED


# --- Before guests start


def note_calls(compute: LoneCompute) -> list[list[str]]:
    """Note what the driver has done when rules are applied the next time."""
    noted: list[list[str]] = []
    compute.driver.calls.clear()
    compute.driver.during_next(
        "apply_firewall", lambda: noted.append([name for name, _ in compute.driver.calls])
    )
    return noted


def done(compute: LoneCompute) -> list[str]:
    return [name for name, _ in compute.driver.calls]


def test_net_05_rules_are_in_force_before_anything_is_taken_up(compute: LoneCompute) -> None:
    instance = compute.build().detail.instance
    compute.firewall.stored = STORED
    compute.work("start", instance=instance)
    noted = note_calls(compute)
    compute.start()
    compute.bus.run_until_idle()
    assert noted == [["init_host"]]
    assert "power_on" in done(compute)
    assert compute.driver.firewall == STORED


def test_net_05_guests_are_resumed_only_with_their_rules(frozen_clock: FrozenClock) -> None:
    compute = LoneCompute(resume_guests=True)
    instance = compute.build(power_state=PowerState.RUNNING).detail.instance
    compute.driver.guests[instance.uuid].power_state = PowerState.SHUTDOWN
    compute.ledger.placed = (instance,)
    compute.driver.fail_next("apply_firewall", REFUSED)
    compute.driver.calls.clear()
    compute.start()
    assert "reboot_hard" not in done(compute)
    noted = note_calls(compute)
    compute.manager.pull_operations(CONTEXT)
    assert noted == [[]]
    assert "reboot_hard" in done(compute)


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        ("create", "spawn"),
        ("start", "power_on"),
        ("hard_reboot", "reboot_hard"),
        ("resume", "resume"),
        ("attach_interface", "attach_interface"),
    ],
)
def test_net_04_guest_starts_only_with_its_rules(
    compute: LoneCompute, action: str, operation: str
) -> None:
    built = compute.build().detail.instance if action != "create" else None
    compute.driver.fail_next("apply_firewall", REFUSED)
    compute.driver.calls.clear()
    work = compute.work(action, **({"instance": built} if built else {}))
    compute.send(work)
    assert compute.state(work) is OperationState.FAILED
    assert operation not in done(compute)
    if action == "attach_interface":
        return
    noted = note_calls(compute)
    again = compute.work(action, **({"instance": built} if built else {}))
    compute.send(again)
    assert compute.state(again) is OperationState.DONE
    assert operation not in noted[0]
    assert operation in done(compute)


def test_chains_of_a_deleted_server_go_soon(compute: LoneCompute) -> None:
    compute.firewall.stored = STORED
    work = compute.build()
    assert compute.driver.firewall == STORED
    compute.firewall.stored = HostFirewall()
    compute.send(compute.work("delete", instance=work.detail.instance))
    assert compute.driver.firewall == HostFirewall()
