"""The life of instances over the EC2 API."""

import base64

import pytest

from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.context import get_admin_context
from tests.fixtures.ec2 import make_ec2_site, refusal

TOKEN = "3f6c8d3e-token"


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def _changes(answer, name):
    return [(one["PreviousState"]["Name"], one["CurrentState"]["Name"]) for one in answer[name]]


def test_life_of_an_instance(site):
    made = site.run(
        MinCount=2, MaxCount=2, UserData=base64.b64encode(b"#!/bin/sh").decode(), ClientToken=TOKEN
    )
    assert [one["State"] for one in made["Instances"]] == [{"Code": 0, "Name": "pending"}] * 2
    first, second = (one["InstanceId"] for one in made["Instances"])
    site.cloud.run_until_idle()
    shown = site.show(first)
    assert shown["State"] == {"Code": 16, "Name": "running"}
    assert shown["ImageId"] == site.image_id
    assert shown["InstanceType"] == "small"
    assert shown["Placement"]["AvailabilityZone"] == "nova"
    assert shown["PrivateIpAddress"].startswith("10.0.0.")
    assert shown["ClientToken"] == TOKEN
    assert "PublicIpAddress" not in shown
    (group,) = shown["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert group["GroupId"].startswith("sg-")

    stopped = site.ec2.call("StopInstances", InstanceId=[first])
    assert _changes(stopped, "StoppingInstances") == [("running", "stopping")]
    site.cloud.run_until_idle()
    assert site.show(first)["State"] == {"Code": 80, "Name": "stopped"}
    assert _changes(
        site.ec2.call("StopInstances", InstanceId=[first], Force=True), "StoppingInstances"
    ) == [("stopped", "stopped")]

    started = site.ec2.call("StartInstances", InstanceId=[first, second])
    assert _changes(started, "StartingInstances") == [
        ("stopped", "pending"),
        ("running", "running"),
    ]
    site.cloud.run_until_idle()
    site.ec2.call("RebootInstances", InstanceId=[first])
    site.cloud.run_until_idle()
    assert site.states() == ["running", "running"]

    ended = site.ec2.call("TerminateInstances", InstanceId=[first, second])
    assert _changes(ended, "TerminatingInstances") == [("running", "shutting-down")] * 2
    site.cloud.run_until_idle()
    site.cloud.assert_nothing_left()


def test_an_instance_that_has_ended_is_told_of_for_an_hour(site, frozen_clock):
    instance = site.boot()
    site.ec2.call("TerminateInstances", InstanceId=[instance])
    site.cloud.run_until_idle()
    assert site.show(instance)["State"] == {"Code": 48, "Name": "terminated"}
    assert site.states() == ["terminated"]
    again = site.ec2.call("TerminateInstances", InstanceId=[instance], Unique="1")
    assert _changes(again, "TerminatingInstances") == [("terminated", "terminated")]
    assert site.ec2.refused("GetConsoleOutput", InstanceId=instance)[0] == (
        "InvalidInstanceID.NotFound"
    )
    frozen_clock.advance(3700)
    assert site.states() == []
    assert site.ec2.refused("DescribeInstances", InstanceId=[instance]) == (
        "InvalidInstanceID.NotFound",
        404,
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"ImageId": "ami-0000ffff"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ami-xyz"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t9.gigantic"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroup": ["nothing"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroupId": ["sg-0000ffff"]}, "InvalidGroup.NotFound"),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue"),
        ({"MinCount": 0}, "InvalidParameterValue"),
        ({"MinCount": "two"}, "InvalidParameterValue"),
        ({"UserData": "not base64!"}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "mars"}}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "nova:host1"}}, "AuthFailure"),
        ({"DisableApiTermination": "maybe"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-1"}, "UnsupportedOperation"),
        (
            {"BlockDeviceMapping": [{"DeviceName": "/dev/vdb", "Ebs": {"VolumeSize": 1}}]},
            "UnsupportedOperation",
        ),
        ({"MinCount": 5000, "MaxCount": 5000}, "ResourceLimitExceeded"),
    ],
)
def test_wishes_that_are_refused(site, wanted, code):
    body = {"ImageId": site.image_id, "InstanceType": "small", "MinCount": 1, "MaxCount": 1}
    assert site.ec2.refused("RunInstances", **{**body, **wanted})[0] == code
    assert site.states() == []


