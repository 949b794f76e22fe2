"""Pause, suspend, lock, soft deletion, passwords and the like, from REST to the hypervisor."""

import pytest

from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.context import get_admin_context
from nova.exception import DriverError
from nova.objects.lifecycle import PowerState
from tests.fixtures.rest import OTHER_PROJECT

REFUSED = DriverError(operation="do it", reason="no")
KEEP = {"reclaim_instance_interval_s": 600}
MISSING = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def keeping(new_cloud):
    """Return a cloud that keeps deleted servers for ten minutes."""
    return new_cloud(conductor_settings=KEEP)


def post(cloud, server, body, admin=False, version="2.90"):
    rest = cloud.rest.as_admin() if admin else cloud.rest
    return rest.at(version).post(f"/servers/{server.uuid}/action", body)


def accept(cloud, server, body, admin=False, version="2.90"):
    answer = post(cloud, server, body, admin, version)
    assert answer.status_int == 202, answer.text
    assert answer.body == b""
    cloud.run_until_idle()


def guest(cloud, server):
    return cloud.driver(server.instance().host).guests[server.uuid]


def names(server):
    return [record.action for record in server.actions()]


def listed(cloud, query="", admin=False):
    rest = cloud.rest.as_admin() if admin else cloud.rest
    return [found["id"] for found in rest.get(f"/servers{query}").json["servers"]]


# --- States

# (name in the path's body, states before it, body, action's record, status, power state)
VERBS = [
    ("pause", (), {"pause": None}, "PAUSED", PowerState.PAUSED),
    ("unpause", ({"pause": None},), {"unpause": None}, "ACTIVE", PowerState.RUNNING),
    ("suspend", (), {"suspend": None}, "SUSPENDED", PowerState.SHUTDOWN),
    ("resume", ({"suspend": None},), {"resume": None}, "ACTIVE", PowerState.RUNNING),
]


@pytest.mark.parametrize(("verb", "before", "body", "status", "power_state"), VERBS)
def test_verb_changes_status_and_guest_and_is_recorded(
    cloud, verb, before, body, status, power_state
):
    server = cloud.boot()
    for step in before:
        server.act(step)
    server.act(body)
    shown = server.instance()
    assert (server.status, shown.task_state, shown.power_state) == (status, None, power_state)
    assert guest(cloud, server).power_state is power_state
    newest = server.actions()[0]
    assert newest.action == verb
    assert [(event.event, event.result) for event in newest.events] == [
        (f"compute_{verb}_instance", "Success")
    ]


@pytest.mark.parametrize(("verb", "before", "body", "status", "power_state"), VERBS)
def test_verb_in_a_wrong_state_is_refused_with_a_sentence(
    cloud, verb, before, body, status, power_state
):
    server = cloud.boot()
    wrong = (*before, body) if verb != "resume" else ()
    if verb in ("pause", "suspend"):
        wrong = ({"os-stop": None},)
    elif verb == "unpause":
        wrong = ()
    for step in wrong:
        server.act(step)
    vm_state = server.instance().vm_state
    answer = post(cloud, server, body)
    assert answer.status_int == 409
    assert answer.json["conflictingRequest"]["message"] == (
        f"Cannot '{verb}' instance {server.uuid} while it is in vm_state {vm_state}."
    )


@pytest.mark.parametrize(("verb", "before", "body", "status", "power_state"), VERBS)
def test_verb_that_the_hypervisor_refuses_leaves_the_server_as_it_was(
    cloud, verb, before, body, status, power_state
):
    server = cloud.boot()
    for step in before:
        server.act(step)
    was = server.status
    cloud.driver(server.instance().host).fail_next(verb, REFUSED)
    server.act(body)
    newest = server.actions()[0]
    assert (server.status, server.instance().task_state) == (was, None)
    assert (newest.action, newest.message) == (verb, "Error")
    assert newest.events[0].details.startswith("The server could not be ")
    server.act(body)
    assert server.status == status


def test_verb_whose_guest_is_gone_ends_in_error_with_a_reason(cloud):
    server = cloud.boot()
    cloud.driver(server.instance().host).guests.clear()
    server.act({"pause": None})
    assert server.status == "ERROR"
    assert server.show()["fault"]["message"] == "The server could not be paused."


def test_resumed_server_has_its_networks_after_a_restart_of_the_host(cloud):
    server = cloud.boot()
    host = cloud.hosts[server.instance().host]
    server.act({"suspend": None})
    host.network_manager.teardown_instance(None, server.uuid, server.instance().vifs)
    assert cloud.dhcp_lines() == []
    server.act({"resume": None})
    assert len(cloud.dhcp_lines()) == 1


