"""Filters of DescribeInstances and what stands in other answers about instances.

They look at what is told of an instance, so that a filter finds what an answer shows.
"""

from collections.abc import Iterable

from nova.api.ec2 import ids
from nova.api.ec2.filters import Filters, Values, Wanted, told
from nova.api.ec2.instance_views import Shown
from nova.exception import Ec2IdMalformed


def _told(*path: str) -> Values[Shown]:
    return lambda shown: told(shown.document, *path)


def _of_groups(name: str) -> Values[Shown]:
    return lambda shown: [str(group[name]) for group in shown.groups]


# Of what this cloud has none, or tells nothing.
_NOTHING = (
    "affinity",
    "availability-zone-id",
    "block-device-mapping.",
    "boot-mode",
    "capacity-reservation-id",
    "capacity-reservation-specification.",
    "current-instance-boot-mode",
    "ena-support",
    "enclave-options.enabled",
    "hibernation-options.configured",
    "host-id",
    "iam-instance-profile.",
    "instance-lifecycle",
    "maintenance-options.auto-recovery",
    "metadata-options.",
    "network-interface.",
    "network-performance-options.bandwidth-weighting",
    "operator.",
    "outpost-arn",
    "placement-group-name",
    "placement-partition-number",
    "platform",
    "platform-details",
    "private-dns-name-options.",
    "product-code",
    "product-code.type",
    "requester-id",
    "spot-instance-request-id",
    "subnet-id",
    "tpm-support",
    "usage-operation",
    "usage-operation-update-time",
    "vpc-id",
)

INSTANCES: Filters[Shown] = Filters(
    {
        "architecture": _told("architecture"),
        "availability-zone": _told("placement", "availabilityZone"),
        "client-token": _told("clientToken"),
        "dns-name": _told("dnsName"),
        "ebs-optimized": _told("ebsOptimized"),
        "group-id": _of_groups("groupId"),
        "group-name": _of_groups("groupName"),
        "hypervisor": _told("hypervisor"),
        "image-id": _told("imageId"),
        "instance-id": _told("instanceId"),
        "instance-state-code": _told("instanceState", "code"),
        "instance-state-name": _told("instanceState", "name"),
        "instance-type": _told("instanceType"),
        "instance.group-id": _of_groups("groupId"),
        "instance.group-name": _of_groups("groupName"),
        "ip-address": _told("ipAddress"),
        "ipv6-address": _told("dnsNameV6"),
        "kernel-id": _told("kernelId"),
        "key-name": _told("keyName"),
        "launch-index": _told("amiLaunchIndex"),
        "launch-time": _told("launchTime"),
        "monitoring-state": _told("monitoring", "state"),
        "owner-id": lambda shown: [shown.instance.project_id],
        "private-dns-name": _told("privateDnsName"),
        "private-ip-address": _told("privateIpAddress"),
        "ramdisk-id": _told("ramdiskId"),
        "reason": _told("reason"),
        "reservation-id": lambda shown: [shown.instance.reservation_id or ""],
        "root-device-name": _told("rootDeviceName"),
        "root-device-type": _told("rootDeviceType"),
        "source-dest-check": _told("sourceDestCheck"),
        "state-reason-code": _told("stateReason", "code"),
        "state-reason-message": _told("stateReason", "message"),
        "tenancy": _told("placement", "tenancy"),
        "virtualization-type": _told("virtualizationType"),
    },
    tags=lambda shown: shown.instance.metadata,
    nothing=_NOTHING,
)

# Columns behind filters: where no wildcard is in them, the database looks for the values.
_COLUMNS = {"reservation-id": "reservation_id", "key-name": "key_name"}


def columns_of(wanted: Iterable[Wanted]) -> dict[str, tuple[str, ...]]:
    """Return by column what the database can look for."""
    return {
        _COLUMNS[filter_.name]: filter_.exact
        for filter_ in wanted
        if filter_.name in _COLUMNS and filter_.exact is not None
    }


def numbers_of(wanted: Iterable[Wanted]) -> tuple[int, ...] | None:
    """Return the numbers of the instances that a filter names, None without such a filter."""
    for filter_ in wanted:
        if filter_.name == "instance-id" and filter_.exact is not None:
            return tuple(filter(None, map(_number, filter_.exact)))
    return None


def _number(text: str) -> int:
    try:
        return ids.number_of(ids.INSTANCE, text)
    except Ec2IdMalformed:
        return 0
