"""Asks nova-network to make the networks of a server ready, or to forget the server."""

import collections

from nova import exception
from nova.context import RequestContext
from nova.network.rpcapi import NetworkAPI
from nova.objects.instance import Instance
from nova.objects.network import Vif
from nova.rpc.bus import Bus


class Networks:
    """The nova-network hosts that serve the servers of this host."""

    def __init__(self, bus: Bus, host: str) -> None:
        self._network = bus.client(NetworkAPI)
        self._host = host

    def setup(self, context: RequestContext, instance: Instance) -> None:
        """Make the networks ready; safe to repeat.

        Raises: NetworkHostUnavailable, CommandFailed, MessagingTimeout.
        """
        way_out = instance.vifs[0].id if instance.vifs else None
        for host, vifs in self._by_host(instance.vifs).items():
            self._network.on(host).setup_instance(
                context, instance.uuid, instance.hostname, vifs, self._host, way_out
            )

    def teardown(self, context: RequestContext, instance: Instance) -> None:
        """Remove the server from its networks; safe to repeat.

        A network that no host serves any more holds nothing of the server.
        Raises: CommandFailed, MessagingTimeout.
        """
        served = tuple(vif for vif in instance.vifs if self._host_of(vif) is not None)
        for host, vifs in self._by_host(served).items():
            self._network.on(host).teardown_instance(context, instance.uuid, vifs)

    def _by_host(self, vifs: tuple[Vif, ...]) -> dict[str, tuple[Vif, ...]]:
        grouped: dict[str, list[Vif]] = collections.defaultdict(list)
        for vif in vifs:
            host = self._host_of(vif)
            if host is None:
                raise exception.NetworkHostUnavailable(network=vif.network.label)
            grouped[host].append(vif)
        return {host: tuple(found) for host, found in grouped.items()}

    def _host_of(self, vif: Vif) -> str | None:
        """Return this host in a multi_host network, else the one host of the network."""
        return self._host if vif.network.multi_host else vif.network.host
