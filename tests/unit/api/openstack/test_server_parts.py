"""Actions, metadata, tags, action records of servers, and the extension list."""

import dataclasses
import hashlib

import pytest

from nova.objects.lifecycle import VmState
from nova.objects.operation import ActionEvent, ActionRecord
from tests.fixtures.conductor_stub import EPOCH
from tests.fixtures.rest import PROJECT
from tests.unit.api.openstack.conftest import Api


@pytest.mark.parametrize(
    ("vm_state", "body", "action"),
    [
        (VmState.STOPPED, {"os-start": None}, "start"),
        (VmState.STOPPED, {"os-start": {"any": "thing"}}, "start"),
        (VmState.ACTIVE, {"os-stop": None}, "stop"),
        (VmState.ACTIVE, {"reboot": {"type": "SOFT"}}, "soft_reboot"),
        (VmState.ACTIVE, {"reboot": {"type": "hard"}}, "hard_reboot"),
    ],
)
def test_actions_begin_operations(
    api: Api, vm_state: VmState, body: dict[str, object], action: str
) -> None:
    server = api.instances.add(PROJECT, vm_state=vm_state)
    answer = api.rest.post(f"/servers/{server.uuid}/action", body)
    assert (answer.status_int, answer.body) == (202, b"")
    assert api.instances.begun == [(server.uuid, action)]


def test_an_action_in_the_wrong_state_is_409(api: Api) -> None:
    server = api.instances.add(PROJECT)
    answer = api.rest.post(f"/servers/{server.uuid}/action", {"os-start": None})
    assert answer.status_int == 409
    assert answer.json["conflictingRequest"]["message"] == (
        f"Cannot 'start' instance {server.uuid} while it is in vm_state active."
    )


@pytest.mark.parametrize("body", [{"reboot": None}, {"reboot": {}}, {"reboot": {"type": "WARM"}}])
def test_bad_reboots_are_400(api: Api, body: dict[str, object]) -> None:
    server = api.instances.add(PROJECT)
    assert api.rest.post(f"/servers/{server.uuid}/action", body).status_int == 400


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ({}, "one\ntwo\n"),
        ({"length": None}, "one\ntwo\n"),
        ({"length": -1}, "one\ntwo\n"),
        ({"length": "1"}, "two\n"),
        ({"length": 0}, ""),
    ],
)
def test_console_output(api: Api, arguments: dict[str, object], output: str) -> None:
    server = api.instances.add(PROJECT)
    answer = api.rest.post(f"/servers/{server.uuid}/action", {"os-getConsoleOutput": arguments})
    assert (answer.status_int, answer.json) == (200, {"output": output})
    assert [call.method for call in api.bus.calls] == ["get", "get_console_output"]


@pytest.mark.parametrize("length", [-2, "-2", "x", 1.5, [], True])
def test_bad_console_lengths_are_400(api: Api, length: object) -> None:
    server = api.instances.add(PROJECT)
    body = {"os-getConsoleOutput": {"length": length}}
    assert api.rest.post(f"/servers/{server.uuid}/action", body).status_int == 400


def test_console_output_that_is_not_there(api: Api) -> None:
    body = {"os-getConsoleOutput": {}}
    unplaced = api.instances.add(PROJECT, host=None)
    assert api.rest.post(f"/servers/{unplaced.uuid}/action", body).status_int == 409
    server = api.instances.add(PROJECT)
    api.compute.console = None
    assert api.rest.post(f"/servers/{server.uuid}/action", body).status_int == 404
    away = api.instances.add(PROJECT, host="gone-host")
    answer = api.rest.post(f"/servers/{away.uuid}/action", body)
    assert (answer.status_int, list(answer.json)) == (503, ["serviceUnavailable"])
    assert "gone-host" not in answer.text


def test_metadata(api: Api) -> None:
    server = api.instances.add(PROJECT, metadata={"a": "1"})
    path = f"/servers/{server.uuid}/metadata"
    assert api.rest.get(path).json == {"metadata": {"a": "1"}}
    added = api.rest.post(path, {"metadata": {"b": "2"}})
    assert (added.status_int, added.json) == (200, {"metadata": {"a": "1", "b": "2"}})
    assert api.rest.put(f"{path}/b", {"meta": {"b": "3"}}).json == {"meta": {"b": "3"}}
    assert api.rest.get(f"{path}/b").json == {"meta": {"b": "3"}}
    assert api.rest.get(f"{path}/none").status_int == 404
    assert api.rest.delete(f"{path}/b").status_int == 204
    assert api.rest.delete(f"{path}/b").status_int == 404
    assert api.rest.put(path, {"metadata": {"c": "4"}}).json == {"metadata": {"c": "4"}}


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {"b": "1"}},
        {"meta": {"a": "1", "b": "2"}},
        {"meta": {}},
        {"meta": {"a": 1}},
        {"metadata": {"a": "1"}},
    ],
)
def test_bad_metadata_items_are_400(api: Api, body: dict[str, object]) -> None:
    server = api.instances.add(PROJECT)
    assert api.rest.put(f"/servers/{server.uuid}/metadata/a", body).status_int == 400


