"""Types and attributes of instances, and the volumes that are not there, over the EC2 API."""

import base64

import pytest

from nova.api.ec2.paging import token_of
from tests.fixtures.ec2 import make_ec2_site


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def test_types(site):
    found = site.ec2.call("DescribeInstanceTypes")["InstanceTypes"]
    assert [one["InstanceType"] for one in found] == ["huge", "small", "tiny"]
    (tiny,) = site.ec2.call("DescribeInstanceTypes", InstanceType=["tiny"])["InstanceTypes"]
    assert tiny["VCpuInfo"]["DefaultVCpus"] == 1
    assert tiny["MemoryInfo"]["SizeInMiB"] == 128
    by_size = [{"Name": "memory-info.size-in-mib", "Value": ["512"]}]
    (small,) = site.ec2.call("DescribeInstanceTypes", Filter=by_size)["InstanceTypes"]
    assert small["InstanceType"] == "small"
    assert site.ec2.refused("DescribeInstanceTypes", InstanceType=["x"]) == (
        "InvalidInstanceType",
        400,
    )


def test_types_in_pages(site):
    first = site.ec2.call("DescribeInstanceTypes", MaxResults=2)
    assert len(first["InstanceTypes"]) == 2
    rest = site.ec2.call("DescribeInstanceTypes", MaxResults=2, NextToken=first["NextToken"])
    assert [one["InstanceType"] for one in rest["InstanceTypes"]] == ["tiny"]
    assert "NextToken" not in rest


def test_offerings(site):
    found = site.ec2.call("DescribeInstanceTypeOfferings", LocationType="availability-zone")
    assert {(one["InstanceType"], one["Location"]) for one in found["InstanceTypeOfferings"]} == {
        ("huge", "nova"),
        ("small", "nova"),
        ("tiny", "nova"),
    }


@pytest.mark.parametrize(
    ("name", "element", "value"),
    [
        ("instanceType", "InstanceType", {"Value": "small"}),
        ("disableApiTermination", "DisableApiTermination", {"Value": False}),
        (
            "instanceInitiatedShutdownBehavior",
            "InstanceInitiatedShutdownBehavior",
            {"Value": "stop"},
        ),
        ("rootDeviceName", "RootDeviceName", None),
        ("blockDeviceMapping", "BlockDeviceMappings", []),
        ("kernel", "KernelId", {}),
        ("userData", "UserData", {"Value": base64.b64encode(b"#!").decode()}),
    ],
)
def test_attributes(site, name, element, value):
    instance = site.boot(UserData=base64.b64encode(b"#!").decode())
    found = site.ec2.call("DescribeInstanceAttribute", InstanceId=instance, Attribute=name)
    assert found["InstanceId"] == instance
    assert found[element] == value or (value is None and found[element]["Value"])


def test_groups_of_an_instance(site):
    instance = site.boot()
    found = site.ec2.call("DescribeInstanceAttribute", InstanceId=instance, Attribute="groupSet")
    (default,) = found["Groups"]
    made = site.cloud.rest.post(
        "/os-security-groups", {"security_group": {"name": "web", "description": "x"}}
    )
    group = f"sg-{made.json['security_group']['id']:08x}"
    wanted = {"InstanceId": instance, "GroupId": [group]}
    site.ec2.call("ModifyInstanceAttribute", **wanted)
    assert [one["GroupName"] for one in site.show(instance)["SecurityGroups"]] == ["web"]
    site.ec2.call(
        "ModifyInstanceAttribute", InstanceId=instance, GroupId=[group, default["GroupId"]]
    )
    names = [one["GroupName"] for one in site.show(instance)["SecurityGroups"]]
    assert names == ["default", "web"]
    assert site.ec2.refused(
        "ModifyInstanceAttribute", InstanceId=instance, GroupId=["sg-0000ffff"]
    ) == ("InvalidGroup.NotFound", 404)


def test_ec_12_groups_of_others_do_not_exist(site):
    instance = site.boot()
    other = site.cloud.rest.as_user("mallory", "b" * 32)
    made = other.post("/os-security-groups", {"security_group": {"name": "x", "description": "x"}})
    group = f"sg-{made.json['security_group']['id']:08x}"
    assert site.ec2.refused("ModifyInstanceAttribute", InstanceId=instance, GroupId=[group]) == (
        "InvalidGroup.NotFound",
        404,
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"DisableApiTermination": {"Value": False}}, None),
        ({"DisableApiTermination": {"Value": "maybe"}}, "InvalidParameterValue"),
        ({"Attribute": "disableApiTermination", "Value": "maybe"}, "InvalidParameterValue"),
        ({"Attribute": "disableApiTermination"}, "InvalidParameterValue"),
        ({"InstanceType": {"Value": "tiny"}}, "UnsupportedOperation"),
        ({"InstanceType": {"Value": "small"}}, None),
        ({"Attribute": "instanceType", "Value": "tiny"}, "UnsupportedOperation"),
        ({"Attribute": "colour", "Value": "red"}, "InvalidAttribute"),
        ({"SourceDestCheck": {"Value": "maybe"}}, "InvalidParameterValue"),
    ],
)
def test_changes_of_attributes(site, wanted, code):
    instance = site.boot()
    if code is None:
        site.ec2.call("ModifyInstanceAttribute", InstanceId=instance, **wanted)
        return
    found = site.ec2.refused("ModifyInstanceAttribute", InstanceId=instance, **wanted)
    assert found[0] == code


def test_an_attribute_that_there_is_not(site):
    instance = site.boot()
    assert site.ec2.refused(
        "DescribeInstanceAttribute", InstanceId=instance, Attribute="sourceDestCheck"
    ) == ("InvalidAttribute", 400)


def test_there_are_no_volumes(site):
    assert site.ec2.call("DescribeVolumes")["Volumes"] == []
    assert site.ec2.call("DescribeSnapshots")["Snapshots"] == []
    instance = site.boot()
    for action, params, code in (
        ("DescribeVolumes", {"VolumeId": ["vol-00000001"]}, "InvalidVolume.NotFound"),
        ("DescribeVolumes", {"VolumeId": ["vol-x"]}, "InvalidVolumeID.Malformed"),
        ("DeleteVolume", {"VolumeId": "vol-00000001"}, "InvalidVolume.NotFound"),
        ("UpdateVolume", {"VolumeId": "vol-00000001"}, "InvalidVolume.NotFound"),
        (
            "AttachVolume",
            {"VolumeId": "vol-00000001", "InstanceId": instance, "Device": "/dev/vdb"},
            "InvalidVolume.NotFound",
        ),
        ("CreateSnapshot", {"VolumeId": "vol-00000001"}, "InvalidVolume.NotFound"),
        ("DeleteSnapshot", {"SnapshotId": "snap-00000001"}, "InvalidSnapshot.NotFound"),
        ("CreateVolume", {"Size": 1, "AvailabilityZone": "nova"}, "UnsupportedOperation"),
    ):
        assert site.ec2.refused(action, **params)[0] == code


@pytest.mark.parametrize("action", ["DescribeInstanceTypes", "DescribeImages"])
@pytest.mark.parametrize("marker", ["\ud800", "\x00"])
def test_a_token_with_what_no_text_has_is_refused(site, action, marker):
    token = token_of(action, marker)
    assert site.ec2.refused(action, NextToken=token) == ("InvalidParameterValue", 400)