def test_run_without_an_image(site):
    assert site.ec2.refused("RunInstances", MinCount=1, MaxCount=1) == ("MissingParameter", 400)


def test_a_client_token_runs_instances_once(site, frozen_clock):
    first = site.run(ClientToken=TOKEN)
    frozen_clock.advance(1)
    second = site.run(ClientToken=TOKEN)
    assert first["ReservationId"] == second["ReservationId"]
    assert first["Instances"][0]["InstanceId"] == second["Instances"][0]["InstanceId"]
    body = {"ImageId": site.image_id, "InstanceType": "tiny", "MinCount": 1, "MaxCount": 1}
    assert site.ec2.refused("RunInstances", ClientToken=TOKEN, **body) == (
        "IdempotentParameterMismatch",
        400,
    )
    site.cloud.run_until_idle()
    assert site.states() == ["running"]


def test_a_client_token_is_looked_at_before_the_quota(new_cloud, frozen_clock):
    site = make_ec2_site(new_cloud(quotas={"instances": 1}))
    first = site.run(ClientToken=TOKEN)
    frozen_clock.advance(1)
    assert site.run(ClientToken=TOKEN)["ReservationId"] == first["ReservationId"]
    frozen_clock.advance(1)
    body = {"ImageId": site.image_id, "InstanceType": "small", "MinCount": 1, "MaxCount": 1}
    assert site.ec2.refused("RunInstances", **body) == ("ResourceLimitExceeded", 413)


def test_client_tokens_of_two_projects_are_two(site):
    first = site.run(ClientToken=TOKEN)
    body = {"ImageId": site.image_id, "InstanceType": "small", "MinCount": 1, "MaxCount": 1}
    other = site.mallory.call("RunInstances", ClientToken=TOKEN, **body)
    assert first["ReservationId"] != other["ReservationId"]


def test_ec_02_a_signed_request_that_is_sent_again_acts_once(site):
    wanted = {"ImageId": site.image_id, "InstanceType": "small", "MinCount": 1, "MaxCount": 1}
    request = site.ec2.post("RunInstances", **wanted)
    answers = [site.ec2.send(request.copy()) for _ in range(3)]
    assert len({answer.body for answer in answers}) == 1
    site.cloud.run_until_idle()
    assert site.states() == ["running"]


def test_ec_02_an_error_is_told_again_too(site):
    request = site.ec2.post("TerminateInstances", InstanceId=["i-0000ffff"])
    answers = [site.ec2.send(request.copy()) for _ in range(2)]
    assert refusal(answers[0]).code == "InvalidInstanceID.NotFound"
    assert answers[0].body == answers[1].body


def test_ec_02_signatures_are_forgotten_after_their_end(site, frozen_clock):
    site.run(ClientToken=TOKEN)
    client = site.cloud.bus.client(ConductorEc2).anyone()
    assert client.purge(get_admin_context()) == 0
    frozen_clock.advance(301)
    assert client.purge(get_admin_context()) == 1


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("DescribeInstances", "InstanceId.1"),
        ("TerminateInstances", "InstanceId.1"),
        ("StopInstances", "InstanceId.1"),
        ("RebootInstances", "InstanceId.1"),
        ("GetConsoleOutput", "InstanceId"),
        ("GetPasswordData", "InstanceId"),
        ("DescribeInstanceStatus", "InstanceId.1"),
        ("CreateTags", "ResourceId.1"),
        ("DeleteTags", "ResourceId.1"),
    ],
)
def test_ec_12_foreign_ids_do_not_exist(site, action, name):
    instance = site.boot()
    more = {"Tag": [{"Key": "a", "Value": "b"}]} if action.endswith("Tags") else {}
    for wrong in (instance, "i-0000ffff"):
        assert site.mallory.refused(action, **{name: wrong}, **more) == (
            "InvalidInstanceID.NotFound",
            404,
        )
    assert site.states() == ["running"]
    assert site.show(instance).get("Tags", []) == []


