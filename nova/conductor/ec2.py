"""What the EC2 API alone needs: requests that act once, numbers, and many servers at once."""

import dataclasses
import datetime
from collections.abc import Iterable, Sequence

from nova import clock
from nova.conductor import group_membership, protection, server_metadata
from nova.conductor.beginning import Beginnings
from nova.conductor.checks import require, require_all
from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import (
    ec2_client_tokens,
    ec2_requests,
    flavors,
    image_numbers,
    instance_pages,
    instances,
    security_groups,
)
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Database, Transaction, retried
from nova.objects.ec2 import (
    BegunRequest,
    BootMaterial,
    BootNames,
    DescribedInstances,
    InstancesQuery,
    KeptAnswer,
    TagPattern,
)
from nova.objects.instance import Instance, InstanceQuery, Scope
from nova.objects.lifecycle import VmState

PURGE_INTERVAL_S = 300
CLIENT_TOKEN_LIFE = datetime.timedelta(days=7)
MAX_DELETED = 1000


class Ec2Endpoint(ConductorEc2):
    """Serves the records of the EC2 API."""

    def __init__(self, db: Database, settings: ConductorSettings, beginnings: Beginnings) -> None:
        self.db = db
        self.settings = settings
        self.beginnings = beginnings

    @retried
    def begin_request(
        self, context: RequestContext, digest: str, expires_at: datetime.datetime
    ) -> BegunRequest:
        """Tell whether a signed request is new, and remember it while its signature lives."""
        with self.db.transaction() as tx:
            if ec2_requests.exists(tx, digest):
                return BegunRequest(is_new=False, answer=ec2_requests.find_answer(tx, digest))
            with refused_as(Repeat()):
                ec2_requests.create(tx, digest, expires_at, clock.utcnow())
        return BegunRequest(is_new=True)

    @retried
    def finish_request(self, context: RequestContext, digest: str, answer: KeptAnswer) -> None:
        """Keep the answer to a request for its repetitions."""
        with self.db.transaction() as tx:
            ec2_requests.set_answer(tx, digest, answer)

    @retried
    def number_images(self, context: RequestContext, image_ids: tuple[str, ...]) -> dict[str, int]:
        """Return the numbers of images by their ids; unseen ones get theirs now."""
        wanted = set(image_ids)
        with self.db.reading() as tx:
            numbers = image_numbers.find(tx, wanted)
        if wanted - numbers.keys():
            with self.db.transaction() as tx:
                numbers = image_numbers.assign(tx, wanted)
        return numbers

    @retried
    def number_instances(
        self, context: RequestContext, instance_uuids: tuple[str, ...]
    ) -> dict[str, int]:
        """Return the numbers of live instances by their uuids."""
        with self.db.reading() as tx:
            return instances.numbers_of(tx, instance_uuids)

    @retried
    def images_of_numbers(
        self, context: RequestContext, numbers: tuple[int, ...]
    ) -> dict[int, str]:
        """Return the ids of images by their numbers, of those that have been given out."""
        with self.db.reading() as tx:
            return image_numbers.find_images(tx, numbers)

    @retried
    def page_instances(self, context: RequestContext, query: InstancesQuery) -> DescribedInstances:
        """Return one page of instances with everything that is told of them."""
        with self.db.reading() as tx:
            found, more = _page(tx, query)
            groups = _group_numbers(tx, found)
            reservations = sorted({one.reservation_id for one in found if one.reservation_id})
            tokens = ec2_client_tokens.of_reservations(tx, reservations)
            uuids = [one.uuid for one in found] if query.with_protection else []
            protected = protection.protected_of(tx, uuids)
        images = {image for one in found for image in _images(one)}
        return DescribedInstances(
            instances=tuple(found),
            image_numbers=self.number_images(context, tuple(images)),
            group_numbers=groups,
            client_tokens=tokens,
            more=more,
            protected=tuple(protected),
        )

    def begin_actions(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...], action: str
    ) -> tuple[Instance, ...]:
        """Begin an action on each of some servers, on none unless all of them allow it."""
        self._check_protection(instance_uuids, action)
        return self.beginnings.begin_all(context, scope, instance_uuids, action)

    @retried
    def _check_protection(self, instance_uuids: tuple[str, ...], action: str) -> None:
        with self.db.reading() as tx:
            protection.check(tx, instance_uuids, action)

    @retried
    def set_termination_disabled(
        self, context: RequestContext, scope: Scope, instance_uuid: str, disabled: bool
    ) -> None:
        """Protect a server from being ended by EC2, or no longer."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            with refused_as(Repeat()):
                protection.set_protected(tx, instance.uuid, disabled)

    @retried
    def set_tags(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuids: tuple[str, ...],
        tags: dict[str, str],
    ) -> None:
        """Add tags to servers or replace them, on all of the servers or on none."""
        with self.db.transaction() as tx:
            servers = require_all(tx, scope, instance_uuids)
            server_metadata.add(tx, context, self.settings.quotas, servers, tags)

    @retried
    def delete_tags(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuids: tuple[str, ...],
        wanted: tuple[TagPattern, ...],
    ) -> None:
        """Take tags off servers, all tags when none is named; off all of the servers or none."""
        with self.db.transaction() as tx:
            servers = require_all(tx, scope, instance_uuids)
            meant = {server.uuid: _meant(server, wanted) for server in servers}
            server_metadata.remove(tx, context, servers, meant)

    @retried
    def set_security_groups(
        self, context: RequestContext, scope: Scope, instance_uuid: str, names: tuple[str, ...]
    ) -> None:
        """Put a server into some groups and out of all others."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            group_membership.replace(tx, instance, names, clock.utcnow())

    @retried
    def boot_material(self, context: RequestContext, names: BootNames) -> BootMaterial:
        """Return what the names in a request for instances stand for."""
        project_id = None if names.all_flavors else names.project_id
        with self.db.reading() as tx:
            flavor = flavors.find_named(tx, names.flavor_name, project_id)
            return BootMaterial(
                flavorid=None if flavor is None else flavor.flavorid,
                images=image_numbers.find_images(tx, names.image_numbers),
                groups=security_groups.names_of(tx, names.project_id, names.group_numbers),
            )

    @retried
    def names_of_groups(
        self, context: RequestContext, project_id: str, numbers: tuple[int, ...]
    ) -> dict[int, str]:
        """Return the names of those groups of a project that have one of the integer ids."""
        with self.db.reading() as tx:
            return security_groups.names_of(tx, project_id, numbers)

    @retried
    def purge(self, context: RequestContext) -> int:
        """Forget requests whose signatures have ended; return how many those were."""
        now = clock.utcnow()
        with self.db.transaction() as tx:
            ec2_client_tokens.purge(tx, now - CLIENT_TOKEN_LIFE)
            return ec2_requests.purge(tx, now)


