"""Instances that are rescued, renamed and protected, over the EC2 API."""

import pytest

from tests.fixtures.ec2 import make_ec2_site, refusal


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def _server(site):
    """Return the one server that there is, as REST shows it."""
    (found,) = site.cloud.rest.get("/servers/detail").json["servers"]
    return found


def _guest(site):
    server = site.cloud.instance(_server(site)["id"])
    return site.cloud.driver(server.host).guests[server.uuid]


def _state(site, instance):
    return site.show(instance)["State"]["Name"]


# --- Rescue -----------------------------------------------------------------------------------


def test_an_instance_is_rescued_and_comes_back(site):
    instance = site.boot()
    site.ec2.call("RescueInstance", InstanceId=instance)
    site.cloud.run_until_idle()
    assert _state(site, instance) == "rescue"
    assert _guest(site).rescue_image_id == site.cloud.image_id
    again = site.ec2.refused("RescueInstance", InstanceId=instance, Unique="1")
    assert again == ("IncorrectInstanceState", 400)
    site.ec2.call("UnrescueInstance", InstanceId=instance)
    site.cloud.run_until_idle()
    assert _state(site, instance) == "running"
    assert _guest(site).rescue_image_id is None
    again = site.ec2.refused("UnrescueInstance", InstanceId=instance, Unique="1")
    assert again == ("IncorrectInstanceState", 400)


def test_the_rescue_image_is_the_configured_one(cloud):
    site = make_ec2_site(cloud, api={"rescue_image_id": cloud.image_id})
    instance = site.boot()
    site.ec2.call("RescueInstance", InstanceId=instance)
    cloud.run_until_idle()
    assert _guest(site).rescue_image_id == cloud.image_id


# --- Names ------------------------------------------------------------------------------------


def test_an_instance_is_named_anew(site):
    instance = site.boot()
    site.ec2.call("UpdateInstance", InstanceId=instance, DisplayName="Grüße")
    site.ec2.call("UpdateInstance", InstanceId=instance, DisplayDescription="of the tests")
    server = site.cloud.instance(_server(site)["id"])
    assert (server.display_name, server.display_description) == ("Grüße", "of the tests")
    site.ec2.call("UpdateInstance", InstanceId=instance, DisplayDescription="")
    assert site.cloud.instance(server.uuid).display_description == ""


@pytest.mark.parametrize("text", ["", " a", "a\x07", "x" * 256, "\U0001f600"])
def test_a_name_that_can_not_be_is_refused(site, text):
    instance = site.boot()
    before = _server(site)["name"]
    assert site.ec2.refused("UpdateInstance", InstanceId=instance, DisplayName=text) == (
        "InvalidParameterValue",
        400,
    )
    assert _server(site)["name"] == before


# --- Monitoring -------------------------------------------------------------------------------


def test_there_is_no_monitoring(site):
    instance = site.boot()
    assert site.ec2.refused("MonitorInstances", InstanceId=[instance]) == (
        "UnsupportedOperation",
        400,
    )
    found = site.ec2.call("UnmonitorInstances", InstanceId=[instance])["InstanceMonitorings"]
    assert found == [{"InstanceId": instance, "Monitoring": {"State": "disabled"}}]


# --- Protection -------------------------------------------------------------------------------


def _is_protected(site, instance):
    found = site.ec2.call(
        "DescribeInstanceAttribute", InstanceId=instance, Attribute="disableApiTermination"
    )
    return found["DisableApiTermination"]["Value"]