def test_resume_without_network_host_stays_suspended(cloud):
    server = cloud.boot()
    server.act({"suspend": None})
    cloud.crash_network(server.instance().host)
    server.act({"resume": None})
    assert (server.status, server.instance().task_state) == ("SUSPENDED", None)
    assert server.actions()[0].message == "Error"


# --- Locks

LOCKED_VERBS = [
    ((), {"pause": None}),
    (({"pause": None},), {"unpause": None}),
    ((), {"suspend": None}),
    (({"suspend": None},), {"resume": None}),
    ((), {"changePassword": {"adminPass": "x"}}),
    ((), {"trigger_crash_dump": None}),
    ((), {"forceDelete": None}),
]


@pytest.mark.parametrize(("before", "body"), LOCKED_VERBS)
def test_locked_server_refuses_its_owner_and_obeys_administrators(cloud, before, body):
    server = cloud.boot()
    for step in before:
        server.act(step)
    accept(cloud, server, {"lock": None})
    answer = post(cloud, server, body)
    assert answer.status_int == 409
    assert answer.json["conflictingRequest"]["message"] == f"Instance {server.uuid} is locked."
    accept(cloud, server, body, admin=True)


def test_locked_server_is_not_deleted_or_restored_by_its_owner(keeping):
    server = keeping.boot()
    accept(keeping, server, {"lock": None})
    assert keeping.rest.delete(f"/servers/{server.uuid}").status_int == 409
    accept(keeping, server, {"unlock": None})
    server.delete()
    accept(keeping, server, {"lock": {}})
    assert post(keeping, server, {"restore": None}).status_int == 409
    accept(keeping, server, {"restore": None}, admin=True)
    assert server.status == "ACTIVE"


def test_owner_can_not_undo_or_replace_the_lock_of_an_administrator(cloud):
    server = cloud.boot()
    accept(cloud, server, {"lock": {"locked_reason": "audit"}}, admin=True)
    refused = post(cloud, server, {"unlock": None})
    assert refused.status_int == 403
    assert "os-lock-server:unlock:unlock_override" in refused.text
    accept(cloud, server, {"lock": {"locked_reason": "mine"}})
    locked = server.instance()
    assert (locked.locked_by, locked.locked_reason) == ("admin", "audit")
    accept(cloud, server, {"unlock": None}, admin=True)
    unlocked = server.instance()
    assert (unlocked.locked_by, unlocked.locked_reason) == (None, None)
    assert names(server)[:2] == ["unlock", "lock"]


def test_lock_of_the_owner_carries_its_reason_and_is_undone_by_the_owner(cloud):
    server = cloud.boot()
    accept(cloud, server, {"lock": {"locked_reason": "please not"}})
    shown = cloud.rest.at("2.73").get(f"/servers/{server.uuid}").json["server"]
    assert (shown["locked"], shown["locked_reason"]) == (True, "please not")
    assert server.instance().locked_by == "owner"
    accept(cloud, server, {"unlock": None})
    assert names(server)[:2] == ["unlock", "lock"]


@pytest.mark.parametrize(
    ("version", "body", "status"),
    [
        ("2.72", {"lock": "whatever"}, 202),
        ("2.72", {"lock": {"locked_reason": "ignored"}}, 202),
        ("2.73", {"lock": "whatever"}, 400),
        ("2.73", {"lock": {"locked_reason": ""}}, 400),
        ("2.73", {"lock": {"locked_reason": "x" * 256}}, 400),
        ("2.73", {"lock": {"reason": "x"}}, 400),
        ("2.73", {"lock": {}}, 202),
    ],
)
def test_form_of_a_lock_depends_on_the_version(cloud, version, body, status):
    server = cloud.boot()
    assert post(cloud, server, body, version=version).status_int == status
    assert server.instance().locked_reason is None


# --- State resets, networks


@pytest.mark.parametrize(("state", "status"), [("error", "ERROR"), ("active", "ACTIVE")])
def test_reset_gives_up_what_was_running(cloud, state, status):
    server = cloud.boot()
    cloud.bus.delay_next("run_operation")
    assert post(cloud, server, {"os-stop": None}).status_int == 202
    cloud.run_until_idle()
    assert server.instance().task_state is not None
    accept(cloud, server, {"os-resetState": {"state": state}}, admin=True)
    assert (server.status, server.instance().task_state) == (status, None)
    cloud.bus.release_delayed()
    cloud.advance(20)
    assert (server.status, guest(cloud, server).power_state) == (status, PowerState.RUNNING)
    assert names(server) == ["resetState", "stop", "create"]
    assert server.actions()[1].message == "Superseded by resetState"