def test_ec_12_lists_hold_nothing_foreign(site):
    site.boot()
    assert site.mallory.call("DescribeInstances")["Reservations"] == []
    assert site.mallory.call("DescribeTags")["Tags"] == []
    assert site.admin.call("DescribeInstances")["Reservations"] == []


@pytest.mark.parametrize("text", ["i-", "i-xyz", "vol-00000001", "i-1' or 1", "i-" + "f" * 40])
def test_ec_12_malformed_ids(site, text):
    assert site.ec2.refused("DescribeInstances", InstanceId=[text]) == (
        "InvalidInstanceID.Malformed",
        400,
    )


def test_nothing_ends_when_one_of_the_ids_is_wrong(site):
    instance = site.boot()
    assert site.ec2.refused("TerminateInstances", InstanceId=[instance, "i-0000ffff"])[0] == (
        "InvalidInstanceID.NotFound"
    )
    assert site.states() == ["running"]


def test_errors_name_instances_by_their_ec2_ids(site):
    instance = site.boot()
    uuid = site.cloud.rest.get("/servers").json["servers"][0]["id"]
    site.cloud.rest.post(f"/servers/{uuid}/action", {"lock": None})
    site.cloud.rest.as_admin().post(f"/servers/{uuid}/action", {"lock": None})
    answer = site.ec2.send(site.ec2.post("StopInstances", InstanceId=[instance]))
    error = refusal(answer)
    assert error.code == "OperationNotPermitted"
    assert instance in error.message
    assert uuid not in error.message


def test_console_output(site):
    instance = site.boot()
    found = site.ec2.call("GetConsoleOutput", InstanceId=instance)
    assert found["InstanceId"] == instance
    assert base64.b64decode(found["Output"])
    # Old clients number it.
    assert site.ec2.call("GetConsoleOutput", **{"InstanceId.1": instance})["Output"]


def test_a_console_that_is_not_there_yet_is_empty(site):
    (instance,) = site.run()["Instances"]
    assert not site.ec2.call("GetConsoleOutput", InstanceId=instance["InstanceId"]).get("Output")


def test_password_data(site):
    instance = site.boot()
    assert site.ec2.call("GetPasswordData", InstanceId=instance)["PasswordData"] == ""


def test_status(site):
    running, stopped = site.boot(), site.boot(MinCount="1", MaxCount=1, InstanceType="tiny")
    site.ec2.call("StopInstances", InstanceId=[stopped])
    site.cloud.run_until_idle()
    found = site.ec2.call("DescribeInstanceStatus")["InstanceStatuses"]
    assert [(one["InstanceId"], one["InstanceStatus"]["Status"]) for one in found] == [
        (running, "ok")
    ]
    found = site.ec2.call("DescribeInstanceStatus", IncludeAllInstances=True)["InstanceStatuses"]
    assert len(found) == 2


def test_starting_again_what_is_starting_changes_nothing(site):
    stopped, starting = site.boot(), site.boot(InstanceType="tiny")
    site.ec2.call("StopInstances", InstanceId=[stopped, starting])
    site.cloud.run_until_idle()
    site.ec2.call("StartInstances", InstanceId=[starting])
    again = site.ec2.call("StartInstances", InstanceId=[stopped, starting])
    assert _changes(again, "StartingInstances") == [("stopped", "pending"), ("pending", "pending")]
    site.cloud.run_until_idle()
    assert site.states() == ["running", "running"]


