"""Further addresses that an interface of a server gets and loses.

An address that is given back belongs to nobody else before the host no longer lets it
through.  Source: compute-api-routes (addFixedIp, removeFixedIp).
"""

import dataclasses

from nova.conductor import address_quota
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.db import firewall, fixed_ips, floating_ips, interface_addresses
from nova.db.engine import Transaction
from nova.exception import (
    FixedIpNotFoundForInstance,
    Invalid,
    NetworkNotFound,
    NoInterfaceInNetwork,
    NoMoreFixedIps,
)
from nova.objects.action_request import ActionRequest, FixedIpRequest
from nova.objects.instance import Instance
from nova.objects.network import Vif


class AddFixedIpRules(ActionRules):
    """Grants one more address to the server's interface in a network."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Take an address.

        Raises: NetworkNotFound, NoInterfaceInNetwork, NoMoreFixedIps, QuotaExceeded.
        """
        instance, wanted = beginning.instance, _wanted(beginning.request)
        vif = _interface_in(tx, instance, wanted.network_uuid or "")
        address_quota.claim(tx, instance.project_id, beginning.settings.quotas)
        values = {
            "instance_uuid": instance.uuid,
            "virtual_interface_id": interface_addresses.row_id_of(tx, vif.id),
            "allocated": True,
            "leased": False,
            "updated_at": beginning.now,
        }
        address = fixed_ips.take_any(tx, vif.network.id, values)
        if address is None:
            raise NoMoreFixedIps(network=vif.network.label)
        firewall.note_server(tx, instance.uuid)
        if vif.fixed_ip is None:
            more = dataclasses.replace(vif, fixed_ip=address)
        else:
            more = dataclasses.replace(vif, more_fixed_ips=(*vif.more_fixed_ips, address))
        request = ActionRequest(fixed_ip=dataclasses.replace(wanted, address=address))
        return Prepared(request=request, vifs=_with(instance, more))

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Take the address back."""
        address = _address(ending)
        interface_addresses.give_up(tx, ending.instance.uuid, address, ending.now)
        _free(tx, ending, address)
        return {}


class RemoveFixedIpRules(ActionRules):
    """Takes an address from a server; it is free when the host has renewed its filters."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Take the address from its interface; floating ones can not be led to it any more.

        Raises: FixedIpNotFoundForInstance.
        """
        instance, wanted = beginning.instance, _wanted(beginning.request)
        address = wanted.address or ""
        vif = next((vif for vif in instance.vifs if address in vif.fixed_ips), None)
        if vif is None or not interface_addresses.give_up(
            tx, instance.uuid, address, beginning.now
        ):
            raise FixedIpNotFoundForInstance(address=address, instance_uuid=instance.uuid)
        firewall.note_server(tx, instance.uuid)
        left = tuple(other for other in vif.fixed_ips if other != address)
        less = dataclasses.replace(vif, fixed_ip=left[0] if left else None, more_fixed_ips=left[1:])
        return Prepared(request=beginning.request, vifs=_with(instance, less))

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Free the address, unless the guest still has a lease of it."""
        _free(tx, ending, _address(ending))
        return {}

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Let no floating address lead to it; it is freed when nobody has used it for long."""
        floating_ips.release_from(tx, ending.instance.uuid, _address(ending), ending.now)
        return {}


def _free(tx: Transaction, ending: Ending, address: str) -> None:
    """Free an address and those floating ones that lead to it."""
    floating_ips.release_from(tx, ending.instance.uuid, address, ending.now)
    interface_addresses.free(tx, ending.instance.uuid, address, ending.now)


def _wanted(request: ActionRequest) -> FixedIpRequest:
    if request.fixed_ip is None:
        raise Invalid(reason="An address or a network is needed.")
    return request.fixed_ip


def _address(ending: Ending) -> str:
    request = ending.operation.request
    if request is None or request.fixed_ip is None or request.fixed_ip.address is None:
        raise LookupError("the operation was stored without its address")
    return request.fixed_ip.address


def _interface_in(tx: Transaction, instance: Instance, network_uuid: str) -> Vif:
    for vif in instance.vifs:
        if vif.network.uuid == network_uuid:
            return vif
    if not interface_addresses.is_usable(tx, network_uuid, instance.project_id):
        raise NetworkNotFound(network_id=network_uuid)
    raise NoInterfaceInNetwork(instance_uuid=instance.uuid, network_id=network_uuid)


def _with(instance: Instance, changed: Vif) -> tuple[Vif, ...]:
    return tuple(changed if vif.id == changed.id else vif for vif in instance.vifs)
