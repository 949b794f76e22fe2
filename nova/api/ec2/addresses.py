"""Elastic addresses, which are floating addresses of the project.

PublicIp is the key; AllocationId and AssociationId are taken as well, both are numbers of the
address.  Source: ec2-api, sections 4, 5 and 7.
"""

from typing import Any

from nova import exception
from nova.api.ec2 import ids, instance_lookup
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters, no_tags
from nova.api.ec2.params import BOOLEAN, TEXT, Param, one_of
from nova.objects.floating_ip import Association, FloatingIp
from nova.objects.instance import Scope

addresses = Family()

DOMAIN = "standard"
_PUBLIC_IP = Param("PublicIp", type=TEXT)
_ALLOCATION = Param("AllocationId", type=TEXT)

Shown = tuple[FloatingIp, str | None]

_FILTERS: Filters[Shown] = Filters(
    {
        "public-ip": lambda shown: [shown[0].address],
        "private-ip-address": lambda shown: [shown[0].fixed_ip] if shown[0].fixed_ip else [],
        "instance-id": lambda shown: [shown[1]] if shown[1] else [],
        "allocation-id": lambda shown: [_allocation(shown[0])],
        "association-id": lambda shown: [_association(shown[0])] if shown[0].fixed_ip else [],
        "domain": lambda shown: [DOMAIN],
    },
    tags=no_tags,
    nothing=("network-border-group", "network-interface-id", "network-interface-owner-id"),
)


@addresses.action(
    "DescribeAddresses",
    Param("PublicIp", type=TEXT, many=True),
    Param("AllocationId", type=TEXT, many=True),
    policy="os-floating-ips:list",
    filtered=True,
)
def describe_addresses(call: Ec2Call) -> Result:
    """List the addresses of the project."""
    found = call.conductor.floating_ips.list_floating_ips(call.context, _own(call))
    chosen = _chosen(call, found)
    uuids = tuple({one.instance_uuid for one in chosen if one.instance_uuid})
    numbers = call.ec2.number_instances(call.context, uuids) if uuids else {}
    instance_ids = {uuid: ids.compose(ids.INSTANCE, number) for uuid, number in numbers.items()}
    shown = [(one, instance_ids.get(one.instance_uuid or "")) for one in chosen]
    return {
        "addressesSet": [_described(one) for one in _FILTERS.select(call.params["Filter"], shown)]
    }


def _chosen(call: Ec2Call, found: tuple[FloatingIp, ...]) -> list[FloatingIp]:
    """Return the addresses that a request names, all without names.

    Raises: FloatingIpNotFound, Ec2IdMalformed, Ec2IdNotFound.
    """
    by_address = {one.address: one for one in found}
    by_number = {one.id: one for one in found}
    chosen: dict[int, FloatingIp] = {}
    for address in call.params["PublicIp"]:
        if address not in by_address:
            raise exception.FloatingIpNotFound(floating_ip=address)
        chosen[by_address[address].id] = by_address[address]
    for text in call.params["AllocationId"]:
        number = ids.number_of(ids.ALLOCATION, text)
        if number not in by_number:
            raise exception.Ec2IdNotFound(kind=ids.ALLOCATION, given=text)
        chosen[number] = by_number[number]
    named = bool(call.params["PublicIp"] or call.params["AllocationId"])
    return list(chosen.values()) if named else list(found)


@addresses.action(
    "AllocateAddress",
    Param("Domain", type=one_of("standard", "vpc")),
    Param("Address", type=TEXT),
    policy="os-floating-ips:create",
    changes=True,
)
def allocate_address(call: Ec2Call) -> Result:
    """Give the project an address of the default pool."""
    made = call.conductor.floating_ips.allocate(
        call.context, call.context.project_id or "", None, call.params["Address"]
    )
    return {"publicIp": made.address, "allocationId": _allocation(made), "domain": DOMAIN}


@addresses.action(
    "ReleaseAddress",
    _PUBLIC_IP,
    _ALLOCATION,
    policy="os-floating-ips:delete",
    changes=True,
)
def release_address(call: Ec2Call) -> Result:
    """Give an address back; what it leads to is cut first."""
    found = _named(call)
    call.conductor.floating_ips.release(call.context, _own(call), found.address)
    return None


@addresses.action(
    "AssociateAddress",
    Param("InstanceId", type=TEXT, required=True),
    Param("PrivateIpAddress", type=TEXT),
    Param("AllowReassociation", type=BOOLEAN, default=True),
    _PUBLIC_IP,
    _ALLOCATION,
    policy="os-floating-ips:add",
    changes=True,
)
def associate_address(call: Ec2Call) -> Result:
    """Let an address lead to an instance."""
    found = _named(call)
    given = call.params["InstanceId"]
    instance = instance_lookup.live(call, given)
    elsewhere = found.instance_uuid not in (None, instance.uuid)
    if elsewhere and not call.params["AllowReassociation"]:
        raise exception.FloatingIpInUse(address=found.address)
    target = Association(instance_uuid=instance.uuid, fixed_address=call.params["PrivateIpAddress"])
    with instance_lookup.named(instance):
        led = call.conductor.floating_ips.associate(call.context, _own(call), found.address, target)
    return {"return": True, "associationId": _association(led)}


@addresses.action(
    "DisassociateAddress",
    _PUBLIC_IP,
    Param("AssociationId", type=TEXT),
    policy="os-floating-ips:remove",
    changes=True,
)
def disassociate_address(call: Ec2Call) -> Result:
    """Let an address lead nowhere."""
    text = call.params["AssociationId"]
    found = _named(call, text, ids.ASSOCIATION)
    call.conductor.floating_ips.disassociate(call.context, _own(call), found.address)
    return None


def _named(call: Ec2Call, text: str | None = None, kind: str = ids.ALLOCATION) -> FloatingIp:
    """Return the address that a request names.

    Raises: FloatingIpNotFound, Ec2IdMalformed, Ec2IdNotFound, Ec2ParameterMissing.
    """
    address = call.params["PublicIp"]
    text = call.params.get("AllocationId") if text is None else text
    if address:
        found = _find(call, address)
        # Addresses are named by themselves here; numbers and uuids are not a client's business.
        if found is None or found.address != address:
            raise exception.FloatingIpNotFound(floating_ip=address)
        return found
    if not text:
        raise exception.Ec2ParameterMissing(name="PublicIp")
    found = _find(call, str(ids.number_of(kind, text)))
    if found is None:
        raise exception.Ec2IdNotFound(kind=kind, given=text)
    return found


def _find(call: Ec2Call, name: str) -> FloatingIp | None:
    try:
        return call.conductor.floating_ips.get(call.context, _own(call), name)
    except exception.FloatingIpNotFound:
        return None


def _own(call: Ec2Call) -> Scope:
    return Scope(project_id=call.context.project_id or "")


def _allocation(floating: FloatingIp) -> str:
    return ids.compose(ids.ALLOCATION, floating.id)


def _association(floating: FloatingIp) -> str:
    return ids.compose(ids.ASSOCIATION, floating.id)


def _described(shown: Shown) -> dict[str, Any]:
    floating, instance_id = shown
    return {
        "publicIp": floating.address,
        "instanceId": instance_id,
        "allocationId": _allocation(floating),
        "associationId": _association(floating) if floating.fixed_ip else None,
        "domain": DOMAIN,
        "privateIpAddress": floating.fixed_ip,
        "tagSet": [],
    }
