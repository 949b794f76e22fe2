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