def test_tags(api: Api) -> None:
    server = api.instances.add(PROJECT)
    rest, path = api.rest.at("2.26"), f"/servers/{server.uuid}/tags"
    new = rest.put(f"{path}/a")
    assert new.status_int == 201
    assert new.headers["Location"] == f"http://cloud.example:8774/v2.1/servers/{server.uuid}/tags/a"
    assert rest.put(f"{path}/a").status_int == 204
    assert rest.get(path).json == {"tags": ["a"]}
    assert rest.get(f"{path}/a").status_int == 204
    assert rest.get(f"{path}/b").status_int == 404
    assert rest.put(path, {"tags": ["x", "y", "x"]}).json == {"tags": ["x", "y"]}
    assert rest.delete(f"{path}/a").status_int == 404
    assert rest.delete(f"{path}/x").status_int == 204
    assert rest.delete(path).status_int == 204
    assert rest.get(path).json == {"tags": []}


def test_a_write_without_body_is_described_with_415(api: Api) -> None:
    server = api.instances.add(PROJECT)
    path = f"/servers/{server.uuid}/tags/x"
    answer = api.rest.at("2.26").put(path, b"", Content_Type="application/xml")
    assert answer.status_int == 415


def test_bad_tags_are_400(api: Api) -> None:
    server = api.instances.add(PROJECT)
    rest, path = api.rest.at("2.26"), f"/servers/{server.uuid}/tags"
    assert rest.put(f"{path}/a,b").status_int == 400
    assert rest.put(f"{path}/{'a' * 61}").status_int == 400
    assert rest.put(path, {"tags": ["a/b"]}).status_int == 400
    assert rest.put(path, {"tags": [str(number) for number in range(51)]}).status_int == 400


REQUEST_ID = "req-11111111-2222-3333-4444-555555555555"
BASE_FIELDS = {
    "action",
    "instance_uuid",
    "request_id",
    "user_id",
    "project_id",
    "start_time",
    "message",
}


def _with_action(api: Api) -> str:
    server = api.instances.add(PROJECT)
    event = ActionEvent(
        event="compute_stop_instance",
        started_at=EPOCH,
        finished_at=EPOCH,
        result="Success",
        traceback="CANARY traceback",
        host="compute-7",
        details="detail",
    )
    record = ActionRecord(
        instance_uuid=server.uuid,
        action="stop",
        request_id=REQUEST_ID,
        user_id="alice",
        project_id=PROJECT,
        started_at=EPOCH,
        updated_at=EPOCH,
        events=(event,),
    )
    older = dataclasses.replace(record, request_id="req-older", action="create")
    api.instances.actions[server.uuid] = [record, older]
    return f"/servers/{server.uuid}/os-instance-actions"


def test_action_list(api: Api) -> None:
    path = _with_action(api)
    old = api.rest.at("2.57").get(path).json
    assert set(old["instanceActions"][0]) == BASE_FIELDS
    assert old["instanceActions"][0]["start_time"] == "2026-01-02T03:04:05.678901"
    new = api.rest.at("2.58").get(f"{path}?limit=1").json
    assert set(new["instanceActions"][0]) == BASE_FIELDS | {"updated_at"}
    assert new["links"][0]["href"].endswith(f"?limit=1&marker={REQUEST_ID}")
    assert api.rest.at("2.58").get(f"{path}?x=1").status_int == 400
    since, before = "changes-since=2026-01-02T00:00:00", "changes-before=2026-01-01T00:00:00"
    assert api.rest.at("2.65").get(f"{path}?{before}").status_int == 400
    assert api.rest.at("2.66").get(f"{path}?{before}").status_int == 200
    assert api.rest.at("2.66").get(f"{path}?{since}&{before}").status_int == 400


EVENT_FIELDS = {"event", "start_time", "finish_time", "result"}


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.50", None),
        ("2.51", EVENT_FIELDS),
        ("2.62", EVENT_FIELDS | {"hostId"}),
        ("2.84", EVENT_FIELDS | {"hostId"}),
    ],
)
def test_in_13_owners_see_events_without_traceback_and_host(
    api: Api, version: str, fields: set[str] | None
) -> None:
    path = _with_action(api)
    action = api.rest.at(version).get(f"{path}/{REQUEST_ID}").json["instanceAction"]
    assert ("events" in action) is (fields is not None)
    if fields is not None:
        assert set(action["events"][0]) == fields
    assert "CANARY" not in str(action) and "compute-7" not in str(action)


def test_administrators_see_all_of_an_event(api: Api) -> None:
    path = _with_action(api)
    admin = api.rest.as_admin()
    event = admin.get(f"{path}/{REQUEST_ID}").json["instanceAction"]["events"][0]
    assert set(event) == EVENT_FIELDS | {"traceback"}
    event = admin.at("2.84").get(f"{path}/{REQUEST_ID}").json["instanceAction"]["events"][0]
    assert set(event) == EVENT_FIELDS | {"traceback", "host", "hostId", "details"}
    assert len(event["hostId"]) == len(hashlib.sha224().hexdigest())


def test_actions_of_deleted_servers_are_hidden_before_2_21(api: Api) -> None:
    path = _with_action(api)
    api.bus.calls.clear()
    api.rest.at("2.21").get(path)
    api.rest.at("2.20").get(path)
    assert [call.method for call in api.bus.calls] == ["page_actions", "get", "page_actions"]


def test_extensions(api: Api) -> None:
    found = api.rest.get("/extensions").json["extensions"]
    assert len(found) == len({entry["alias"] for entry in found}) == 99
    one = api.rest.get("/extensions/os-keypairs").json["extension"]
    assert set(one) == {"alias", "name", "description", "namespace", "updated", "links"}
    assert (one["namespace"], one["links"], one["updated"]) == ("", [], "2014-12-03T00:00:00Z")
    assert api.rest.get("/extensions/none").status_int == 404
