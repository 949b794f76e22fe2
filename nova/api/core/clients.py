"""The services that the API talks to, each behind its typed client."""

import dataclasses

from nova.cert.rpcapi import CertAPI
from nova.compute.rpcapi import ComputeAPI
from nova.conductor.rpcapi.agents import ConductorAgents
from nova.conductor.rpcapi.aggregates import ConductorAggregates
from nova.conductor.rpcapi.audit import ConductorAudit
from nova.conductor.rpcapi.dns import ConductorDns
from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.rpcapi.hosts import ConductorHosts
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.rpcapi.keypairs import ConductorKeypairs
from nova.conductor.rpcapi.migrations import ConductorMigrations
from nova.conductor.rpcapi.networks import ConductorNetworks
from nova.conductor.rpcapi.ports import ConductorPorts
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.rpcapi.security_groups import ConductorSecurityGroups
from nova.conductor.rpcapi.server_groups import ConductorServerGroups
from nova.consoleauth.rpcapi import ConsoleAuthAPI
from nova.rpc.bus import Bus, Client


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConductorClients:
    """The conductor's interfaces, each a proxy that reaches any conductor."""

    instances: ConductorInstances
    flavors: ConductorFlavors
    keypairs: ConductorKeypairs
    server_groups: ConductorServerGroups
    security_groups: ConductorSecurityGroups
    aggregates: ConductorAggregates
    quotas: ConductorQuotas
    hosts: ConductorHosts
    agents: ConductorAgents
    audit: ConductorAudit
    networks: ConductorNetworks
    migrations: ConductorMigrations
    ports: ConductorPorts
    floating_ips: ConductorFloatingIps
    dns: ConductorDns


def conductor_clients(bus: Bus) -> ConductorClients:
    """Return the conductor's clients over a bus."""
    return ConductorClients(
        instances=bus.client(ConductorInstances).anyone(),
        flavors=bus.client(ConductorFlavors).anyone(),
        keypairs=bus.client(ConductorKeypairs).anyone(),
        server_groups=bus.client(ConductorServerGroups).anyone(),
        security_groups=bus.client(ConductorSecurityGroups).anyone(),
        aggregates=bus.client(ConductorAggregates).anyone(),
        quotas=bus.client(ConductorQuotas).anyone(),
        hosts=bus.client(ConductorHosts).anyone(),
        agents=bus.client(ConductorAgents).anyone(),
        audit=bus.client(ConductorAudit).anyone(),
        networks=bus.client(ConductorNetworks).anyone(),
        migrations=bus.client(ConductorMigrations).anyone(),
        ports=bus.client(ConductorPorts).anyone(),
        floating_ips=bus.client(ConductorFloatingIps).anyone(),
        dns=bus.client(ConductorDns).anyone(),
    )


def compute_client(bus: Bus) -> Client[ComputeAPI]:
    """Return the client for live reads from compute hosts."""
    return bus.client(ComputeAPI)


def cert_client(bus: Bus) -> CertAPI:
    """Return the client for certificates, which reaches any nova-cert."""
    return bus.client(CertAPI).anyone()


def consoleauth_client(bus: Bus) -> ConsoleAuthAPI:
    """Return the client for tokens of consoles."""
    return bus.client(ConsoleAuthAPI).anyone()
