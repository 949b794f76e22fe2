import json

import pytest

from nova.conductor.notify.settings import NotificationSettings
from nova.exception import DriverError


@pytest.fixture
def telling(new_cloud):
    """Return a function that makes a cloud whose events are kept."""

    def make(**settings):
        cloud = new_cloud(conductor_settings={"notifications": NotificationSettings(**settings)})
        cloud.bus.notifies = True
        return cloud

    return make


def types(cloud, topic="notifications"):
    found = [event for event in cloud.bus.notifications if event.topic == topic]
    cloud.bus.notifications.clear()
    return [(event.event_type, event.priority) for event in found]


def test_nothing_is_made_when_nobody_listens(cloud):
    cloud.boot()
    assert list(cloud.bus.notifications) == []


def test_build_and_deletion_are_told_with_start_and_end(telling):
    cloud = telling()
    server = cloud.boot()
    assert types(cloud) == [
        ("compute.instance.create.start", "info"),
        ("compute.instance.create.end", "info"),
    ]
    server.delete()
    assert types(cloud) == [
        ("compute.instance.delete.start", "info"),
        ("compute.instance.delete.end", "info"),
    ]


def test_payload_of_the_old_form_has_the_keys_that_billing_reads(telling):
    cloud = telling()
    server = cloud.boot()
    event = cloud.bus.notifications[-1]
    instance = server.instance()
    assert event.publisher_id == f"compute.{instance.host}"
    assert event.payload["instance_id"] == server.uuid
    assert event.payload["tenant_id"] == instance.project_id
    assert event.payload["state"] == "active"
    assert event.payload["message"] == "Success"
    assert [entry["address"] for entry in event.payload["fixed_ips"]] == [
        vif.fixed_ip for vif in instance.vifs
    ]
    assert event.context["request_id"].startswith("req-")


def test_failure_is_told_as_error_in_the_users_words(telling):
    cloud = telling()
    server = cloud.boot()
    cloud.bus.notifications.clear()
    cloud.driver(server.instance().host).fail_next(
        "power_off", DriverError(operation="power_off", reason="/secret/path")
    )
    server.act({"os-stop": None})
    start, error = cloud.bus.notifications
    assert start.event_type == "compute.instance.power_off.start"
    assert (error.event_type, error.priority) == ("compute.instance.power_off.error", "error")
    assert error.payload["message"] == "The server could not be stopped."
    assert "secret" not in json.dumps(error.payload)


def test_versioned_form_wraps_every_payload(telling):
    cloud = telling(forms=frozenset({"versioned"}))
    server = cloud.boot()
    start, end = cloud.bus.notifications
    assert {start.topic, end.topic} == {"versioned_notifications"}
    assert (start.event_type, end.event_type) == ("instance.create.start", "instance.create.end")
    assert end.payload["nova_object.name"] == "InstanceCreatePayload"
    assert end.payload["nova_object.namespace"] == "nova"
    data = end.payload["nova_object.data"]
    assert (data["uuid"], data["state"], data["power_state"]) == (server.uuid, "active", "running")
    assert data["flavor"]["nova_object.name"] == "FlavorPayload"
    assert data["ip_addresses"][0]["nova_object.name"] == "IpPayload"


def test_both_forms_go_out_when_asked_for(telling):
    cloud = telling(forms=frozenset({"versioned", "unversioned"}))
    cloud.boot()
    assert {event.topic for event in cloud.bus.notifications} == {
        "notifications",
        "versioned_notifications",
    }


@pytest.mark.parametrize(
    ("wanted", "updates"), [(None, 0), ("vm_state", 1), ("vm_and_task_state", 2)]
)
def test_state_changes_are_told_as_asked_for(telling, wanted, updates):
    cloud = telling(state_changes=wanted)
    server = cloud.boot()
    cloud.bus.notifications.clear()
    server.act({"os-stop": None})
    found = [e for e in cloud.bus.notifications if e.event_type == "compute.instance.update"]
    assert len(found) == updates
    if found:
        last = found[-1].payload
        assert (last["old_state"], last["state"]) == ("active", "stopped")
        assert (last["old_task_state"], last["new_task_state"]) == ("powering-off", None)


def test_bus_07_no_secret_is_part_of_an_event(telling):
    cloud = telling(
        forms=frozenset({"versioned", "unversioned"}), state_changes="vm_and_task_state"
    )
    secret = "Q2FuYXJ5MTIz"
    (server,) = cloud.request_boot(user_data=secret, adminPass="canary-pass")
    cloud.run_until_idle()
    server.act({"reboot": {"type": "HARD"}})
    server.delete()
    text = json.dumps([[event.payload, event.context] for event in cloud.bus.notifications])
    assert cloud.bus.notifications
    assert secret not in text
    assert "canary-pass" not in text


def kinds(cloud):
    found = {(event.topic, event.event_type) for event in cloud.bus.notifications}
    cloud.bus.notifications.clear()
    return found


def both(old, new):
    return {
        (topic, f"{name}.{phase}")
        for topic, name in (("notifications", old), ("versioned_notifications", new))
        for phase in ("start", "end")
    }


def test_records_of_administrators_and_users_are_told(telling):
    cloud = telling(forms=frozenset({"versioned", "unversioned"}))
    admin = cloud.rest.as_user("admin").at("2.90")
    body = {"keypair": {"name": "mine"}}
    assert cloud.rest.at("2.2").post("/os-keypairs", body).status_int == 201
    assert kinds(cloud) == both("keypair.create", "keypair.create")
    assert cloud.rest.at("2.2").delete("/os-keypairs/mine").status_int == 204
    assert kinds(cloud) == both("keypair.delete", "keypair.delete")
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    made = cloud.rest.at("2.64").post("/os-server-groups", group).json["server_group"]["id"]
    assert kinds(cloud) == both("servergroup.create", "server_group.create")
    cloud.rest.at("2.64").delete(f"/os-server-groups/{made}")
    assert kinds(cloud) == both("servergroup.delete", "server_group.delete")
    number = admin.post("/os-aggregates", {"aggregate": {"name": "a"}}).json["aggregate"]["id"]
    assert kinds(cloud) == both("aggregate.create", "aggregate.create")
    admin.post(f"/os-aggregates/{number}/action", {"add_host": {"host": "host1"}})
    assert kinds(cloud) == both("aggregate.addhost", "aggregate.add_host")
    flavor = {"name": "f", "ram": 64, "vcpus": 1, "disk": 1, "id": "f"}
    assert admin.post("/flavors", {"flavor": flavor}).status_int == 200
    assert kinds(cloud) == {("versioned_notifications", "flavor.create")}


def test_what_is_refused_is_not_told(telling):
    cloud = telling()
    assert cloud.rest.delete("/os-keypairs/none").status_int == 404
    assert list(cloud.bus.notifications) == []


def test_locks_are_told_in_the_versioned_form(telling):
    cloud = telling(forms=frozenset({"versioned", "unversioned"}))
    server = cloud.boot()
    cloud.bus.notifications.clear()
    server.act({"lock": None})
    (event,) = cloud.bus.notifications
    assert (event.topic, event.event_type) == ("versioned_notifications", "instance.lock")
    assert event.payload["nova_object.data"]["locked"] is True
