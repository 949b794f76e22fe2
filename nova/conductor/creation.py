"""Stores new servers with everything that belongs to them, in one transaction."""

import dataclasses
import datetime
import secrets
import string

from nova import clock
from nova.conductor import (
    address_quota,
    addresses,
    group_membership,
    grouping,
    instance_rows,
    project_networks,
    protection,
    transitions,
)
from nova.conductor.instance_rows import Template
from nova.conductor.liveness import COMPUTE_BINARY
from nova.conductor.network_plan import Pick, choose_networks
from nova.conductor.settings import ConductorSettings
from nova.conductor.tasks.build import BuildJob
from nova.context import RequestContext
from nova.db import (
    aggregates,
    block_devices,
    compute_nodes,
    ec2_client_tokens,
    flavors,
    instance_details,
    instances,
    networks,
    operations,
    ports,
    quotas,
    security_groups,
)
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    AvailabilityZoneNotFound,
    Ec2TokenMismatch,
    FlavorNotFound,
    Invalid,
    KeypairNotFound,
    TooManyInstances,
    ZeroDiskFlavorNotAllowed,
)
from nova.objects import guest_rules
from nova.objects.flavor import Flavor
from nova.objects.instance import NewServers
from nova.objects.network import NetworkMode
from nova.objects.quota import CLAIMED, UNLIMITED

_RESERVATION_LETTERS = string.ascii_lowercase + string.digits
_MAX_RACES = 20


class _NoRoom(Exception):
    """A limit would be exceeded, or usage rows are missing; the transaction is undone."""


def new_reservation_id() -> str:
    """Return a random reservation id, r- and eight letters."""
    return "r-" + "".join(secrets.choice(_RESERVATION_LETTERS) for _ in range(8))


class MadeBefore(Exception):
    """The servers of a client token are there; nothing is to be built."""

    def __init__(self, reservation_id: str) -> None:
        super().__init__(reservation_id)
        self.reservation_id = reservation_id


def _check_token(tx: Transaction, new: NewServers) -> None:
    """Stop where a client token has made its servers.  Raises: MadeBefore, Ec2TokenMismatch."""
    if new.client_token is None:
        return
    found = ec2_client_tokens.find(tx, new.project_id, new.client_token.token)
    if found is None:
        return
    parameters_hash, reservation_id = found
    if parameters_hash != new.client_token.parameters_hash:
        raise Ec2TokenMismatch(client_token=new.client_token.token)
    raise MadeBefore(reservation_id)


