"""What a request to the EC2 API costs: as many calls for five instances as for one."""

from typing import Any

import pytest

from tests.fixtures.budgets import cost_of
from tests.fixtures.ec2 import make_ec2_site

FEW, MANY = 1, 5
# What any request that acts takes besides: its signature is remembered, its answer kept.
ONCE = ["begin_request", "finish_request"]


@pytest.fixture
def site(cloud):
    site = make_ec2_site(cloud)
    site.run(MinCount=FEW + MANY, MaxCount=FEW + MANY, InstanceType="tiny")
    cloud.run_until_idle()
    return site


def _ids(site, key: str = "InstanceId") -> list[str]:
    found = site.ec2.call("DescribeInstances")["Reservations"]
    return [one[key] for each in found for one in each["Instances"]]


def _calls(site, action: str, **params: Any) -> list[str]:
    """Return the conductor calls of a request; all that follows from it runs afterwards."""
    site.cloud.bus.calls.clear()
    site.ec2.call(action, **params)
    calls = cost_of(site.cloud).calls
    site.cloud.run_until_idle()
    return calls


TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(MANY)]
ACTIONS = {
    "StopInstances": ("InstanceId", {}, ["page_instances", "begin_actions"]),
    "RebootInstances": ("InstanceId", {}, ["page_instances", "begin_actions"]),
    "TerminateInstances": ("InstanceId", {}, ["page_instances", "begin_actions"]),
    "CreateTags": ("ResourceId", {"Tag": TAGS}, ["page_instances", "set_tags"]),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_on_many_instances_takes_the_calls_of_one(site, action):
    name, more, wanted = ACTIONS[action]
    given = _ids(site)
    for some in (given[:FEW], given[FEW:]):
        calls = _calls(site, action, **{name: some}, **more)
        assert calls == [ONCE[0], *wanted, ONCE[1]]


def test_starting_many_instances_takes_the_calls_of_one(site):
    given = _ids(site)
    site.ec2.call("StopInstances", InstanceId=given)
    site.cloud.run_until_idle()
    for some in (given[:FEW], given[FEW:]):
        calls = _calls(site, "StartInstances", InstanceId=some)
        assert calls == [ONCE[0], "page_instances", "begin_actions", ONCE[1]]
    # Nothing is begun where all of them are where they are to be.
    calls = _calls(site, "StartInstances", InstanceId=given)
    assert calls == [ONCE[0], "page_instances", ONCE[1]]


@pytest.mark.parametrize(
    ("action", "params", "wanted"),
    [
        ("RescueInstance", {}, "begin_action"),
        ("UpdateInstance", {"DisplayName": "another"}, "update"),
        (
            "ModifyInstanceAttribute",
            {"DisableApiTermination": {"Value": True}},
            "set_termination_disabled",
        ),
    ],
)
def test_a_change_of_an_instance_takes_a_call(site, action, params, wanted):
    given = _ids(site)[0]
    calls = _calls(site, action, InstanceId=given, **params)
    assert calls == [ONCE[0], "page_instances", wanted, ONCE[1]]


@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags"])
def test_tags_of_many_instances_take_the_statements_of_one(site, action):
    given, statements = _ids(site), []
    for some in (given[:FEW], given[FEW:]):
        site.cloud.statements.take()
        site.ec2.call(action, ResourceId=some, Tag=TAGS)
        statements.append(len(site.cloud.statements.take()))
    assert statements[0] == statements[1]


@pytest.mark.parametrize("which", [TAGS, []])
def test_taking_many_tags_off_many_instances_takes_the_calls_of_one(site, which):
    given = _ids(site)
    site.ec2.call("CreateTags", ResourceId=given, Tag=TAGS)
    for some in (given[:FEW], given[FEW:]):
        calls = _calls(site, "DeleteTags", ResourceId=some, Tag=which)
        assert calls == [ONCE[0], "page_instances", "delete_tags", ONCE[1]]
    assert site.ec2.call("DescribeTags")["Tags"] == []


def _group(site, name: str) -> str:
    return site.ec2.call("CreateSecurityGroup", GroupName=name, GroupDescription="x")["GroupId"]


def test_changing_many_groups_of_an_instance_takes_the_calls_of_one(site):
    instance, groups = _ids(site)[0], [_group(site, f"g{number}") for number in range(MANY)]
    wanted = [ONCE[0], "page_instances", "names_of_groups", "set_security_groups", ONCE[1]]
    for some in (groups[:1], groups[1:]):
        calls = _calls(site, "ModifyInstanceAttribute", InstanceId=instance, GroupId=some)
        assert calls == wanted
        told = {group["GroupId"] for group in site.show(instance)["SecurityGroups"]}
        assert told == set(some)


def test_rules_with_many_source_groups_take_the_calls_of_one(site):
    group, names = _group(site, "target"), [f"g{number}" for number in range(MANY)]
    for name in names:
        _group(site, name)
    for some in (names[:1], names[1:]):
        sources = [{"GroupName": name} for name in some]
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Groups": sources}
        params = {"GroupId": group, "IpPermissions": [permission]}
        calls = _calls(site, "AuthorizeSecurityGroupIngress", **params)
        assert calls == [ONCE[0], "page", "create_rules", ONCE[1]]
        calls = _calls(site, "RevokeSecurityGroupIngress", **params)
        assert calls == [ONCE[0], "page", "delete_rules", ONCE[1]]


@pytest.mark.parametrize("action", ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"])
def test_many_rules_take_the_statements_of_one(site, action):
    group, statements = _group(site, "target"), []
    for count in (FEW, MANY):
        port = {"IpProtocol": "tcp", "FromPort": count, "ToPort": count}
        ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(count)]
        params = {"GroupId": group, "IpPermissions": [{**port, "IpRanges": ranges}]}
        if action.startswith("Revoke"):
            site.ec2.call("AuthorizeSecurityGroupIngress", **params)
        site.cloud.statements.take()
        site.ec2.call(action, **params)
        statements.append(len(site.cloud.statements.take()))
    assert statements[0] == statements[1]


@pytest.mark.parametrize(
    "action", ["DescribeInstances", "DescribeInstanceStatus", "UnmonitorInstances"]
)
def test_telling_of_many_instances_takes_one_call(site, action):
    given = _ids(site)
    for some in (given[:FEW], given[FEW:]):
        assert _calls(site, action, InstanceId=some) == ["page_instances"]
