"""Puts the endpoints of nova-conductor together."""

from nova import clock
from nova.conductor.agents import AgentsEndpoint
from nova.conductor.certificates import CertificatesEndpoint
from nova.conductor.consoles import CLEANUP_INTERVAL_S, ConsolesEndpoint
from nova.conductor.dns import DnsEndpoint
from nova.conductor.ec2 import PURGE_INTERVAL_S, Ec2Endpoint
from nova.conductor.firewall import FirewallEndpoint
from nova.conductor.firewall_changes import WINDOW_S, FirewallChanges
from nova.conductor.floating_ips import FloatingIpsEndpoint
from nova.conductor.housekeeping import HousekeepingEndpoint
from nova.conductor.instances import InstancesEndpoint
from nova.conductor.metadata import MetadataEndpoint
from nova.conductor.migrations import MigrationsEndpoint
from nova.conductor.networks import NetworksEndpoint
from nova.conductor.notify.notifier import Notifier
from nova.conductor.notify.records import (
    ToldAggregates,
    ToldFlavors,
    ToldHosts,
    ToldKeypairs,
    ToldServerGroups,
)
from nova.conductor.operations import OperationsEndpoint
from nova.conductor.ports import PortsEndpoint
from nova.conductor.quotas import QuotasEndpoint
from nova.conductor.security_groups import SecurityGroupsEndpoint
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildTask, Pool
from nova.conductor.tasks.reconcile import Reconciler
from nova.conductor.timers import INTERVAL_S, OFFLOAD, TIMERS, Timers
from nova.conductor.usage_audit import INTERVAL_S as AUDIT_INTERVAL_S
from nova.conductor.usage_audit import AuditEndpoint, UsageAuditor
from nova.context import get_admin_context
from nova.db import schema
from nova.db.engine import Database
from nova.exception import ConfigurationError
from nova.periodic import PeriodicTask
from nova.rpc.bus import Bus
from nova.rpc.interface import Interface


def endpoints(
    settings: ConductorSettings,
    bus: Bus,
    db: Database,
    pool: Pool,
    changes: FirewallChanges | None = None,
) -> list[Interface]:
    """Return everything that a conductor serves; builds run in the pool."""
    db.tell_hosts = (changes or FirewallChanges(bus)).tell
    build = BuildTask(db, bus, settings)
    instances = InstancesEndpoint(db, bus, settings, build, pool)
    notifier = Notifier(bus, db, settings.notifications)
    return [
        instances,
        OperationsEndpoint(db, bus, settings, build, pool),
        ToldHosts(db, settings, notifier),
        AgentsEndpoint(db),
        CertificatesEndpoint(db),
        AuditEndpoint(db, settings),
        ToldFlavors(db, notifier),
        ToldKeypairs(db, settings, notifier),
        ToldServerGroups(db, settings, notifier),
        ToldAggregates(db, bus, settings, notifier),
        QuotasEndpoint(db, settings),
        MigrationsEndpoint(db),
        NetworksEndpoint(db, bus, settings),
        FloatingIpsEndpoint(db, bus, settings, notifier),
        DnsEndpoint(db, bus, settings),
        PortsEndpoint(db, settings),
        SecurityGroupsEndpoint(db, settings),
        FirewallEndpoint(db),
        MetadataEndpoint(db),
        ConsolesEndpoint(db),
        Ec2Endpoint(db, settings, instances),
        HousekeepingEndpoint(Reconciler(db, bus, settings, build), Timers(db, settings, instances)),
    ]


def periodic_tasks(
    settings: ConductorSettings,
    bus: Bus,
    db: Database,
    pool: Pool,
    changes: FirewallChanges,
) -> tuple[PeriodicTask, ...]:
    """Return the work that a conductor does on its own."""
    build = BuildTask(db, bus, settings)
    reconciler = Reconciler(db, bus, settings, build)
    instances = InstancesEndpoint(db, bus, settings, build, pool)
    timers = Timers(db, settings, instances)
    ec2 = Ec2Endpoint(db, settings, instances)
    consoles = ConsolesEndpoint(db)
    auditor = UsageAuditor(db, settings, Notifier(bus, db, settings.notifications))
    return (
        PeriodicTask(
            name="reconcile",
            interval_s=settings.reconcile_interval_s,
            function=lambda: reconciler.run(get_admin_context(), clock.utcnow()),
        ),
        PeriodicTask(
            name="instance_usage_audit",
            interval_s=AUDIT_INTERVAL_S if settings.usage_audit else 0,
            function=lambda: auditor.run(clock.utcnow()),
        ),
        PeriodicTask(
            name="timers",
            interval_s=INTERVAL_S,
            function=lambda: timers.run(clock.utcnow(), TIMERS),
        ),
        PeriodicTask(
            name="expired_console_tokens",
            interval_s=CLEANUP_INTERVAL_S,
            function=lambda: consoles.delete_expired(clock.utcnow()),
        ),
        PeriodicTask(
            name="purge_ec2_requests",
            interval_s=PURGE_INTERVAL_S,
            function=lambda: ec2.purge(get_admin_context()),
        ),
        PeriodicTask(name="firewall_changes", interval_s=WINDOW_S, function=changes.flush),
        PeriodicTask(
            name="offload_shelved",
            interval_s=settings.shelved_poll_interval_s,
            function=lambda: timers.run(clock.utcnow(), (OFFLOAD,)),
        ),
    )


def check_schema(db: Database) -> None:
    """Refuse a database that is not at this release's schema.  Raises: ConfigurationError."""
    with db.reading() as tx:
        found = schema.current(tx)
    if found != schema.NEWEST:
        raise ConfigurationError(
            reason=f"the database schema is at {found or 'no revision'}, but this release needs "
            f"{schema.NEWEST}: run nova-manage db sync"
        )