@pytest.mark.parametrize("body", [{"state": "paused"}, {}, None, {"state": "active", "x": 1}])
def test_reset_to_another_state_is_refused(cloud, body):
    server = cloud.boot()
    assert post(cloud, server, {"os-resetState": body}, admin=True).status_int == 400


@pytest.mark.parametrize(
    "body",
    [{"os-resetState": {"state": "active"}}, {"injectNetworkInfo": None}, {"resetNetwork": None}],
)
def test_az_01_actions_of_administrators_are_refused_to_members(cloud, body):
    server = cloud.boot()
    answer = post(cloud, server, body)
    assert answer.status_int == 403
    assert "os-admin-actions" in answer.text


def test_network_info_is_renewed_without_interrupting_anything(cloud):
    server = cloud.boot()
    host = server.instance().host
    cloud.bus.delay_next("run_operation")
    assert post(cloud, server, {"pause": None}).status_int == 202
    accept(cloud, server, {"injectNetworkInfo": None}, admin=True)
    assert ("refresh_network", server.uuid) in cloud.driver(host).calls
    cloud.bus.release_delayed()
    cloud.run_until_idle()
    assert server.status == "PAUSED"
    assert names(server) == ["inject_network_info", "pause", "create"]


def test_reset_network_has_no_effect(cloud):
    server = cloud.boot()
    cloud.bus.calls.clear()
    accept(cloud, server, {"resetNetwork": None}, admin=True)
    assert names(server) == ["create"]
    gone = cloud.rest.as_admin().post(f"/servers/{MISSING}/action", {"resetNetwork": None})
    assert gone.status_int == 404


# --- Passwords, crash dumps


def test_password_reaches_the_guest_and_no_table(cloud):
    server = cloud.boot()
    statuses = []
    cloud.driver(server.instance().host).during_next(
        "set_admin_password", lambda: statuses.append(server.status)
    )
    server.act({"changePassword": {"adminPass": "geheim-4711"}})
    assert statuses == ["PASSWORD"]
    assert (server.status, guest(cloud, server).password) == ("ACTIVE", "geheim-4711")
    assert names(server)[0] == "changePassword"
    with cloud.database.reading() as tx:
        for table in tx.dialect.get_table_names(tx):
            rows = tx.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            assert "geheim-4711" not in str(rows)


def test_password_without_guest_agent_is_told_in_the_action(cloud):
    server = cloud.boot()
    guest(cloud, server).has_agent = False
    server.act({"changePassword": {"adminPass": "x"}})
    newest = server.actions()[0]
    assert (server.status, server.instance().task_state) == ("ACTIVE", None)
    assert (newest.action, newest.message) == ("changePassword", "Error")
    assert newest.events[0].details == (
        "The guest agent of the server does not answer, or refused the password."
    )


@pytest.mark.parametrize("body", [None, {}, {"adminPass": 1}, {"adminPass": "x", "y": "z"}])
def test_form_of_a_password_is_checked(cloud, body):
    server = cloud.boot()
    assert post(cloud, server, {"changePassword": body}).status_int == 400


def test_crash_dump_is_triggered_once(cloud):
    server = cloud.boot()
    accept(cloud, server, {"trigger_crash_dump": None}, version="2.17")
    assert (guest(cloud, server).nmis, server.status) == (1, "ACTIVE")
    assert names(server)[0] == "trigger_crash_dump"
    assert post(cloud, server, {"trigger_crash_dump": None}, version="2.16").status_int == 404
    assert post(cloud, server, {"trigger_crash_dump": {}}, version="2.17").status_int == 400
    server.act({"os-stop": None})
    assert post(cloud, server, {"trigger_crash_dump": None}).status_int == 409


# --- Deletion that can be taken back