def _meant(server: Instance, wanted: Sequence[TagPattern]) -> tuple[str, ...]:
    """Return the keys of a server's tags that a request means, in their order."""
    return tuple(
        key
        for key, value in sorted(server.metadata.items())
        if not wanted or any(one.key == key and one.value in (None, value) for one in wanted)
    )


def _page(tx: Transaction, query: InstancesQuery) -> tuple[list[Instance], bool]:
    """Return a page of live instances, and behind the last one those that were deleted."""
    live = InstanceQuery(
        scope=query.scope,
        ids=query.numbers,
        exact=query.exact,
        # Soft-deleted ones too, which have ended for EC2.
        vm_states=tuple(VmState),
        sort=(("created_at", "asc"), ("id", "asc")),
        limit=query.limit,
        after_created_at=query.after_created_at,
        after_id=query.after_id,
    )
    found = instance_pages.page(tx, live)
    if len(found) >= query.limit:
        return found, True
    deleted = dataclasses.replace(
        live,
        deleted=True,
        changes_since=query.deleted_since,
        limit=MAX_DELETED,
        after_created_at=None,
        after_id=None,
    )
    return found + instance_pages.page(tx, deleted), False


def _images(instance: Instance) -> list[str]:
    images = instance.image_ref, instance.kernel_id, instance.ramdisk_id
    return [image for image in images if image]


def _group_numbers(tx: Transaction, found: Iterable[Instance]) -> dict[str, dict[str, int]]:
    names = {name for one in found for name in one.security_groups}
    projects = {one.project_id for one in found}
    return security_groups.numbers_of(tx, sorted(projects), sorted(names)) if names else {}
