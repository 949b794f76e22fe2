"""Describing instances: DescribeInstances and what is like it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nova.api.ec2 import instance_filters, instance_lookup
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters
from nova.api.ec2.instance_filters import INSTANCES
from nova.api.ec2.instance_views import Shown, reservations, shown
from nova.api.ec2.params import BOOLEAN, TEXT, Param
from nova.api.ec2.states import RUNNING
from nova.objects.ec2 import DescribedInstances

instances = Family()

DETAIL = "servers:detail"
IDS = Param("InstanceId", type=TEXT, many=True)


def all_shown(call: Ec2Call, found: DescribedInstances) -> list[Shown]:
    """Return instances with what is told of them."""
    shows_ip = call.settings_ec2.private_dns_shows_ip
    return [shown(one, found, private_dns_shows_ip=shows_ip) for one in found.instances]


@instances.action("DescribeInstances", IDS, policy=DETAIL, filtered=True, paged=True)
def describe_instances(call: Ec2Call) -> Result:
    """Tell of instances, by their reservations."""
    found, token = _page(call, INSTANCES, call.params["Filter"])
    return {"reservationSet": reservations(found), "nextToken": token}


@instances.action("DescribeInstancesV6", IDS, policy=DETAIL, filtered=True, paged=True)
def describe_instances_v6(call: Ec2Call) -> Result:
    """Tell of instances as DescribeInstances does, which tells IPv6 addresses too."""
    return describe_instances(call)


@instances.action(
    "DescribeInstanceStatus",
    IDS,
    Param("IncludeAllInstances", type=BOOLEAN, default=False),
    policy=DETAIL,
    filtered=True,
    paged=True,
)
def describe_instance_status(call: Ec2Call) -> Result:
    """Tell whether instances are well: running ones, unless others are asked for."""
    found, token = _page(call, _STATUS_FILTERS, call.params["Filter"])
    everything = call.params["IncludeAllInstances"]
    wanted = [one for one in found if everything or one.document["instanceState"] == RUNNING_STATE]
    return {"instanceStatusSet": [_status(one) for one in wanted], "nextToken": token}


RUNNING_STATE = RUNNING.document

_STATUS_FILTERS: Filters[Shown] = Filters(
    {
        **{
            name: INSTANCES.values[name]
            for name in ("availability-zone", "instance-state-code", "instance-state-name")
        },
        "instance-status.status": lambda one: [_health(one)],
        "instance-status.reachability": lambda one: [_reachability(one)],
        "system-status.status": lambda one: [_health(one)],
        "system-status.reachability": lambda one: [_reachability(one)],
    },
    tags=lambda one: one.instance.metadata,
    nothing=(
        "application-status.status",
        "attached-ebs-status.status",
        "availability-zone-id",
        "event.",
        "operator.",
    ),
)


def _health(one: Shown) -> str:
    return "ok" if one.document["instanceState"] == RUNNING_STATE else "not-applicable"


def _reachability(one: Shown) -> str:
    return "passed" if _health(one) == "ok" else ""


def _status(one: Shown) -> dict[str, Any]:
    health = _health(one)
    details = [{"name": "reachability", "status": "passed"}] if health == "ok" else []
    placement: Any = one.document["placement"]
    return {
        "instanceId": one.document["instanceId"],
        "availabilityZone": placement["availabilityZone"],
        "eventsSet": [],
        "instanceState": one.document["instanceState"],
        "systemStatus": {"status": health, "details": details},
        "instanceStatus": {"status": health, "details": details},
    }


def _page(
    call: Ec2Call, filters: Filters[Shown], given: Sequence[dict[str, Any]]
) -> tuple[list[Shown], str | None]:
    """Return the instances of a page that pass the filters, and the token of the next page.

    Raises: Ec2IdMalformed, Ec2IdNotFound, Ec2ParameterInvalid.
    """
    wanted = filters.read(given)
    limit, marker = call.page()
    if call.params["InstanceId"]:
        found = instance_lookup.described(call, call.params["InstanceId"])
    else:
        numbers = instance_filters.numbers_of(wanted)
        if numbers == ():
            return [], None
        query = dataclasses.replace(
            instance_lookup.own_page(call, marker),
            exact=instance_filters.columns_of(wanted),
            numbers=numbers or (),
            limit=limit,
        )
        found = call.ec2.page_instances(call.context, query)
    last = instance_lookup.marker_of(found.instances[-1]) if found.more else None
    passed = [one for one in all_shown(call, found) if filters.accept(wanted, one)]
    return passed, call.next_token(last)
