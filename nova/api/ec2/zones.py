"""Availability zones, regions, and what clients ask about an account first."""

from collections.abc import Callable
from typing import Any

from nova.api.ec2.action import Ec2Call, Family, Handler, Result
from nova.api.ec2.filters import Filters
from nova.api.ec2.params import BOOLEAN, TEXT, Param, invalid
from nova.api.ec2.settings import Ec2Settings
from nova.objects.quota import QuotaSet
from nova.objects.service import AvailabilityZone

zones = Family()

ZONES = "os-availability-zone:list"
LIMITS = "limits"
OPTED_IN = "opt-in-not-required"
REGION = "nova"

_ZONE_FILTERS: Filters[dict[str, Any]] = Filters(
    {
        "zone-name": lambda zone: [zone["zoneName"]],
        "zone-type": lambda zone: [zone["zoneType"]],
        "state": lambda zone: [zone["zoneState"]],
        "opt-in-status": lambda zone: [zone["optInStatus"]],
        "region-name": lambda zone: [zone["regionName"]],
    },
    nothing=(
        "group-long-name",
        "group-name",
        "message",
        "parent-zone-id",
        "parent-zone-name",
        "zone-id",
    ),
)
_REGION_FILTERS: Filters[tuple[str, str]] = Filters(
    {
        "region-name": lambda region: [region[0]],
        "endpoint": lambda region: [region[1]],
        "opt-in-status": lambda region: [OPTED_IN],
    }
)


@zones.action(
    "DescribeAvailabilityZones",
    Param("ZoneName", type=TEXT, many=True),
    Param("AllAvailabilityZones", type=BOOLEAN),
    policy=ZONES,
    filtered=True,
)
def describe_availability_zones(call: Ec2Call) -> Result:
    """List the zones in which instances can be."""
    region = region_of(call.settings_ec2)
    found = {
        zone.name: _zone(zone, region)
        for zone in call.conductor.hosts.list_zones(call.context)
        if zone.name != call.settings.internal_zone
    }
    for name in call.params["ZoneName"]:
        if name not in found:
            raise invalid("ZoneName", f"there is no zone {name}")
    names = call.params["ZoneName"] or found
    shown = _ZONE_FILTERS.select(call.params["Filter"], [found[name] for name in names])
    return {"availabilityZoneInfo": shown}


@zones.action(
    "DescribeRegions",
    Param("RegionName", type=TEXT, many=True),
    Param("AllRegions", type=BOOLEAN),
    policy=ZONES,
    filtered=True,
)
def describe_regions(call: Ec2Call) -> Result:
    """List the regions with their addresses."""
    found = dict(_regions(call.settings_ec2))
    names = call.params["RegionName"] or tuple(found)
    for name in names:
        if name not in found:
            raise invalid("RegionName", f"there is no region {name}")
    regions = [(name, found[name]) for name in names]
    shown = _REGION_FILTERS.select(call.params["Filter"], regions)
    return {
        "regionInfo": [
            {"regionName": name, "regionEndpoint": endpoint, "optInStatus": OPTED_IN}
            for name, endpoint in shown
        ]
    }


@zones.action(
    "DescribeAccountAttributes",
    Param("AttributeName", type=TEXT, many=True),
    policy=LIMITS,
)
def describe_account_attributes(call: Ec2Call) -> Result:
    """Tell what kind of account a project is, and its limits."""
    names = call.params["AttributeName"]
    for name in names:
        if name not in _ATTRIBUTES:
            raise invalid("AttributeName", f"there is no attribute {name}")
    quotas = call.conductor.quotas.get(call.context, call.context.project_id or "")
    return {
        "accountAttributeSet": [
            {
                "attributeName": name,
                "attributeValueSet": [{"attributeValue": _ATTRIBUTES[name](quotas)}],
            }
            for name in names or _ATTRIBUTES
        ]
    }


_ATTRIBUTES: dict[str, Callable[[QuotaSet], str]] = {
    "supported-platforms": lambda quotas: "EC2",
    "default-vpc": lambda quotas: "none",
    "max-instances": lambda quotas: str(quotas.limit("instances")),
    "max-elastic-ips": lambda quotas: str(quotas.limit("floating_ips")),
}


def _nothing(element: str) -> Handler:
    """Return the handler of a list of things that this cloud has none of."""
    return lambda call: {element: []}


# Clients look for these before they do anything.
for _name, _element in (
    ("DescribeVpcs", "vpcSet"),
    ("DescribeSubnets", "subnetSet"),
    ("DescribeNetworkInterfaces", "networkInterfaceSet"),
    ("DescribeInternetGateways", "internetGatewaySet"),
    ("DescribeRouteTables", "routeTableSet"),
    ("DescribePlacementGroups", "placementGroupSet"),
):
    zones.action(_name, policy=ZONES)(_nothing(_element))


def _regions(settings: Ec2Settings) -> tuple[tuple[str, str], ...]:
    """Return names and addresses of regions; the first is this one."""
    return settings.regions or ((REGION, settings.endpoint),)


def region_of(settings: Ec2Settings) -> str:
    """Return the name of this region."""
    return _regions(settings)[0][0]


def _state(zone: AvailabilityZone) -> str:
    return "available" if zone.available else "unavailable"


def _zone(zone: AvailabilityZone, region: str) -> dict[str, Any]:
    return {
        "zoneName": zone.name,
        "zoneState": _state(zone),
        "regionName": region,
        "messageSet": [],
        "optInStatus": OPTED_IN,
        "zoneType": "availability-zone",
    }
