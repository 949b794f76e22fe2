"""Metadata and tags of servers."""

from nova import clock
from nova.conductor import server_metadata
from nova.conductor.checks import check_metadata_write, check_writable, require
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import instance_details, instances
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    InstanceMetadataNotFound,
    InstanceTagNotFound,
    TooManyTags,
)
from nova.objects.instance import Instance, Scope

MAX_TAGS = 50


class ServerItems(ConductorInstances):
    """Serves what users note about their servers."""

    db: Database
    settings: ConductorSettings

    @retried
    def set_metadata(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        metadata: dict[str, str],
        replace: bool = False,
    ) -> dict[str, str]:
        """Add or replace metadata; return all of it."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            if not replace:
                server_metadata.add(tx, context, self.settings.quotas, [instance], metadata)
                return instance.metadata | metadata
            check_metadata_write(context, instance)
            server_metadata.check_sizes(tx, self.settings.quotas, [(instance, metadata)])
            instance_details.delete_metadata(tx, [instance.uuid], None)
            instance_details.create_metadata(tx, [instance.uuid], metadata)
            _touch(tx, instance)
        return dict(metadata)

    @retried
    def delete_metadata(
        self, context: RequestContext, scope: Scope, instance_uuid: str, key: str
    ) -> None:
        """Remove one item."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            check_metadata_write(context, instance)
            if not instance_details.delete_metadata(tx, [instance.uuid], [key]):
                raise InstanceMetadataNotFound(key=key)
            _touch(tx, instance)

    @retried
    def set_tags(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tags: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Replace all tags; return them."""
        wanted = tuple(sorted(set(tags)))
        if len(wanted) > MAX_TAGS:
            raise TooManyTags(limit=MAX_TAGS)
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            check_writable(instance, "update tags")
            instance_details.delete_tags(tx, instance.uuid, None)
            instance_details.create_tags(tx, [instance.uuid], wanted)
            _touch(tx, instance)
        return wanted

    @retried
    def add_tag(self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str) -> bool:
        """Add a tag; tell whether it is new."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            check_writable(instance, "update tags")
            if tag in instance.tags:
                return False
            if len(instance.tags) >= MAX_TAGS:
                raise TooManyTags(limit=MAX_TAGS)
            instance_details.create_tags(tx, [instance.uuid], [tag])
            _touch(tx, instance)
        return True

    @retried
    def delete_tag(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str
    ) -> None:
        """Remove a tag."""
        with self.db.transaction() as tx:
            instance = require(tx, scope, instance_uuid)
            check_writable(instance, "update tags")
            if not instance_details.delete_tags(tx, instance.uuid, [tag]):
                raise InstanceTagNotFound(instance_uuid=instance_uuid, tag=tag)
            _touch(tx, instance)


def _touch(tx: Transaction, instance: Instance) -> None:
    instances.touch(tx, [instance.uuid], clock.utcnow())
