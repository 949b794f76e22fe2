"""Floating addresses: allocated to projects, leading to servers, translated by hosts."""

import datetime
import logging
import uuid

from nova import clock
from nova.conductor.checks import require
from nova.conductor.floating_ranges import addresses_of, check_interface
from nova.conductor.network_hosts import NetworkHosts, live_hosts
from nova.conductor.notify.notifier import Event, Notifier
from nova.conductor.rpcapi.floating_ips import ConductorFloatingIps
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import dns, floating_ips, ports, quotas, vifs
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    CannotDisassociateAutoAssignedFloatingIp,
    FloatingIpAssociateFailed,
    FloatingIpInUse,
    FloatingIpLimitExceeded,
    FloatingIpNotAssociated,
    FloatingIpNotFound,
    FloatingIpPoolNotFound,
    FloatingRangeInvalid,
    NetworkNotFound,
    NoMoreFloatingIps,
    NovaException,
    PortNotFound,
)
from nova.objects.floating_ip import (
    Association,
    FloatingIp,
    FloatingRange,
    NewFloatingIp,
    pool_uuid,
)
from nova.objects.instance import EVERYBODY, Instance, Scope
from nova.objects.quota import UNLIMITED
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

RESOURCE = "floating_ips"


class FloatingIpsEndpoint(ConductorFloatingIps):
    """Serves the floating addresses of the database, and keeps hosts informed of them."""

    def __init__(
        self, db: Database, bus: Bus, settings: ConductorSettings, notifier: Notifier
    ) -> None:
        self.db = db
        self.settings = settings
        self.notifier = notifier
        self.hosts = NetworkHosts(bus)

    # --- What projects have

    @retried
    def list_floating_ips(self, context: RequestContext, scope: Scope) -> tuple[FloatingIp, ...]:
        """Return the addresses that projects in scope have."""
        with self.db.reading() as tx:
            return tuple(floating_ips.page(tx, scope))

    @retried
    def get(self, context: RequestContext, scope: Scope, floating_ip: str) -> FloatingIp:
        """Return an address of a project in scope."""
        with self.db.reading() as tx:
            return _require(tx, scope, floating_ip)

    @retried
    def list_pools(self, context: RequestContext) -> tuple[str, ...]:
        """Return the names of all pools."""
        with self.db.reading() as tx:
            return tuple(floating_ips.pools(tx))

    def allocate(
        self,
        context: RequestContext,
        project_id: str,
        pool: str | None = None,
        address: str | None = None,
        description: str = "",
    ) -> FloatingIp:
        """Give a project an address."""
        pool = pool or self.settings.default_floating_pool
        allocated = self._allocate(project_id, pool, address, description)
        LOG.info("Floating address %s goes to project %s", allocated.address, project_id)
        self._tell(context, "allocate", allocated)
        return allocated

    def create(self, context: RequestContext, scope: Scope, new: NewFloatingIp) -> FloatingIp:
        """Give a project an address that leads to where it is wanted, or none at all."""
        pool = self._pool_of(new.pool_id)
        made = self.allocate(context, new.project_id, pool, new.address, new.description)
        if new.target is None:
            return made
        try:
            return self.associate(context, scope, made.uuid, new.target)
        except NovaException:
            # One request: without the second half nobody would know of the first.
            self.release(context, scope, made.uuid)
            raise

    @retried
    def _pool_of(self, pool_id: str) -> str:
        with self.db.reading() as tx:
            for name in floating_ips.pools(tx):
                if pool_uuid(name) == pool_id:
                    return name
        raise NetworkNotFound(network_id=pool_id)

    @retried
    def _allocate(
        self, project_id: str, pool: str, address: str | None, description: str
    ) -> FloatingIp:
        values = {
            "project_id": project_id,
            "description": description,
            "updated_at": clock.utcnow(),
        }
        with self.db.transaction() as tx:
            self._check_quota(tx, project_id)
            if address is not None and not floating_ips.take(tx, pool, address, values):
                _require_known(tx, pool)
                raise FloatingIpInUse(address=address)
            taken = address or floating_ips.take_any(tx, pool, values)
            if taken is None:
                _require_known(tx, pool)
                raise NoMoreFloatingIps(pool=pool)
            return _require(tx, EVERYBODY, taken)

    def _check_quota(self, tx: Transaction, project_id: str) -> None:
        """Refuse more than a project may have.  Holds the project's usage until the commit."""
        quotas.hold(tx, project_id, RESOURCE)
        limit = quotas.limits(tx, project_id, self.settings.quotas)[RESOURCE]
        if limit != UNLIMITED and floating_ips.count_of_project(tx, project_id) >= limit:
            raise FloatingIpLimitExceeded(allowed=limit)

    def release(self, context: RequestContext, scope: Scope, floating_ip: str) -> None:
        """Take an address back; nobody gets it before its host has forgotten it."""
        gone, hosts = self._release(scope, floating_ip)
        self.hosts.refresh(context, hosts)
        LOG.info("Floating address %s goes back to pool %s", gone.address, gone.pool)
        if gone.instance_uuid is not None:
            self._tell(context, "disassociate", gone)
        self._tell(context, "deallocate", gone)

    @retried
    def _release(self, scope: Scope, floating_ip: str) -> tuple[FloatingIp, set[str]]:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            found = _require_changeable(tx, scope, floating_ip)
            floating_ips.give_back(tx, found.id, now)
            dns.forget_address(tx, found.address)
            return found, self._reachable(tx, {found.host}, now)

    @retried
    def update(
        self, context: RequestContext, scope: Scope, floating_ip: str, description: str
    ) -> FloatingIp:
        """Describe an address."""
        with self.db.transaction() as tx:
            found = _require(tx, scope, floating_ip)
            floating_ips.describe(tx, found.id, description, clock.utcnow())
            return _require(tx, scope, found.uuid)

    # --- Where they lead

    def associate(
        self, context: RequestContext, scope: Scope, floating_ip: str, target: Association
    ) -> FloatingIp:
        """Let an address lead to a fixed one; what it led to before is cut first."""
        before, hosts = self._clear_the_way(scope, floating_ip, target)
        self.hosts.refresh(context, hosts)
        if before.fixed_ip is not None and hosts:
            self._tell(context, "disassociate", before)
        found, hosts = self._associate(scope, floating_ip, target)
        missing = self.hosts.refresh(context, hosts)
        if found.address in missing:
            self._cut(found.uuid)
            self.hosts.refresh(context, hosts)
            reason = f"the network host has no interface {missing[found.address]}."
            raise FloatingIpAssociateFailed(address=found.address, reason=reason)
        self._tell(context, "associate", found)
        return found

    @retried
    def _clear_the_way(
        self, scope: Scope, floating_ip: str, target: Association
    ) -> tuple[FloatingIp, set[str]]:
        """Let an address lead nowhere, unless it does or is where it shall be.

        Everything that can be refused is refused before that.
        """
        now = clock.utcnow()
        with self.db.transaction() as tx:
            found = _require(tx, scope, floating_ip)
            instance, fixed = _target_of(tx, scope, found, target)
            if (found.instance_uuid, found.fixed_ip) == (instance.uuid, fixed):
                return found, set()
            if found.fixed_ip is not None:
                _check_changeable(found)
                floating_ips.disassociate(tx, found.id, now)
            return found, self._reachable(tx, {found.host}, now)

    @retried
    def _associate(
        self, scope: Scope, floating_ip: str, target: Association
    ) -> tuple[FloatingIp, set[str]]:
        """Let an address that leads nowhere lead somewhere; return the host to be told."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            found = _require(tx, scope, floating_ip)
            instance, fixed = _target_of(tx, scope, found, target)
            if (found.instance_uuid, found.fixed_ip) == (instance.uuid, fixed):
                return found, set()
            place = floating_ips.target(tx, instance.uuid, fixed)
            assert place is not None, "the fixed address was just found"
            fixed_ip_id, host = place
            if found.host is not None and not self._reachable(tx, {found.host}, now):
                floating_ips.give_up_host(tx, found.id, found.host, now)
            if not floating_ips.associate(tx, found.id, fixed_ip_id, host, now):
                reason = "its network host has not yet let go of it; try again in a minute."
                raise FloatingIpAssociateFailed(address=found.address, reason=reason)
            LOG.info("Floating address %s leads to %s", found.address, fixed)
            return _require(tx, scope, found.uuid), self._reachable(tx, {host}, now)

    def disassociate(
        self,
        context: RequestContext,
        scope: Scope,
        floating_ip: str,
        instance_uuid: str | None = None,
    ) -> FloatingIp:
        """Let an address lead nowhere."""
        before, hosts = self._disassociate(scope, floating_ip, instance_uuid)
        self.hosts.refresh(context, hosts)
        LOG.info("Floating address %s leads to %s no more", before.address, before.fixed_ip)
        self._tell(context, "disassociate", before)
        return self.get(context, scope, before.uuid)

    @retried
    def _disassociate(
        self, scope: Scope, floating_ip: str, instance_uuid: str | None
    ) -> tuple[FloatingIp, set[str]]:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            if instance_uuid is not None:
                require(tx, scope, instance_uuid)
            found = _require(tx, scope, floating_ip)
            elsewhere = instance_uuid is not None and found.instance_uuid != instance_uuid
            if found.fixed_ip is None or elsewhere:
                raise FloatingIpNotAssociated(address=found.address)
            _check_changeable(found)
            floating_ips.disassociate(tx, found.id, now)
            return found, self._reachable(tx, {found.host}, now)

    @retried
    def _cut(self, floating_ip: str) -> None:
        with self.db.transaction() as tx:
            found = _require(tx, EVERYBODY, floating_ip)
            floating_ips.disassociate(tx, found.id, clock.utcnow())

    # --- Administration

    @retried
    def list_all(
        self, context: RequestContext, scope: Scope, host: str | None = None
    ) -> tuple[FloatingIp, ...]:
        """Return all addresses, also free ones; or those that a host translates."""
        with self.db.reading() as tx:
            return tuple(floating_ips.list_all(tx, scope, host))

    @retried
    def create_range(self, context: RequestContext, new: FloatingRange) -> tuple[str, ...]:
        """Add addresses."""
        check_interface(new)
        addresses = addresses_of(new.ip_range)
        common = {"pool": new.pool, "interface": new.interface, "created_at": clock.utcnow()}
        rows = [{"uuid": str(uuid.uuid4()), "address": one, **common} for one in addresses]
        with self.db.transaction() as tx:
            floating_ips.create(tx, rows)
        LOG.info("%d floating addresses were added to pool %s", len(rows), new.pool)
        return addresses

    @retried
    def delete_range(self, context: RequestContext, ip_range: str) -> int:
        """Remove the addresses of a range, all or none."""
        addresses = addresses_of(ip_range)
        with self.db.transaction() as tx:
            gone, used = floating_ips.delete(tx, addresses)
            if used is not None:
                raise FloatingRangeInvalid(ip_range=ip_range, reason=f"{used} is in use.")
        return gone

    # --- What nova-network says

    def settled(self, context: RequestContext, host: str, addresses: tuple[str, ...]) -> None:
        """Note that a host translates some addresses no more, and has cut their connections."""
        self.hosts.refresh_soon(context, self._settled(host, addresses))

    @retried
    def _settled(self, host: str, addresses: tuple[str, ...]) -> set[str]:
        with self.db.transaction() as tx:
            return floating_ips.settle(tx, host, addresses, clock.utcnow())

    def _reachable(
        self, tx: Transaction, hosts: set[str | None], now: datetime.datetime
    ) -> set[str]:
        """Return those of some hosts that are up."""
        known = {host for host in hosts if host is not None}
        return known & live_hosts(tx, self.settings, now) if known else set()

    def _tell(self, context: RequestContext, what: str, floating_ip: FloatingIp) -> None:
        payload = {
            "project_id": floating_ip.project_id,
            "floating_ip": floating_ip.address,
            "instance_id": floating_ip.instance_uuid,
        }
        event = Event(
            publisher_id="network",
            unversioned_type=f"network.floating_ip.{what}",
            unversioned=payload,
        )
        self.notifier.tell_safely(context, event)


def _require(tx: Transaction, scope: Scope, floating_ip: str) -> FloatingIp:
    """Return an address of a project in scope.  Raises: FloatingIpNotFound."""
    found = floating_ips.find(tx, scope, floating_ip)
    if found is None:
        raise FloatingIpNotFound(floating_ip=floating_ip[:64])
    return found


def _require_known(tx: Transaction, pool: str) -> None:
    if not floating_ips.pool_exists(tx, pool):
        raise FloatingIpPoolNotFound(pool=pool)


def _require_changeable(tx: Transaction, scope: Scope, floating_ip: str) -> FloatingIp:
    found = _require(tx, scope, floating_ip)
    _check_changeable(found)
    return found


def _check_changeable(found: FloatingIp) -> None:
    if found.auto_assigned:
        raise CannotDisassociateAutoAssignedFloatingIp(address=found.address)


def _target_of(
    tx: Transaction, scope: Scope, floating_ip: FloatingIp, target: Association
) -> tuple[Instance, str]:
    """Return the server and fixed address that are meant; both are of the address's project.

    Raises: InstanceNotFound, PortNotFound, FloatingIpAssociateFailed.
    """
    instance = require(tx, scope, _instance_of(tx, scope, floating_ip, target))
    reason = None
    fixed = target.fixed_address or floating_ips.first_target(tx, instance.uuid, target.vif_id)
    if instance.project_id != floating_ip.project_id:
        reason = f"server {instance.uuid} is of another project."
    elif fixed is None:
        reason = f"server {instance.uuid} has no fixed IP address yet."
    elif floating_ips.target(tx, instance.uuid, fixed, target.vif_id) is None:
        reason = f"{fixed} is no fixed IP address of server {instance.uuid}."
    if reason is not None or fixed is None:
        raise FloatingIpAssociateFailed(address=floating_ip.address, reason=reason)
    return instance, fixed


def _instance_of(
    tx: Transaction, scope: Scope, floating_ip: FloatingIp, target: Association
) -> str:
    if target.instance_uuid is not None:
        return target.instance_uuid
    found = vifs.find_instance(tx, target.vif_id or "")
    if found is not None:
        return found
    if ports.find(tx, scope, target.vif_id or "") is None:
        raise PortNotFound(port_id=target.vif_id)
    reason = f"port {target.vif_id} has no server yet; give it to one first."
    raise FloatingIpAssociateFailed(address=floating_ip.address, reason=reason)
