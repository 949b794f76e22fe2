"""What nova-consoleauth does: it makes, checks and revokes the tokens of consoles.

Source: consoles, sections 2 and 7.
"""

from nova.context import RequestContext
from nova.objects.console import ConsoleConnection, ConsoleTarget, ConsoleType
from nova.objects.instance import Instance
from nova.rpc.interface import Interface, call, cast


class ConsoleAuthAPI(Interface):
    """Tokens are kept by the conductor, so that any number of processes may answer."""

    topic = "consoleauth"
    version = "3.0"

    @call(since="3.0", timeout_s=10)
    def authorize_console(
        self,
        context: RequestContext,
        instance: Instance,
        console_type: ConsoleType,
        connection: ConsoleConnection,
    ) -> str:
        """Make a token for a console; return the URL that carries it.

        The token is never stored or logged, its hash is.
        """

    @call(since="3.0", timeout_s=10, retry_safe=True)
    def check_token(self, context: RequestContext, token: str) -> ConsoleTarget | None:
        """Return what a token leads to; None when it is unknown, expired or revoked.

        It is revoked by what ends the guest, by the end of its host's port, and when its user
        is disabled or has no role in the project any more.
        Raises: Unavailable when one of those who know can not be asked.
        """

    @cast(since="3.0")
    def delete_tokens_for_instance(self, context: RequestContext, instance_uuid: str) -> None:
        """Revoke all tokens of a server."""


class ConsoleAPI(Interface):
    """The topic of nova-console, which made pools of consoles on XenServer hosts."""

    topic = "console"
    version = "2.0"

    @cast(since="2.0")
    def add_console(self, context: RequestContext, instance_id: str) -> None:
        """Give a server a console of the pool of its host."""

    @cast(since="2.0")
    def remove_console(self, context: RequestContext, console_id: str) -> None:
        """Take a console away."""
