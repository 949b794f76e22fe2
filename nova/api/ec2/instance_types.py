"""Types of instances, which are the flavors."""

from collections.abc import Iterator
from typing import Any

from nova import exception
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters
from nova.api.ec2.instance_views import DEFAULT_ARCHITECTURE
from nova.api.ec2.paging import MAX_RESULTS
from nova.api.ec2.params import TEXT, Param, one_of
from nova.api.ec2.zones import region_of
from nova.objects.flavor import Flavor, FlavorQuery

instance_types = Family()

TYPES = Param("InstanceType", type=TEXT, many=True)

_FILTERS: Filters[Flavor] = Filters(
    {
        "instance-type": lambda flavor: [flavor.name],
        "vcpu-info.default-vcpus": lambda flavor: [str(flavor.vcpus)],
        "memory-info.size-in-mib": lambda flavor: [str(flavor.memory_mb)],
        "instance-storage-info.total-size-in-gb": lambda flavor: [str(_storage_gb(flavor))],
        "current-generation": lambda flavor: ["true"],
        **dict.fromkeys(
            (
                "auto-recovery-supported",
                "bare-metal",
                "burstable-performance-supported",
                "dedicated-hosts-supported",
                "free-tier-eligible",
                "hibernation-supported",
            ),
            lambda flavor: ["false"],
        ),
        "hypervisor": lambda flavor: ["kvm"],
        "instance-storage-supported": lambda flavor: ["true"],
        "processor-info.supported-architecture": lambda flavor: [DEFAULT_ARCHITECTURE],
        "supported-root-device-type": lambda flavor: ["instance-store"],
        "supported-usage-class": lambda flavor: ["on-demand"],
        "supported-virtualization-type": lambda flavor: ["hvm"],
    },
    nothing=(
        "ebs-info.",
        "instance-storage-info.",
        "network-info.",
        "nitro-enclaves-support",
        "nitro-tpm-info.",
        "nitro-tpm-support",
        "processor-info.",
        "reboot-migration-support",
        "supported-boot-mode",
        "vcpu-info.",
    ),
)


@instance_types.action("DescribeInstanceTypes", TYPES, policy=None, filtered=True, paged=True)
def describe_instance_types(call: Ec2Call) -> Result:
    """List the types that the project may use, by name."""
    wanted = _FILTERS.read(call.params["Filter"])
    limit, marker = call.page()
    names = call.params["InstanceType"]
    if names:
        found = _named(call, names)
        token = None
    else:
        found = _page(call, limit, marker)
        token = call.next_token(found[-1].flavorid if len(found) == limit else None)
    shown = [_document(flavor) for flavor in found if _FILTERS.accept(wanted, flavor)]
    return {"instanceTypeSet": shown, "nextToken": token}


@instance_types.action(
    "DescribeInstanceTypeOfferings",
    Param(
        "LocationType",
        type=one_of("region", "availability-zone", "availability-zone-id"),
        default="region",
    ),
    policy=None,
    filtered=True,
    paged=True,
)
def describe_instance_type_offerings(call: Ec2Call) -> Result:
    """List where there are which types: all of them everywhere."""
    kind = call.params["LocationType"]
    places = [region_of(call.settings_ec2)]
    if kind != "region":
        zones = call.conductor.hosts.list_zones(call.context)
        places = [zone.name for zone in zones if zone.name != call.settings.internal_zone]
    pairs = [(flavor.name, place) for flavor in _all(call) for place in places]
    wanted = _OFFERING_FILTERS.read(call.params["Filter"])
    return {
        "instanceTypeOfferingSet": [
            {"instanceType": name, "locationType": kind, "location": place}
            for name, place in pairs
            if _OFFERING_FILTERS.accept(wanted, (name, place))
        ]
    }


_OFFERING_FILTERS: Filters[tuple[str, str]] = Filters(
    {"instance-type": lambda pair: [pair[0]], "location": lambda pair: [pair[1]]}
)


def _page(call: Ec2Call, limit: int, marker: str | None) -> tuple[Flavor, ...]:
    """Return flavors that the project may use.  Raises: MarkerNotFound."""
    is_admin = call.context.is_admin
    query = FlavorQuery(
        is_public=True if is_admin else None,
        project_id=None if is_admin else call.context.project_id or "",
        sort_key="name",
        limit=limit,
        marker=marker,
    )
    return call.conductor.flavors.page(call.context, query)


def _all(call: Ec2Call) -> Iterator[Flavor]:
    marker = None
    while page := _page(call, MAX_RESULTS, marker):
        yield from page
        if len(page) < MAX_RESULTS:
            return
        marker = page[-1].flavorid


def _named(call: Ec2Call, names: tuple[str, ...]) -> tuple[Flavor, ...]:
    """Return flavors in the order of some names.  Raises: Ec2TypeNotFound."""
    by_name = {flavor.name: flavor for flavor in _all(call)}
    for name in names:
        if name not in by_name:
            raise exception.Ec2TypeNotFound(name=name)
    return tuple(by_name[name] for name in names)


def _storage_gb(flavor: Flavor) -> int:
    return flavor.root_gb + flavor.ephemeral_gb


def _document(flavor: Flavor) -> dict[str, Any]:
    return {
        "instanceType": flavor.name,
        "currentGeneration": True,
        "freeTierEligible": False,
        "supportedUsageClasses": ["on-demand"],
        "supportedRootDeviceTypes": ["instance-store"],
        "supportedVirtualizationTypes": ["hvm"],
        "bareMetal": False,
        "hypervisor": "kvm",
        "processorInfo": {"supportedArchitectures": [DEFAULT_ARCHITECTURE]},
        "vCpuInfo": {"defaultVCpus": flavor.vcpus},
        "memoryInfo": {"sizeInMiB": flavor.memory_mb},
        "instanceStorageSupported": True,
        "instanceStorageInfo": {"totalSizeInGB": _storage_gb(flavor)},
        "hibernationSupported": False,
        "burstablePerformanceSupported": False,
        "dedicatedHostsSupported": False,
        "autoRecoverySupported": False,
    }
