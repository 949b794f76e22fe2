"""Interfaces that servers get and lose while they exist."""

import dataclasses
from collections.abc import Mapping, Sequence

from nova.conductor import address_quota, addresses, project_networks
from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.conductor.liveness import silent_before
from nova.conductor.network_plan import Pick, choose_networks
from nova.db import networks, operations, ports
from nova.db.engine import Transaction
from nova.exception import (
    InstanceInvalidState,
    Invalid,
    NoNetworksFound,
    PortNotFound,
    QuotaExceeded,
)
from nova.objects.action_request import ActionRequest, InterfaceRequest
from nova.objects.instance import Instance
from nova.objects.lifecycle import ACTIONS, PUBLIC_ACTION_NAMES
from nova.objects.network import Network, NetworkMode, RequestedNetwork
from nova.objects.port import HeldPort

MAX_INTERFACES = 16

Usable = Sequence[tuple[Network, str | None]]


class AttachRules(ActionRules):
    """Grants an interface with an address; it is the server's from the beginning."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Choose the network and allocate; the new interface comes last.

        Raises: NetworkNotFound, NoNetworksFound, FixedIpInvalid, FixedIpAlreadyInUse,
        NoMoreFixedIps, NetworkHostUnavailable, QuotaExceeded, PortNotFound, PortInUse.
        """
        instance = beginning.instance
        wanted = beginning.request.interface or InterfaceRequest()
        if len(instance.vifs) >= MAX_INTERFACES:
            raise QuotaExceeded(resource="interfaces", allowed=MAX_INTERFACES)
        mode = NetworkMode.AUTO if wanted.network is None else NetworkMode.EXPLICIT
        project_networks.ensure(tx, beginning.settings, mode, instance.project_id, beginning.now)
        usable = networks.list_usable_on(tx, instance.project_id, instance.host or "")
        held = _held(tx, instance, wanted.network)
        pick = dataclasses.replace(_choose(instance, wanted.network, usable, held), tag=wanted.tag)
        addresses.check_wanted(tx, pick)
        addresses.check_unbound(pick)
        if pick.port is None and pick.network.cidr is not None:
            address_quota.claim(tx, instance.project_id, beginning.settings.quotas)
        guest = addresses.Guest(
            instance_uuid=instance.uuid,
            host=instance.host or "",
            now=beginning.now,
            live_after=silent_before(beginning.settings, beginning.now),
            project_id=instance.project_id,
            ipv6_backend=beginning.settings.ipv6_backend,
        )
        (vif,) = addresses.allocate(tx, guest, [pick])
        request = dataclasses.replace(wanted, vif_uuid=vif.id)
        return Prepared(request=ActionRequest(interface=request), vifs=(*instance.vifs, vif))

    def failed(self, tx: Transaction, ending: Ending) -> Values:
        """Take the interface back."""
        _release(tx, ending)
        return {}


class DetachRules(ActionRules):
    """Takes an interface back when the host has removed it."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Look for the interface among the server's own.  Raises: PortNotFound."""
        wanted = beginning.request.interface
        if wanted is None or wanted.vif_uuid is None:
            raise Invalid(reason="An interface is needed.")
        if wanted.vif_uuid not in {vif.id for vif in beginning.instance.vifs}:
            raise PortNotFound(port_id=wanted.vif_uuid)
        if wanted.forget:
            ports.forget(tx, beginning.instance.uuid, wanted.vif_uuid)
        return Prepared(request=beginning.request)

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Give the interface and its address back."""
        _release(tx, ending)
        return {}


def check_detached(tx: Transaction, instance: Instance, name: str) -> None:
    """Refuse an action that would give the guest back an interface that it is losing.

    The host gets the server's interfaces with the action; once they have been taken away,
    their addresses may be another server's.  Raises: InstanceInvalidState.
    """
    action = ACTIONS[name]
    if not action.running or action.interrupts:
        return
    pending = operations.list_unfinished_of(tx, instance.uuid)
    if any(operation.action == "detach_interface" for operation in pending):
        raise InstanceInvalidState(
            action=PUBLIC_ACTION_NAMES.get(name, name),
            instance_uuid=instance.uuid,
            attribute="task_state",
            state="detaching an interface",
        )


def _held(
    tx: Transaction, instance: Instance, wanted: RequestedNetwork | None
) -> dict[str, HeldPort]:
    if wanted is None or wanted.port_id is None:
        return {}
    return ports.held_by(tx, instance.project_id, [wanted.port_id])


def _choose(
    instance: Instance,
    wanted: RequestedNetwork | None,
    usable: Usable,
    held: Mapping[str, HeldPort],
) -> Pick:
    """Return the network that is asked for, else one that the server is not yet in.

    Source: nova-network, section 2; compute-api-routes (os-interface).
    """
    if wanted is not None:
        return choose_networks(NetworkMode.EXPLICIT, (wanted,), usable, held)[0]
    picks = choose_networks(NetworkMode.AUTO, (), usable)
    if not picks:
        raise NoNetworksFound(project_id=instance.project_id)
    present = {vif.network.id for vif in instance.vifs}
    return next((pick for pick in picks if pick.network.id not in present), picks[0])


def _release(tx: Transaction, ending: Ending) -> None:
    request = ending.operation.request
    wanted = request.interface if request is not None else None
    if wanted is not None and wanted.vif_uuid is not None:
        addresses.release(tx, ending.instance.uuid, wanted.vif_uuid, ending.now)
