"""Conductor interface: what the EC2 API alone needs."""

import datetime

from nova.context import RequestContext
from nova.objects.ec2 import (
    BegunRequest,
    BootMaterial,
    BootNames,
    DescribedInstances,
    InstancesQuery,
    KeptAnswer,
    TagPattern,
)
from nova.objects.instance import Instance, Scope
from nova.rpc.interface import Interface, call


class ConductorEc2(Interface):
    """Requests that act once, and the numbers that ids are made of."""

    topic = "conductor"
    namespace = "ec2"
    version = "1.0"

    @call(since="1.0")
    def begin_request(
        self, context: RequestContext, digest: str, expires_at: datetime.datetime
    ) -> BegunRequest:
        """Tell whether a signed request is new, and remember it while its signature lives."""

    @call(since="1.0", retry_safe=True)
    def finish_request(self, context: RequestContext, digest: str, answer: KeptAnswer) -> None:
        """Keep the answer to a request for its repetitions."""

    @call(since="1.0", retry_safe=True)
    def number_images(self, context: RequestContext, image_ids: tuple[str, ...]) -> dict[str, int]:
        """Return the numbers of images by their ids; unseen ones get theirs now."""

    @call(since="1.0", retry_safe=True)
    def number_instances(
        self, context: RequestContext, instance_uuids: tuple[str, ...]
    ) -> dict[str, int]:
        """Return the numbers of live instances by their uuids."""

    @call(since="1.0", retry_safe=True)
    def images_of_numbers(
        self, context: RequestContext, numbers: tuple[int, ...]
    ) -> dict[int, str]:
        """Return the ids of images by their numbers, of those that have been given out."""

    @call(since="1.0", retry_safe=True)
    def page_instances(self, context: RequestContext, query: InstancesQuery) -> DescribedInstances:
        """Return one page of instances with everything that is told of them."""

    @call(since="1.0", timeout_s=300)
    def begin_actions(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...], action: str
    ) -> tuple[Instance, ...]:
        """Begin an action on each of some servers, on none unless all of them allow it.

        There may be a thousand; return them as they are then.
        Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady,
        Ec2TerminationDisabled.
        """

    @call(since="1.0", retry_safe=True)
    def set_termination_disabled(
        self, context: RequestContext, scope: Scope, instance_uuid: str, disabled: bool
    ) -> None:
        """Protect a server from actions of this interface that end it, or no longer.

        Raises: InstanceNotFound.
        """

    @call(since="1.0", retry_safe=True)
    def set_tags(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuids: tuple[str, ...],
        tags: dict[str, str],
    ) -> None:
        """Add tags to servers or replace them, on all of the servers or on none.

        Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, MetadataLimitExceeded.
        """

    @call(since="1.0", retry_safe=True)
    def delete_tags(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuids: tuple[str, ...],
        wanted: tuple[TagPattern, ...],
    ) -> None:
        """Take tags off servers, all tags when none is named; off all of the servers or none.

        Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked.
        """

    @call(since="1.0", retry_safe=True)
    def set_security_groups(
        self, context: RequestContext, scope: Scope, instance_uuid: str, names: tuple[str, ...]
    ) -> None:
        """Put a server into some groups and out of all others.

        Raises: InstanceNotFound, SecurityGroupNotFound, SecurityGroupInvalid.
        """

    @call(since="1.0", retry_safe=True)
    def boot_material(self, context: RequestContext, names: BootNames) -> BootMaterial:
        """Return what the names in a request for instances stand for."""

    @call(since="1.0", retry_safe=True)
    def names_of_groups(
        self, context: RequestContext, project_id: str, numbers: tuple[int, ...]
    ) -> dict[int, str]:
        """Return the names of those groups of a project that have one of the integer ids."""

    @call(since="1.0", retry_safe=True)
    def purge(self, context: RequestContext) -> int:
        """Forget requests whose signatures have ended; return how many those were."""