def test_a_protected_instance_is_not_terminated(site):
    other, instance = site.boot(), site.boot(DisableApiTermination=True)
    assert (_is_protected(site, other), _is_protected(site, instance)) == (False, True)
    request = site.ec2.post("TerminateInstances", InstanceId=[other, instance])
    error = refusal(site.ec2.send(request))
    assert (error.code, error.status) == ("OperationNotPermitted", 400)
    assert instance in error.message and "disableApiTermination" in error.message
    site.cloud.run_until_idle()
    assert site.states() == ["running", "running"]
    lifted = {"DisableApiTermination": {"Value": False}}
    site.ec2.call("ModifyInstanceAttribute", InstanceId=instance, **lifted)
    assert not _is_protected(site, instance)
    site.ec2.call("TerminateInstances", InstanceId=[other, instance], Unique="1")
    site.cloud.run_until_idle()
    assert site.states() == ["terminated", "terminated"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"DisableApiTermination": {"Value": True}},
        {"Attribute": "disableApiTermination", "Value": "true"},
    ],
)
def test_an_instance_is_protected_later(site, wanted):
    instance = site.boot()
    for number in range(2):
        site.ec2.call("ModifyInstanceAttribute", InstanceId=instance, **wanted, Unique=number)
        assert _is_protected(site, instance)
    assert site.ec2.refused("TerminateInstances", InstanceId=[instance])[0] == (
        "OperationNotPermitted"
    )


def test_protection_forbids_nothing_but_the_end(site):
    instance = site.boot(DisableApiTermination=True)
    for action in ("StopInstances", "StartInstances", "RebootInstances"):
        site.ec2.call(action, InstanceId=[instance])
        site.cloud.run_until_idle()
    assert _state(site, instance) == "running"


def test_protection_is_of_all_instances_of_a_reservation(site):
    made = site.run(MinCount=2, MaxCount=2, InstanceType="tiny", DisableApiTermination=True)
    site.cloud.run_until_idle()
    assert all(_is_protected(site, one["InstanceId"]) for one in made["Instances"])


def test_protection_is_no_lock_of_the_compute_api(site):
    site.boot(DisableApiTermination=True)
    server = _server(site)
    assert site.cloud.instance(server["id"]).locked_by is None
    assert site.cloud.rest.delete(f"/servers/{server['id']}").status_int == 204
    site.cloud.run_until_idle()
    assert site.states() == ["terminated"]


# --- All of them ------------------------------------------------------------------------------

ACTIONS = {
    "RescueInstance": {},
    "UnrescueInstance": {},
    "UpdateInstance": {"DisplayName": "another"},
    "ModifyInstanceAttribute": {"DisableApiTermination": {"Value": True}},
    "MonitorInstances": {},
    "UnmonitorInstances": {},
}


def _ids(action, instance):
    return {"InstanceId": [instance] if action.endswith("Instances") else instance}


@pytest.mark.parametrize("action", ACTIONS)
def test_ec_12_instances_of_others_do_not_exist(site, action):
    instance, before = site.boot(), _server(site)["name"]
    for wrong in (instance, "i-0000ffff"):
        given = {**_ids(action, wrong), **ACTIONS[action]}
        assert site.mallory.refused(action, **given) == ("InvalidInstanceID.NotFound", 404)
    assert site.ec2.refused(action, **_ids(action, "i-x"), **ACTIONS[action]) == (
        "InvalidInstanceID.Malformed",
        400,
    )
    assert (_state(site, instance), _server(site)["name"]) == ("running", before)
    assert not _is_protected(site, instance)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_dry_run_changes_nothing(site, action):
    instance, before = site.boot(), _server(site)["name"]
    given = {**_ids(action, instance), **ACTIONS[action]}
    assert site.ec2.refused(action, **given, DryRun=True) == ("DryRunOperation", 412)
    site.cloud.run_until_idle()
    assert (_state(site, instance), _server(site)["name"]) == ("running", before)
    assert not _is_protected(site, instance)


@pytest.mark.parametrize("action", ["RescueInstance", "UnrescueInstance"])
def test_a_locked_instance_is_named_by_its_id(site, action):
    instance = site.boot()
    if action == "UnrescueInstance":
        site.ec2.call("RescueInstance", InstanceId=instance)
        site.cloud.run_until_idle()
    path = f"/servers/{_server(site)['id']}/action"
    site.cloud.rest.as_admin().post(path, {"lock": None})
    error = refusal(site.ec2.send(site.ec2.post(action, InstanceId=instance)))
    assert error.code == "OperationNotPermitted"
    assert instance in error.message