def _found(site, *filters):
    wanted = [{"Name": name, "Value": list(values)} for name, *values in filters]
    found = site.ec2.call("DescribeInstances", Filter=wanted)["Reservations"]
    return [one["InstanceId"] for each in found for one in each["Instances"]]


def test_filters(site):
    specification = [
        {"ResourceType": "instance", "Tag": [{"Key": "Name", "Value": "web-1"}]},
    ]
    one = site.boot(TagSpecification=specification)
    two = site.boot(InstanceType="tiny")
    assert _found(site, ("instance-type", "ti*")) == [two]
    assert _found(site, ("instance-type", "tiny", "small")) == [one, two]
    assert _found(site, ("tag:Name", "web-?")) == [one]
    assert _found(site, ("tag-key", "Name")) == [one]
    assert _found(site, ("tag-key", "Name"), ("instance-type", "tiny")) == []
    assert _found(site, ("instance-id", two)) == [two]
    assert _found(site, ("instance-id", "nonsense")) == []
    assert _found(site, ("instance-state-name", "running")) == [one, two]
    assert _found(site, ("instance-state-code", "80")) == []
    reservation = site.ec2.call("DescribeInstances", InstanceId=[one])["Reservations"][0]
    assert _found(site, ("reservation-id", reservation["ReservationId"])) == [one]
    assert _found(site, ("private-ip-address", site.show(two)["PrivateIpAddress"])) == [two]
    assert _found(site, ("group-name", "default")) == [one, two]
    assert _found(site, ("network-interface.subnet-id", "x")) == []
    assert site.ec2.refused("DescribeInstances", Filter=[{"Name": "no", "Value": ["x"]}]) == (
        "InvalidParameterValue",
        400,
    )


def test_pages(site):
    made = site.run(MinCount=5, MaxCount=5, InstanceType="tiny")
    site.cloud.run_until_idle()
    wanted = [one["InstanceId"] for one in made["Instances"]]
    found, token, pages = [], None, 0
    while pages < 10:
        more = {"NextToken": token} if token else {}
        answer = site.ec2.call("DescribeInstances", MaxResults=2, **more)
        found += [one["InstanceId"] for r in answer["Reservations"] for one in r["Instances"]]
        pages += 1
        token = answer.get("NextToken")
        if not token:
            break
    assert sorted(found) == sorted(wanted)
    assert pages == 3


@pytest.mark.parametrize("token", ["x", "bm9uc2Vuc2U=", "WyJEZXNjcmliZUluc3RhbmNlcyIsICJ4LzEiXQ=="])
def test_tokens_of_pages_that_were_not_given_out_are_refused(site, token):
    assert site.ec2.refused("DescribeInstances", NextToken=token) == ("InvalidParameterValue", 400)


def test_tags(site):
    instance = site.boot()
    tags = [{"Key": "Name", "Value": "00123"}, {"Key": "kubernetes.io/x", "Value": ""}]
    site.ec2.call("CreateTags", ResourceId=[instance], Tag=tags)
    assert site.show(instance)["Tags"] == tags
    found = site.ec2.call("DescribeTags")["Tags"]
    assert [(tag["ResourceId"], tag["Key"], tag["Value"]) for tag in found] == [
        (instance, "Name", "00123"),
        (instance, "kubernetes.io/x", ""),
    ]
    by_key = [{"Name": "key", "Value": ["N*"]}]
    assert len(site.ec2.call("DescribeTags", Filter=by_key)["Tags"]) == 1
    page = site.ec2.call("DescribeTags", MaxResults=1)
    assert [tag["Key"] for tag in page["Tags"]] == ["Name"]
    page = site.ec2.call("DescribeTags", MaxResults=1, NextToken=page["NextToken"])
    assert [tag["Key"] for tag in page["Tags"]] == ["kubernetes.io/x"]
    assert "NextToken" not in page
    other = [{"Key": "Name", "Value": "other"}]
    site.ec2.call("DeleteTags", ResourceId=[instance], Tag=other)
    assert len(site.show(instance)["Tags"]) == 2
    site.ec2.call("DeleteTags", ResourceId=[instance], Tag=[{"Key": "Name"}])
    assert [tag["Key"] for tag in site.show(instance)["Tags"]] == ["kubernetes.io/x"]
    assert site.ec2.refused("CreateTags", ResourceId=["ami-00000001"], Tag=tags)[0] == (
        "InvalidParameterValue"
    )
    aws = [{"Key": "aws:x", "Value": "1"}]
    assert site.ec2.refused("CreateTags", ResourceId=[instance], Tag=aws)[0] == (
        "InvalidParameterValue"
    )