def test_deleted_server_is_kept_switched_off_and_can_be_restored(keeping):
    cloud = keeping
    server = cloud.boot()
    server.delete()
    assert server.status == "SOFT_DELETED"
    assert guest(cloud, server).power_state is PowerState.SHUTDOWN
    assert cloud.usage() == {"instances": 0, "cores": 0, "ram": 0}
    assert listed(cloud) == []
    assert listed(cloud, "?status=SOFT_DELETED") == [server.uuid]
    server.act({"restore": None})
    assert (server.status, guest(cloud, server).power_state) == ("ACTIVE", PowerState.RUNNING)
    assert (server.instance().soft_deleted_at, cloud.usage()["instances"]) == (None, 1)
    assert listed(cloud) == [server.uuid]
    assert names(server) == ["restore", "delete", "create"]
    cloud.advance(1000)
    assert server.status == "ACTIVE"
    server.delete()
    assert post(cloud, server, {"forceDelete": None}).status_int == 202
    cloud.run_until_idle()
    cloud.assert_nothing_left()


def test_deletion_is_at_once_without_the_option(cloud):
    server = cloud.boot()
    server.delete()
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()


def test_kept_server_is_reclaimed_in_its_time(keeping):
    cloud = keeping
    server = cloud.boot()
    server.delete()
    cloud.advance(500)
    assert server.status == "SOFT_DELETED"
    cloud.advance(200)
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.assert_nothing_left()


def test_deleting_a_kept_server_again_changes_nothing(keeping):
    cloud = keeping
    server = cloud.boot()
    server.delete()
    deleted_at = server.instance().soft_deleted_at
    cloud.advance(100)
    server.delete()
    assert (server.status, server.instance().soft_deleted_at) == ("SOFT_DELETED", deleted_at)
    assert cloud.usage()["instances"] == 0


def test_restore_beyond_the_quota_is_refused(new_cloud):
    cloud = new_cloud(conductor_settings=KEEP, quotas={"instances": 1})
    server = cloud.boot()
    server.delete()
    other = cloud.boot()
    answer = post(cloud, server, {"restore": None})
    assert answer.status_int == 403
    assert "1 of 1 instances" in answer.json["forbidden"]["message"]
    assert (server.status, cloud.usage()["instances"]) == ("SOFT_DELETED", 1)
    assert post(cloud, other, {"forceDelete": None}).status_int == 202
    cloud.run_until_idle()
    server.act({"restore": None})
    assert server.status == "ACTIVE"


def test_failed_restore_gives_the_quota_back_and_starts_the_time_anew(keeping):
    cloud = keeping
    server = cloud.boot()
    server.delete()
    cloud.advance(300)
    cloud.driver(server.instance().host).fail_next("power_on", REFUSED)
    server.act({"restore": None})
    assert (server.status, cloud.usage()["instances"]) == ("SOFT_DELETED", 0)
    assert server.actions()[0].message == "Error"
    cloud.advance(400)
    assert server.status == "SOFT_DELETED"


def test_server_that_never_ran_or_whose_host_is_down_is_deleted_at_once(keeping):
    cloud = keeping
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", REFUSED, count=3)
    failed = cloud.boot()
    assert failed.status == "ERROR"
    failed.delete()
    assert cloud.rest.get(f"/servers/{failed.uuid}").status_int == 404
    for host in cloud.hosts.values():
        host.driver.forget_failures()
    server = cloud.boot()
    host = server.instance().host
    cloud.crash_compute(host)
    cloud.advance(120)
    server.delete()
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 404
    cloud.restart_compute(host)
    cloud.hosts[host].network_manager.heal()
    cloud.assert_nothing_left()


def test_kept_server_that_is_reset_counts_again(keeping):
    cloud = keeping
    server = cloud.boot()
    server.delete()
    accept(cloud, server, {"os-resetState": {"state": "active"}}, admin=True)
    assert cloud.usage()["instances"] == 1
    assert post(cloud, server, {"forceDelete": None}).status_int == 202
    cloud.run_until_idle()
    cloud.assert_nothing_left()


@pytest.mark.parametrize("state", [{"pause": None}, {"suspend": None}, {"os-stop": None}])
def test_server_in_any_state_is_kept_and_restored_running(keeping, state):
    server = keeping.boot()
    server.act(state)
    server.delete()
    assert server.status == "SOFT_DELETED"
    server.act({"restore": None})
    assert guest(keeping, server).power_state is PowerState.RUNNING
    assert server.status == "ACTIVE"


def test_restore_of_a_server_that_is_not_deleted_is_refused(cloud):
    server = cloud.boot()
    answer = post(cloud, server, {"restore": None})
    assert answer.status_int == 409
    assert "Cannot 'restore'" in answer.text


# --- Live reads and the posted password


