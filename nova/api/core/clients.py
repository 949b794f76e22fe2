"""The services that the API talks to, each behind its typed client."""

import dataclasses

from nova.compute.rpcapi import ComputeAPI
from nova.conductor import rpcapi
from nova.rpc.bus import Bus, Client


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConductorClients:
    """The conductor's interfaces, each a proxy that reaches any conductor."""

    instances: rpcapi.ConductorInstances
    flavors: rpcapi.ConductorFlavors
    keypairs: rpcapi.ConductorKeypairs
    server_groups: rpcapi.ConductorServerGroups
    aggregates: rpcapi.ConductorAggregates
    quotas: rpcapi.ConductorQuotas
    hosts: rpcapi.ConductorHosts
    agents: rpcapi.ConductorAgents
    audit: rpcapi.ConductorAudit
    networks: rpcapi.ConductorNetworks
    migrations: rpcapi.ConductorMigrations


def conductor_clients(bus: Bus) -> ConductorClients:
    """Return the conductor's clients over a bus."""
    return ConductorClients(
        instances=bus.client(rpcapi.ConductorInstances).anyone(),
        flavors=bus.client(rpcapi.ConductorFlavors).anyone(),
        keypairs=bus.client(rpcapi.ConductorKeypairs).anyone(),
        server_groups=bus.client(rpcapi.ConductorServerGroups).anyone(),
        aggregates=bus.client(rpcapi.ConductorAggregates).anyone(),
        quotas=bus.client(rpcapi.ConductorQuotas).anyone(),
        hosts=bus.client(rpcapi.ConductorHosts).anyone(),
        agents=bus.client(rpcapi.ConductorAgents).anyone(),
        audit=bus.client(rpcapi.ConductorAudit).anyone(),
        networks=bus.client(rpcapi.ConductorNetworks).anyone(),
        migrations=bus.client(rpcapi.ConductorMigrations).anyone(),
    )


def compute_client(bus: Bus) -> Client[ComputeAPI]:
    """Return the client for live reads from compute hosts."""
    return bus.client(ComputeAPI)