@pytest.mark.parametrize("action", ["DescribeInstances", "RunInstances", "TerminateInstances"])
def test_policy_is_that_of_rest(site, action):
    instance = site.boot()
    site.ec2.key.roles = ("observer",)
    params = {
        "DescribeInstances": {},
        "RunInstances": {"ImageId": site.image_id, "MinCount": 1, "MaxCount": 1},
        "TerminateInstances": {"InstanceId": [instance]},
    }
    assert site.ec2.refused(action, **params[action]) == ("AuthFailure", 403)


def test_dry_run_acts_not(site):
    instance = site.boot()
    assert site.ec2.refused("TerminateInstances", InstanceId=[instance], DryRun=True) == (
        "DryRunOperation",
        412,
    )
    assert site.states() == ["running"]


def test_ec_09_names_of_users_are_text(site):
    hostile = "]]><x>&amp;\"'</instancesSet>"
    tags = [{"Key": "k<>&", "Value": hostile}]
    instance = site.boot()
    site.ec2.call("CreateTags", ResourceId=[instance], Tag=tags)
    assert site.show(instance)["Tags"] == tags


def test_describe_costs_a_bounded_number_of_statements(site):
    def cost():
        site.cloud.statements.take()
        site.ec2.call("DescribeInstances")
        return len(site.cloud.statements.take())

    site.run(MinCount=2, MaxCount=2, InstanceType="tiny")
    site.cloud.run_until_idle()
    few = cost()
    site.run(MinCount=12, MaxCount=12, InstanceType="tiny")
    site.cloud.run_until_idle()
    assert cost() == few


def test_vnc_console(site):
    instance = site.boot()
    answer = site.ec2.send(site.ec2.post("GetVncConsole", InstanceId=instance))
    assert answer.status_int == 200, answer.text
    assert "<url>http" in answer.text
    assert site.mallory.refused("GetVncConsole", InstanceId=instance)[0] == (
        "InvalidInstanceID.NotFound"
    )


def _lock(site, instance):
    """Let an administrator lock an instance."""
    found = site.cloud.rest.get("/servers").json["servers"]
    number = int(instance.removeprefix("i-"), 16)
    (uuid,) = (s["id"] for s in found if site.cloud.instance(s["id"]).id == number)
    answer = site.cloud.rest.as_admin().post(f"/servers/{uuid}/action", {"lock": None})
    assert answer.status_int == 202, answer.text


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("TerminateInstances", "InstanceId"),
        ("StopInstances", "InstanceId"),
        ("RebootInstances", "InstanceId"),
        ("CreateTags", "ResourceId"),
        ("DeleteTags", "ResourceId"),
    ],
)
def test_nothing_happens_to_any_when_one_of_the_instances_is_locked(site, action, name):
    tags = [{"Key": "kept", "Value": "1"}]
    first, second = site.boot(), site.boot(InstanceType="tiny")
    site.ec2.call("CreateTags", ResourceId=[first, second], Tag=tags)
    _lock(site, second)
    more = {}
    if action.endswith("Tags"):
        more = {"Tag": tags if action == "DeleteTags" else [{"Key": "new", "Value": "1"}]}
    answer = site.ec2.send(site.ec2.post(action, **{name: [first, second]}, **more))
    error = refusal(answer)
    assert error.code == "OperationNotPermitted"
    assert second in error.message
    site.cloud.run_until_idle()
    assert site.states() == ["running", "running"]
    assert site.show(first)["Tags"] == tags


