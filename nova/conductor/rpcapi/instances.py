"""Conductor interface: servers: everything the API asks for."""

from nova.context import RequestContext
from nova.objects.action_request import ActionRequest
from nova.objects.instance import (
    CreatedServers,
    Instance,
    InstanceChange,
    InstanceQuery,
    InstanceSummary,
    NewServers,
    Scope,
)
from nova.objects.lifecycle import VmState
from nova.objects.operation import (
    ActionQuery,
    ActionRecord,
)
from nova.objects.request_spec import PlacementReport
from nova.rpc.interface import Interface, call, cast


class ConductorInstances(Interface):
    """Servers: everything the API asks for."""

    topic = "conductor"
    namespace = "instances"
    version = "1.2"

    @call(since="1.0")
    def create_servers(self, context: RequestContext, new: NewServers) -> CreatedServers:
        """Store servers with quota, networks and tags in one transaction; begin to build them.

        Raises: OverQuota, FlavorNotFound, KeypairNotFound, NetworkNotFound, FixedIpInvalid,
        FixedIpAlreadyInUse, FlavorMemoryTooSmall, FlavorDiskTooSmall.
        """

    @call(since="1.1", retry_safe=True)
    def hosts_of(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the hosts of the live servers among some, "" for one without a host."""

    @cast(since="1.2")
    def renew_networks(
        self, context: RequestContext, scope: Scope, instance_uuids: tuple[str, ...]
    ) -> None:
        """Have hosts write anew what the networks of servers need; their locks do not matter.

        A server that waits for that already, or has not been launched, is passed over.
        """

    @call(since="1.0", retry_safe=True)
    def page_summaries(
        self, context: RequestContext, query: InstanceQuery
    ) -> tuple[InstanceSummary, ...]:
        """Return one page of servers, names only.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: InstanceQuery) -> tuple[Instance, ...]:
        """Return one page of servers with everything.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, scope: Scope, instance_uuid: str) -> Instance:
        """Return a server.  Raises: InstanceNotFound."""

    @call(since="1.0")
    def update(
        self, context: RequestContext, scope: Scope, instance_uuid: str, change: InstanceChange
    ) -> Instance:
        """Change what the owner may change; return the server after it."""

    @call(since="1.0", args={"request": "1.1", "admin_password": "1.1"})
    def begin_action(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        action: str,
        arguments: dict[str, str] | None = None,
        request: ActionRequest | None = None,
        admin_password: str | None = None,
    ) -> Instance:
        """Set the action's task state, store the operation, and dispatch it.

        action is a key of lifecycle.ACTIONS; request is what it needs to know.
        admin_password is handed to the host and stored nowhere.
        Returns the server as it is afterwards.
        Raises: InstanceNotFound, InstanceInvalidState, InstanceIsLocked, InstanceNotReady, and
        what the rules of the action raise.
        """

    @call(since="1.1")
    def lock(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        reason: str | None = None,
    ) -> None:
        """Lock a server, for its owner or for an administrator.

        A lock that is there already is replaced by an administrator's only.
        """

    @call(since="1.1")
    def unlock(
        self, context: RequestContext, scope: Scope, instance_uuid: str, override: bool = False
    ) -> None:
        """Unlock a server; override: also when somebody else locked it.

        Raises: PolicyNotAuthorized.
        """

    @call(since="1.1")
    def reset_state(
        self, context: RequestContext, scope: Scope, instance_uuid: str, vm_state: VmState
    ) -> None:
        """Make a server active or error, and give up what is unfinished on it."""

    @call(since="1.1")
    def add_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Put a server into a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""

    @call(since="1.1")
    def remove_security_group(
        self, context: RequestContext, scope: Scope, instance_uuid: str, name: str
    ) -> None:
        """Take a server out of a group.  Raises: SecurityGroupNotFound, SecurityGroupInvalid."""

    @call(since="1.1", retry_safe=True)
    def get_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> str:
        """Return the opaque password that the guest posted, an empty text if none."""

    @call(since="1.1", retry_safe=True)
    def clear_password(self, context: RequestContext, scope: Scope, instance_uuid: str) -> None:
        """Forget the password that the guest posted."""

    @call(since="1.0")
    def set_metadata(
        self,
        context: RequestContext,
        scope: Scope,
        instance_uuid: str,
        metadata: dict[str, str],
        replace: bool = False,
    ) -> dict[str, str]:
        """Add or replace metadata; return all of it.  Raises: MetadataLimitExceeded."""

    @call(since="1.0")
    def delete_metadata(
        self, context: RequestContext, scope: Scope, instance_uuid: str, key: str
    ) -> None:
        """Remove one item.  Raises: InstanceMetadataNotFound."""

    @call(since="1.0")
    def set_tags(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tags: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Replace all tags (none: remove them); return them.  Raises: TooManyTags."""

    @call(since="1.0")
    def add_tag(self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str) -> bool:
        """Add a tag; tell whether it is new.  Raises: TooManyTags."""

    @call(since="1.0")
    def delete_tag(
        self, context: RequestContext, scope: Scope, instance_uuid: str, tag: str
    ) -> None:
        """Remove a tag.  Raises: InstanceTagNotFound."""

    @call(since="1.0", retry_safe=True)
    def page_actions(
        self, context: RequestContext, scope: Scope, instance_uuid: str, query: ActionQuery
    ) -> tuple[ActionRecord, ...]:
        """Return one page of a server's actions, newest first, also of a deleted server."""

    @call(since="1.0", retry_safe=True)
    def get_action(
        self, context: RequestContext, scope: Scope, instance_uuid: str, request_id: str
    ) -> ActionRecord:
        """Return one action with its events.  Raises: ActionNotFound."""

    @call(since="1.0", retry_safe=True)
    def explain(
        self, context: RequestContext, scope: Scope, instance_uuid: str
    ) -> tuple[PlacementReport, ...]:
        """Return the placement reports of a server, oldest first."""
