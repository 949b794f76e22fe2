"""Conductor interface: tokens of consoles, kept by their hashes."""

from nova.context import RequestContext
from nova.objects.console import ConsoleGrant, LiveGrant
from nova.rpc.interface import Interface, call


class ConductorConsoles(Interface):
    """Tokens of consoles, kept by their hashes."""

    topic = "conductor"
    namespace = "consoles"
    version = "1.0"

    @call(since="1.0", timeout_s=5)
    def grant(self, context: RequestContext, grant: ConsoleGrant) -> None:
        """Keep a token until it expires."""

    @call(since="1.0", timeout_s=4, retry_safe=True)
    def find(self, context: RequestContext, token_hash: str) -> LiveGrant | None:
        """Return what a token stands for.

        None: it is unknown or expired, or its server has ended what it was made for: stopped,
        rebooted hard, moved, deleted and the like.
        """

    @call(since="1.0", timeout_s=5, retry_safe=True)
    def revoke(self, context: RequestContext, instance_uuid: str) -> None:
        """Forget all tokens of a server."""