def test_nothing_stops_when_one_of_the_instances_can_not(site):
    running = site.boot()
    paused = site.boot(InstanceType="tiny")
    uuid = site.cloud.rest.get("/servers?flavor=1").json["servers"][0]["id"]
    site.cloud.rest.post(f"/servers/{uuid}/action", {"pause": None})
    site.cloud.run_until_idle()
    assert site.ec2.refused("StartInstances", InstanceId=[running, paused]) == (
        "IncorrectInstanceState",
        400,
    )
    assert site.ec2.refused("StopInstances", InstanceId=[running, paused]) == (
        "IncorrectInstanceState",
        400,
    )
    site.cloud.run_until_idle()
    assert site.show(running)["State"]["Name"] == "running"


def test_a_limit_of_tags_holds_for_all_instances_of_a_request(new_cloud):
    site = make_ec2_site(new_cloud(quotas={"metadata_items": 2}))
    first, second = site.boot(), site.boot(InstanceType="tiny")
    site.ec2.call("CreateTags", ResourceId=[second], Tag=[{"Key": "a", "Value": "1"}])
    more = [{"Key": "b", "Value": "1"}, {"Key": "c", "Value": "1"}]
    assert site.ec2.refused("CreateTags", ResourceId=[first, second], Tag=more)[0] == (
        "ResourceLimitExceeded"
    )
    assert site.show(first).get("Tags", []) == []


def test_groups_of_an_instance_change_all_or_none(site):
    instance = site.boot()
    group = site.ec2.call("CreateSecurityGroup", GroupName="web", GroupDescription="x")["GroupId"]
    given = {"InstanceId": instance, "GroupId": [group, "sg-0000ffff"]}
    assert site.ec2.refused("ModifyInstanceAttribute", **given) == ("InvalidGroup.NotFound", 404)
    assert [one["GroupName"] for one in site.show(instance)["SecurityGroups"]] == ["default"]


@pytest.mark.parametrize("action", ["GetConsoleOutput", "GetVncConsole"])
def test_a_host_that_is_down_is_told_as_a_service_that_is_missing(site, action):
    instance = site.boot()
    site.cloud.crash_compute("host1")
    error = refusal(site.ec2.send(site.ec2.post(action, InstanceId=instance)))
    assert (error.code, error.status) == ("Unavailable", 503)
    assert "compute" not in error.message and "host1" not in error.message
    assert site.states() == ["running"]


def test_an_instance_of_a_host_that_is_down_can_be_ended(site):
    instance = site.boot()
    site.cloud.crash_compute("host1")
    site.cloud.advance(120)
    ended = site.ec2.call("TerminateInstances", InstanceId=[instance])
    assert _changes(ended, "TerminatingInstances") == [("running", "shutting-down")]
    assert site.states() == ["terminated"]


@pytest.mark.parametrize("action", ["DescribeInstances", "DescribeInstanceStatus"])
def test_a_page_of_which_nothing_passes_the_filters_leads_to_the_next(site, action):
    first = site.boot()
    second = site.boot(InstanceType="tiny")
    site.ec2.call("StopInstances", InstanceId=[first])
    site.cloud.run_until_idle()
    wanted = {"MaxResults": 1, "Filter": [{"Name": "instance-state-name", "Value": ["run*"]}]}
    element = {"DescribeInstances": "Reservations"}.get(action, "InstanceStatuses")
    page = site.ec2.call(action, **wanted)
    assert page[element] == []
    page = site.ec2.call(action, NextToken=page["NextToken"], **wanted)
    assert second in str(page[element])