class Creation:
    """Makes servers; holds no state between requests."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    def create(self, context: RequestContext, new: NewServers) -> BuildJob:
        """Store as many servers as fit into the quota, between min_count and max_count.

        Without quota as well, rows of one request must fit into memory.

        Raises: as ConductorInstances.create_servers; MadeBefore for a client token that has
        made its servers.
        """
        self._check_first(new)
        count = 1
        if new.max_count > 1:
            # The quota is claimed when the rows are there; rows without end must never be made.
            most = self.settings.max_servers_per_request
            count = min(self._fitting(context, new), most)
            if count < new.min_count:
                raise Invalid(reason=f"At most {most} servers can be asked for at once.")
        for _race in range(_MAX_RACES):
            try:
                return self._store(context, new, count)
            except _NoRoom:
                count = min(count, self._fitting(context, new))
        raise self._too_many(context, new)

    @retried
    def _check_first(self, new: NewServers) -> None:
        """Look for a client token before a quota is looked at, which its servers are part of.

        Raises: MadeBefore, Ec2TokenMismatch.
        """
        if new.client_token is not None:
            with self.db.reading() as tx:
                _check_token(tx, new)

    @retried
    def _store(self, context: RequestContext, new: NewServers, count: int) -> BuildJob:
        now = clock.utcnow()
        with self.db.transaction() as tx:
            _check_token(tx, new)
            flavor, key_data = self._boot_material(tx, context, new)
            instance_rows.check_image(new, flavor)
            guest_rules.check(flavor, new.image_properties)
            groups = group_membership.resolve(
                tx, new.project_id, new.user_id, new.security_groups, now
            )
            names = tuple(sorted(group.name for group in groups))
            new = dataclasses.replace(new, security_groups=names)
            self._check_items(tx, new)
            self._check_networks(tx, new)
            self._check_zone(tx, new)
            self._check_host(tx, new)
            template = Template(
                new=new,
                flavor=flavor,
                key_data=key_data,
                reservation_id=new_reservation_id(),
                now=now,
            )
            if new.client_token is not None:
                ec2_client_tokens.create(
                    tx, new.project_id, new.client_token, template.reservation_id, now
                )
            job = self._insert(tx, context, template, count)
            uuids = [instance.uuid for instance in job.instances]
            security_groups.add_members(tx, uuids, [group.id for group in groups])
            # Last, because the project's other requests wait for these rows until the commit.
            amounts = transitions.quota_of(flavor, count)
            if not quotas.claim(tx, new.project_id, new.user_id, amounts, self.settings.quotas):
                raise _NoRoom
            auto = new.network_mode is NetworkMode.AUTO
            if auto or any(network.port_id is None for network in new.networks):
                address_quota.check(tx, new.project_id, self.settings.quotas)
            return job

    def _boot_material(
        self, tx: Transaction, context: RequestContext, new: NewServers
    ) -> tuple[Flavor, str | None]:
        project_id = None if context.is_admin else new.project_id
        flavor, key_data = flavors.find_with_key(
            tx, new.flavorid, new.user_id, new.key_name, project_id
        )
        if flavor is None or flavor.disabled:
            raise FlavorNotFound(flavor_id=new.flavorid)
        if flavor.root_gb == 0 and not new.zero_disk_allowed:
            raise ZeroDiskFlavorNotAllowed()
        if new.key_name is not None and key_data is None:
            raise KeypairNotFound(name=new.key_name, user_id=new.user_id)
        return flavor, key_data

    def _check_items(self, tx: Transaction, new: NewServers) -> None:
        if new.metadata or new.injected_files:
            limits = quotas.limits(tx, new.project_id, self.settings.quotas, new.user_id)
            instance_rows.check_limits(new.metadata, new.injected_files, limits)

    def _check_networks(self, tx: Transaction, new: NewServers) -> None:
        """Refuse networks, ports and addresses that the project can not have."""
        project_networks.ensure(tx, self.settings, new.network_mode, new.project_id, clock.utcnow())
        if new.network_mode is not NetworkMode.EXPLICIT:
            return
        for pick in self._picks(tx, new):
            addresses.check_wanted(tx, pick)
            addresses.check_unbound(pick)

    def _picks(self, tx: Transaction, new: NewServers) -> list[Pick]:
        usable = [(network, None) for network in networks.list_with_range(tx, new.project_id)]
        wanted = [network.port_id for network in new.networks if network.port_id]
        held = ports.held_by(tx, new.project_id, wanted)
        return choose_networks(new.network_mode, new.networks, usable, held)

    def _check_zone(self, tx: Transaction, new: NewServers) -> None:
        """Refuse a zone without hosts; a host that is named makes the zone unimportant."""
        zone, default = new.availability_zone, self.settings.default_availability_zone
        if zone is None or new.force_host is not None:
            return
        if not aggregates.zone_exists(tx, zone, default, COMPUTE_BINARY):
            raise AvailabilityZoneNotFound(zone=zone)

    def _check_host(self, tx: Transaction, new: NewServers) -> None:
        """Refuse a host that does not exist before a server waits for it."""
        wanted = new.requested_host, new.requested_node
        if any(wanted) and not compute_nodes.exists(tx, *wanted):
            name = " ".join(filter(None, wanted))
            raise Invalid(reason=f"Compute host {name} could not be found.")

    def _insert(
        self, tx: Transaction, context: RequestContext, template: Template, count: int
    ) -> BuildJob:
        new, now = template.new, template.now
        drafts = [template.instance(index, count) for index in range(count)]
        ids = instances.create(tx, [instance_rows.row_of(draft) for draft in drafts])
        stored = [dataclasses.replace(draft, id=ids[draft.uuid]) for draft in drafts]
        uuids = [instance.uuid for instance in stored]
        request = instance_rows.build_request_of(new, self.settings.default_schedule_zone)
        deadline = now + datetime.timedelta(seconds=self.settings.placement_timeout_s)
        pending = [
            instance_rows.operation_of(context, instance, "create", deadline) for instance in stored
        ]
        rows = [instance_rows.operation_row(entry, now, request) for entry in pending]
        operation_ids = operations.create(tx, rows)
        groups = grouping.join(tx, new, uuids, self.settings.quotas, now)
        stored = [dataclasses.replace(instance, server_groups=groups) for instance in stored]
        instance_details.create_metadata(tx, uuids, new.metadata)
        instance_details.create_tags(tx, uuids, sorted(set(new.tags)))
        if new.termination_disabled:
            protection.protect_new(tx, uuids)
        if new.block_devices != block_devices.implied(new.image_ref):
            block_devices.create(tx, uuids, new.block_devices)
        return BuildJob(
            instances=tuple(stored),
            operations=tuple(
                dataclasses.replace(entry, id=operation_ids[entry.instance_uuid])
                for entry in pending
            ),
            request=request,
            block_devices=new.block_devices,
            admin_password=new.admin_password,
        )

    @retried
    def _fitting(self, context: RequestContext, new: NewServers) -> int:
        """Return how many servers fit now, at least min_count.  Raises: TooManyInstances."""
        with self.db.transaction() as tx:
            quotas.ensure_rows(tx, new.project_id, new.user_id, CLAIMED)
            flavor, _key = self._boot_material(tx, context, new)
            room = new.max_count
            each = transitions.quota_of(flavor)
            for resource, used, limit in self._usage(tx, new):
                if limit != UNLIMITED and each[resource]:
                    room = min(room, (limit - used) // each[resource])
        if room < new.min_count:
            raise self._too_many(context, new)
        return room

    def _usage(self, tx: Transaction, new: NewServers) -> list[tuple[str, int, int]]:
        """Return (resource, used, limit) of the project and of the user within it."""
        found = []
        of_project = quotas.limits(tx, new.project_id, self.settings.quotas)
        of_user = quotas.user_limits(tx, new.project_id, new.user_id)
        for user_id, limits in ((None, of_project), (new.user_id, of_user)):
            used = quotas.usages(tx, new.project_id, user_id)
            found += [(name, used.get(name, 0), limits.get(name, UNLIMITED)) for name in CLAIMED]
        return found

    @retried
    def _too_many(self, context: RequestContext, new: NewServers) -> TooManyInstances:
        """Return the error that names the limits in the way."""
        with self.db.reading() as tx:
            flavor, _key = self._boot_material(tx, context, new)
            wanted = transitions.quota_of(flavor, new.min_count)
            overs = {
                resource: (used, limit)
                for resource, used, limit in self._usage(tx, new)
                if limit != UNLIMITED and used + wanted[resource] > limit
            }
        names = [name for name in CLAIMED if name in overs] or ["instances"]
        return TooManyInstances(
            overs=", ".join(names),
            requested=", ".join(str(wanted[name]) for name in names),
            used=", ".join(str(overs.get(name, (0, 0))[0]) for name in names),
            allowed=", ".join(str(overs.get(name, (0, 0))[1]) for name in names),
        )
