"""Quotas, limits and usage."""

import datetime
from collections.abc import Mapping

from nova.conductor import address_quota
from nova.conductor.rpcapi.quotas import ConductorQuotas
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import floating_ips, networks, quotas, security_groups, usage
from nova.db.engine import Database, Transaction, retried
from nova.exception import MarkerNotFound, QuotaLimitOutOfRange, QuotaResourceUnknown
from nova.objects.flavor import Flavor
from nova.objects.quota import (
    RESOURCES,
    UNLIMITED,
    NetworkingQuota,
    QuotaSet,
    QuotaUsage,
    ServerUsage,
    UsageQuery,
)

MAX_LIMIT = 2147483647
DEFAULT_CLASS = "default"


class QuotasEndpoint(ConductorQuotas):
    """Serves the quotas of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def get(self, context: RequestContext, project_id: str, user_id: str | None = None) -> QuotaSet:
        """Return limits and usage of a project, or of a user within it."""
        with self.db.reading() as tx:
            limits = quotas.limits(tx, project_id, self.settings.quotas, user_id)
            used = _used(tx, project_id, user_id)
        return _quota_set(project_id, limits, used, user_id)

    @retried
    def get_defaults(self, context: RequestContext, class_name: str = DEFAULT_CLASS) -> QuotaSet:
        """Return the default limits (class row over option)."""
        with self.db.reading() as tx:
            limits = self.settings.quotas | quotas.class_limits(tx, class_name)
        return _quota_set(class_name, limits, {})

    @retried
    def get_networking(
        self, context: RequestContext, project_id: str | None = None
    ) -> NetworkingQuota:
        """Return limits and usage of a project with its own networks, or the defaults."""
        own = []
        if project_id is None:
            found = self.get_defaults(context)
        else:
            found = self.get(context, project_id)
            with self.db.reading() as tx:
                own = networks.list_of_project(tx, project_id)
        return NetworkingQuota(
            quota_set=found,
            network_limit=self.settings.network.per_project,
            networks=len(own),
            ranges=sum(bool(cidr) for one in own for cidr in (one.cidr, one.cidr_v6)),
        )

    @retried
    def update(
        self,
        context: RequestContext,
        project_id: str,
        limits: dict[str, int],
        user_id: str | None = None,
        force: bool = False,
    ) -> QuotaSet:
        """Set limits."""
        _check(limits)
        with self.db.transaction() as tx:
            used = _used(tx, project_id, user_id)
            if not force:
                _check_used(limits, used)
                if user_id is not None:
                    _check_within(limits, quotas.limits(tx, project_id, self.settings.quotas))
            quotas.set_limits(tx, project_id, limits, user_id)
            after = quotas.limits(tx, project_id, self.settings.quotas, user_id)
        return _quota_set(project_id, after, used, user_id)

    @retried
    def update_defaults(
        self, context: RequestContext, limits: dict[str, int], class_name: str = DEFAULT_CLASS
    ) -> QuotaSet:
        """Set the default limits."""
        _check(limits)
        with self.db.transaction() as tx:
            quotas.set_class_limits(tx, class_name, limits)
            after = self.settings.quotas | quotas.class_limits(tx, class_name)
        return _quota_set(class_name, after, {})

    @retried
    def delete(self, context: RequestContext, project_id: str, user_id: str | None = None) -> None:
        """Go back to the default limits."""
        with self.db.transaction() as tx:
            quotas.delete_limits(tx, project_id, user_id)

    @retried
    def usage(self, context: RequestContext, query: UsageQuery) -> tuple[ServerUsage, ...]:
        """Return what servers used in a period, by project and server uuid."""
        with self.db.reading() as tx:
            rows = usage.list_servers(tx, query)
        if rows is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(_server_usage(dict(row), query) for row in rows)


def _used(tx: Transaction, project_id: str, user_id: str | None) -> dict[str, int]:
    """Return what is in use; addresses and groups are counted, and have no users."""
    used = quotas.usages(tx, project_id, user_id)
    if user_id is None:
        used[address_quota.RESOURCE] = address_quota.count(tx, project_id)
        used["floating_ips"] = floating_ips.count_of_project(tx, project_id)
        used["security_groups"] = security_groups.count_of_project(tx, project_id)
    return used


def _quota_set(
    project_id: str,
    limits: Mapping[str, int],
    used: Mapping[str, int],
    user_id: str | None = None,
) -> QuotaSet:
    return QuotaSet(
        project_id=project_id,
        user_id=user_id,
        resources=tuple(
            QuotaUsage(resource=name, limit=limits[name], in_use=used.get(name, 0))
            for name in RESOURCES
        ),
    )


def _check(limits: Mapping[str, int]) -> None:
    unknown = sorted(set(limits) - set(RESOURCES))
    if unknown:
        raise QuotaResourceUnknown(unknown=", ".join(unknown))
    for name, limit in limits.items():
        if not UNLIMITED <= limit <= MAX_LIMIT:
            rule = f"between {UNLIMITED} and {MAX_LIMIT}"
            raise QuotaLimitOutOfRange(limit=limit, resource=name, rule=rule)


def _check_used(limits: Mapping[str, int], used: Mapping[str, int]) -> None:
    for name, limit in limits.items():
        in_use = used.get(name, 0)
        if limit != UNLIMITED and limit < in_use:
            rule = f"greater than or equal to already used {in_use}"
            raise QuotaLimitOutOfRange(limit=limit, resource=name, rule=rule)


def _check_within(limits: Mapping[str, int], of_project: Mapping[str, int]) -> None:
    """Refuse a user's limit above that of the project."""
    for name, limit in limits.items():
        most = of_project[name]
        if most != UNLIMITED and (limit == UNLIMITED or limit > most):
            rule = f"less than or equal to {most}"
            raise QuotaLimitOutOfRange(limit=limit, resource=name, rule=rule)


def _server_usage(row: dict[str, object], query: UsageQuery) -> ServerUsage:
    flavor, started, ended = row["flavor"], row["launched_at"], row["terminated_at"]
    assert isinstance(flavor, Flavor)
    assert isinstance(started, datetime.datetime)
    assert ended is None or isinstance(ended, datetime.datetime)
    return ServerUsage(
        instance_uuid=str(row["uuid"]),
        display_name=str(row["display_name"]),
        project_id=str(row["project_id"]),
        flavor_name=flavor.name,
        memory_mb=flavor.memory_mb,
        vcpus=flavor.vcpus,
        local_gb=flavor.root_gb + flavor.ephemeral_gb,
        started_at=started,
        ended_at=ended,
        state="terminated" if ended is not None else str(row["vm_state"]),
        hours=overlap_hours(started, ended, query.start, query.stop),
    )


def overlap_hours(
    started: datetime.datetime,
    ended: datetime.datetime | None,
    start: datetime.datetime,
    stop: datetime.datetime,
) -> float:
    """Return how many hours of a period something lasted."""
    first = max(started, start)
    last = stop if ended is None else min(ended, stop)
    return max(0.0, (last - first).total_seconds() / 3600)
