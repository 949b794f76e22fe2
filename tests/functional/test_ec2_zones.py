"""Zones, regions and accounts over the EC2 API."""

import pytest

from tests.fixtures.ec2 import make_ec2_site


@pytest.fixture
def site(cloud):
    return make_ec2_site(cloud)


def test_zones_are_told_without_the_internal_one(site):
    (zone,) = site.ec2.call("DescribeAvailabilityZones")["AvailabilityZones"]
    assert (zone["ZoneName"], zone["State"], zone["RegionName"]) == ("nova", "available", "nova")


def test_zones_by_name_and_filter(site):
    named = site.ec2.call("DescribeAvailabilityZones", ZoneName=["nova"])
    assert len(named["AvailabilityZones"]) == 1
    none = {"Name": "zone-name", "Value": ["n?v", "x*"]}
    assert site.ec2.call("DescribeAvailabilityZones", Filter=[none])["AvailabilityZones"] == []
    some = {"Name": "state", "Value": ["avail*"]}
    assert len(site.ec2.call("DescribeAvailabilityZones", Filter=[some])["AvailabilityZones"]) == 1
    assert site.ec2.refused("DescribeAvailabilityZones", ZoneName=["mars"]) == (
        "InvalidParameterValue",
        400,
    )
    unknown = {"Name": "colour", "Value": ["red"]}
    assert site.ec2.refused("DescribeAvailabilityZones", Filter=[unknown]) == (
        "InvalidParameterValue",
        400,
    )


def test_regions(cloud):
    site = make_ec2_site(cloud, endpoint="http://10.0.0.1:8773/")
    (region,) = site.ec2.call("DescribeRegions")["Regions"]
    assert (region["RegionName"], region["Endpoint"]) == ("nova", "http://10.0.0.1:8773/")


def test_account_attributes(site):
    found = site.ec2.call("DescribeAccountAttributes", AttributeName=["max-instances"])
    (attribute,) = found["AccountAttributes"]
    assert attribute["AttributeValues"] == [{"AttributeValue": "1000"}]


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("DescribeVpcs", "Vpcs"),
        ("DescribeSubnets", "Subnets"),
        ("DescribeNetworkInterfaces", "NetworkInterfaces"),
    ],
)
def test_what_is_not_here_is_an_empty_list(site, action, name):
    assert site.ec2.call(action)[name] == []


def test_dry_run(site):
    assert site.ec2.refused("DescribeRegions", DryRun=True) == ("DryRunOperation", 412)


def test_unknown_action(site):
    assert site.ec2.refused("DescribeDragons") == ("InvalidAction", 400)


def test_unknown_parameters_are_ignored(site):
    assert site.ec2.call("DescribeRegions", Colour="red", Deep={"Thing": [1]})["Regions"]


def test_regions_by_name(cloud):
    regions = (("north", "http://10.0.0.1:8773/"), ("south", "http://10.0.0.2:8773/"))
    site = make_ec2_site(cloud, regions=regions)
    (region,) = site.ec2.call("DescribeRegions", RegionName=["south"])["Regions"]
    assert (region["RegionName"], region["Endpoint"]) == regions[1]
    assert site.ec2.refused("DescribeRegions", RegionName=["south", "west"]) == (
        "InvalidParameterValue",
        400,
    )
