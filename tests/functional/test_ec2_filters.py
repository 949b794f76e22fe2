"""Filters of the EC2 API: all that EC2 documents, which botocore's own documentation lists."""

import re

import pytest

from nova.api.ec2.app import ACTIONS
from nova.api.ec2.filters import FILTER, MAX_FILTERS
from tests.fixtures.ec2 import make_ec2_site, service_model

FILTERED = sorted(
    name
    for name, action in ACTIONS.items()
    if FILTER in action.params and name in service_model().operation_names
)
# Words in the list of names that are values of one of them.
VALUES = {"informational", "low", "medium", "high", "critical"}


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def _documented(action: str) -> list[str]:
    members = service_model().operation_model(action).input_shape.members
    text = (members.get("Filters") or members["Filter"]).documentation
    names = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", text)
    # tag:<key> is written in several ways.
    return ["tag:x" if name.startswith("tag") and name != "tag-key" else name for name in names]


@pytest.mark.parametrize("action", FILTERED)
def test_each_filter_that_ec2_documents_is_known(site, action):
    names = [name for name in _documented(action) if name not in VALUES]
    assert names
    for first in range(0, len(names), MAX_FILTERS):
        given = [{"Name": name, "Value": ["x"]} for name in names[first : first + MAX_FILTERS]]
        site.ec2.call(action, Filter=given)


def _names(site, action: str, element: str, key: str, name: str, *values: str) -> set[str]:
    found = site.ec2.call(action, Filter=[{"Name": name, "Value": list(values)}])
    return {one[key] for one in found[element]}


def test_filters_of_groups(site):
    group = {"GroupDescription": "x"}
    for name in ("four", "six", "source"):
        site.ec2.call("CreateSecurityGroup", GroupName=name, **group)
    port = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    four = {**port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    six = {**port, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}
    by_group = {**port, "Groups": [{"GroupName": "source"}]}
    site.ec2.call("AuthorizeSecurityGroupIngress", GroupName="four", IpPermissions=[four])
    site.ec2.call("AuthorizeSecurityGroupIngress", GroupName="six", IpPermissions=[six, by_group])
    asked = (site, "DescribeSecurityGroups", "SecurityGroups", "GroupName")
    assert _names(*asked, "ip-permission.cidr", "*") == {"four"}
    assert _names(*asked, "ip-permission.ipv6-cidr", "2001:*") == {"six"}
    assert _names(*asked, "ip-permission.user-id", site.ec2.key.project) >= {"six"}
    assert "four" not in _names(*asked, "ip-permission.user-id", site.ec2.key.project)
    assert _names(*asked, "vpc-id", "*") == set()


def test_filters_of_types_find_what_is_told(site):
    asked = (site, "DescribeInstanceTypes", "InstanceTypes", "InstanceType")
    found = site.ec2.call("DescribeInstanceTypes")["InstanceTypes"]
    sizes = {one["InstanceType"]: one["InstanceStorageInfo"]["TotalSizeInGB"] for one in found}
    size = sizes["small"]
    assert _names(*asked, "instance-storage-info.total-size-in-gb", str(size)) == {
        name for name, other in sizes.items() if other == size
    }
    assert _names(*asked, "hibernation-supported", "false") == set(sizes)
    assert _names(*asked, "ebs-info.nvme-support", "*") == set()


def test_filters_of_images(site):
    (image,) = site.ec2.call("DescribeImages")["Images"]
    asked = (site, "DescribeImages", "Images", "ImageId")
    assert _names(*asked, "creation-date", image["CreationDate"]) == {image["ImageId"]}
    assert _names(*asked, "creation-date", "1999*") == set()
    assert _names(*asked, "kernel-id", "*") == set()
    assert _names(*asked, "tag-key", "*") == set()
