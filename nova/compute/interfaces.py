"""Interfaces that come to a guest, and that are taken away."""

import dataclasses
import logging

from nova import exception
from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.objects.network import Vif
from nova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class InterfaceActions:
    """Plans of attach_interface and detach_interface on one host."""

    def __init__(self, driver: ComputeDriver, networks: Networks) -> None:
        self._driver = driver
        self._networks = networks

    def attach_plan(self) -> Plan:
        """Return how an interface is attached."""
        return Plan(
            event="compute_attach_interface",
            task_state=None,
            work=self._attach,
            explain=self._explain_attach,
        )

    def detach_plan(self) -> Plan:
        """Return how an interface is taken away."""
        return Plan(
            event="compute_detach_interface",
            task_state=None,
            work=self._detach,
            explain=lambda running, error: Failure(
                message="The interface could not be taken away from the guest."
            ),
        )

    def _attach(self, running: Running) -> Outcome:
        vif = _vif_of(running)
        if vif is None:
            raise exception.PortNotFound(port_id="of the request")
        self._networks.setup(running.context, running.instance)
        self._driver.attach_interface(running.instance, vif)
        return Outcome()

    def _detach(self, running: Running) -> Outcome:
        vif = _vif_of(running)
        if vif is not None:
            self._remove(running, vif)
        return Outcome()

    def _explain_attach(self, running: Running, error: Exception) -> Failure:
        """Remove what may be there of the interface, for it is given back now."""
        vif = _vif_of(running)
        try:
            if vif is not None:
                self._remove(running, vif)
        except exception.NovaException:
            LOG.exception("Instance %s: an interface is not quite gone", running.instance.uuid)
        return Failure(message="The interface could not be attached to the guest.")

    def _remove(self, running: Running, vif: Vif) -> None:
        """Remove an interface from guest and network, and leave the others as they are.

        nova-network forgets a server's network as a whole, so that what remains in it is set
        up again.
        """
        instance = running.instance
        self._driver.detach_interface(instance, vif)
        gone = dataclasses.replace(instance, vifs=(vif,))
        self._networks.teardown(running.context, gone)
        rest = tuple(
            each
            for each in instance.vifs
            if each.id != vif.id and each.network.id == vif.network.id
        )
        self._networks.setup(running.context, dataclasses.replace(instance, vifs=rest))


def _vif_of(running: Running) -> Vif | None:
    """Return the interface in question, None when the server has it no more."""
    request = running.operation.request
    wanted = request.interface if request is not None else None
    if wanted is None:
        return None
    return next((vif for vif in running.instance.vifs if vif.id == wanted.vif_uuid), None)