def test_diagnostics_have_old_names_and_a_fixed_form(cloud):
    server = cloud.boot()
    admin, path = cloud.rest.as_admin(), f"/servers/{server.uuid}/diagnostics"
    old = admin.at("2.47").get(path).json
    assert old == {"cpu0_time": 1, "memory": 512 * 1024}
    cloud.bus.calls.clear()
    new = admin.at("2.48").get(path)
    assert [call.topic for call in cloud.bus.calls] == ["conductor", "compute"]
    shown = new.json
    assert (shown["state"], shown["driver"], shown["hypervisor"]) == ("running", "libvirt", "fake")
    assert (shown["num_cpus"], shown["num_nics"], shown["num_disks"]) == (1, 1, 1)
    assert shown["cpu_details"] == [{"id": 0, "time": 1, "utilisation": 0}]
    assert shown["memory_details"] == {"maximum": 512, "used": 512}
    assert shown["nic_details"][0]["mac_address"] == server.instance().vifs[0].address
    assert set(shown["nic_details"][0]) == {
        "mac_address",
        *(f"rx_{name}" for name in ("drop", "errors", "octets", "packets", "rate")),
        *(f"tx_{name}" for name in ("drop", "errors", "octets", "packets", "rate")),
    }
    assert set(shown["disk_details"][0]) == {
        "errors_count",
        "read_bytes",
        "read_requests",
        "write_bytes",
        "write_requests",
    }
    assert (shown["uptime"], shown["config_drive"]) == (1, False)


def test_diagnostics_need_a_running_guest_on_a_host(cloud):
    server = cloud.boot()
    admin = cloud.rest.as_admin()
    assert cloud.rest.get(f"/servers/{server.uuid}/diagnostics").status_int == 403
    server.act({"os-stop": None})
    answer = admin.get(f"/servers/{server.uuid}/diagnostics")
    assert answer.status_int == 409
    assert "power_state shutdown" in answer.json["conflictingRequest"]["message"]
    for host in cloud.hosts.values():
        host.driver.fail_next("spawn", REFUSED, count=3)
    failed = cloud.boot()
    assert admin.get(f"/servers/{failed.uuid}/diagnostics").status_int == 409
    assert admin.get(f"/servers/{MISSING}/diagnostics").status_int == 404


def test_posted_password_is_shown_cleared_and_may_be_posted_anew(cloud):
    server = cloud.boot()
    path = f"/servers/{server.uuid}/os-server-password"
    assert cloud.rest.get(path).json == {"password": ""}
    metadata = cloud.bus.client(ConductorMetadata).anyone()
    assert metadata.set_password(get_admin_context(), server.uuid, "c2VjcmV0")
    assert cloud.rest.get(path).json == {"password": "c2VjcmV0"}
    other = cloud.rest.as_user("bob", OTHER_PROJECT)
    assert other.get(path).status_int == 404
    assert other.delete(path).status_int == 404
    assert not metadata.set_password(get_admin_context(), server.uuid, "again")
    cleared = cloud.rest.delete(path)
    assert (cleared.status_int, cleared.body) == (204, b"")
    assert cloud.rest.get(path).json == {"password": ""}
    assert metadata.set_password(get_admin_context(), server.uuid, "again")


# --- Budget


@pytest.mark.parametrize(
    "body",
    [
        {"pause": None},
        {"suspend": None},
        {"lock": None},
        {"unlock": None},
        {"changePassword": {"adminPass": "x"}},
        {"trigger_crash_dump": None},
        {"forceDelete": None},
        {"os-resetState": {"state": "error"}},
        {"injectNetworkInfo": None},
        {"resetNetwork": None},
    ],
)
def test_budget_an_action_is_one_call(cloud, body):
    server = cloud.boot()
    cloud.bus.calls.clear()
    assert post(cloud, server, body, admin=True).status_int == 202
    assert len([call for call in cloud.bus.calls if call.topic == "conductor"]) == 1


# --- Power states


def test_paused_server_whose_guest_went_off_is_stopped(cloud):
    server = cloud.boot()
    server.act({"pause": None})
    cloud.driver(server.instance().host).emit(server.uuid, PowerState.SHUTDOWN)
    cloud.advance(20)
    assert (server.status, server.instance().power_state) == ("SHUTOFF", PowerState.SHUTDOWN)


@pytest.mark.parametrize(
    ("body", "status"), [({"pause": None}, "PAUSED"), ({"suspend": None}, "SUSPENDED")]
)
def test_frozen_server_stays_as_it_is(cloud, body, status):
    server = cloud.boot()
    server.act(body)
    cloud.advance(1300)
    assert (server.status, names(server)[0]) == (status, next(iter(body)))
