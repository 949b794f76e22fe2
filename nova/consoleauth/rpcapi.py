"""What nova-consoleauth does: it makes, checks and revokes the tokens of consoles."""

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
        """Return what a token leads to; None when it is unknown, expired or revoked."""

    @cast(since="3.0")
    def delete_tokens_for_instance(self, context: RequestContext, instance_uuid: str) -> None:
        """Revoke all tokens of a server."""
