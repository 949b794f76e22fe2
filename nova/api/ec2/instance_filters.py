"""Filters of DescribeInstances and what stands in other answers about instances.

They look at what is told of an instance, so that a filter finds what an answer shows.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from nova.api.ec2 import ids, xml
from nova.api.ec2.filters import Filters, Values, Wanted
from nova.api.ec2.instance_views import Shown
from nova.exception import Ec2IdMalformed


def _told(*path: str) -> Values[Shown]:
    """Return what reads an element of what is told, by its way there."""

    def read(shown: Shown) -> Iterable[str]:
        value: Any = shown.document
        for name in path:
            value = value.get(name) if value is not None else None
        return [] if value in (None, "") else [_text(value)]

    return read


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return xml.moment(value)
    return str(value)


def _of_groups(name: str) -> Values[Shown]:
    return lambda shown: [str(group[name]) for group in shown.groups]


def _nothing(shown: Shown) -> Iterable[str]:
    return []


# Of what this cloud has none: nothing is ever found by them.
_WITHOUT_MEANING = (
    "block-device-mapping.attach-time",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.status",
    "block-device-mapping.volume-id",
    "host-id",
    "iam-instance-profile.arn",
    "instance-lifecycle",
    "ipv6-address",
    "network-interface.addresses.private-ip-address",
    "network-interface.network-interface-id",
    "network-interface.subnet-id",
    "network-interface.vpc-id",
    "outpost-arn",
    "placement-group-name",
    "platform",
    "product-code",
    "product-code.type",
    "requester-id",
    "spot-instance-request-id",
    "subnet-id",
    "vpc-id",
)

INSTANCES: Filters[Shown] = Filters(
    {
        "architecture": _told("architecture"),
        "availability-zone": _told("placement", "availabilityZone"),
        "client-token": _told("clientToken"),
        "dns-name": _told("dnsName"),
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
        **dict.fromkeys(_WITHOUT_MEANING, _nothing),
    },
    tags=lambda shown: shown.instance.metadata,
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
