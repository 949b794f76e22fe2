"""Asks nova-network hosts to read anew what the database says, after it has changed."""

import datetime
import logging
from collections.abc import Iterable

from nova.conductor.addresses import NETWORK_BINARY
from nova.conductor.liveness import judged
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import services
from nova.db.engine import Transaction
from nova.exception import FloatingDeviceMissing, NovaException
from nova.network.rpcapi import NetworkAPI
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


def live_hosts(tx: Transaction, settings: ConductorSettings, now: datetime.datetime) -> set[str]:
    """Return the hosts whose nova-network reports."""
    found = services.list_all(tx, binary=NETWORK_BINARY)
    return {one.host for one in found if judged(settings, one, now).is_up}


class NetworkHosts:
    """The nova-network hosts; one that is down does its part when it is back."""

    def __init__(self, bus: Bus) -> None:
        self._client = bus.client(NetworkAPI)

    def refresh(self, context: RequestContext, hosts: Iterable[str]) -> dict[str, str]:
        """Let live hosts agree with the database now.

        Return the floating addresses that a host has no device for, each with its device.
        """
        missing: dict[str, str] = {}
        for host in sorted(hosts):
            try:
                self._client.on(host).refresh(context)
            except NovaException as error:
                LOG.warning("Network host %s did not follow a change yet: %s", host, error)
                if isinstance(error, FloatingDeviceMissing):
                    addresses = error.kwargs["addresses"].split(" ")
                    missing |= dict.fromkeys(addresses, error.kwargs["interface"])
        return missing

    def refresh_soon(self, context: RequestContext, hosts: Iterable[str]) -> None:
        """Let hosts agree with the database in a moment."""
        for host in sorted(hosts):
            try:
                self._client.on(host).refresh_soon(context)
            except NovaException as error:
                LOG.warning("Network host %s was not told of a change: %s", host, error)
