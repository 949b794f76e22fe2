"""Conductor interface: key pairs of users."""

from nova.context import RequestContext
from nova.objects.keypair import Keypair, NewKeypair
from nova.rpc.interface import Interface, call


class ConductorKeypairs(Interface):
    """Key pairs of users."""

    topic = "conductor"
    namespace = "keypairs"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def page(
        self,
        context: RequestContext,
        user_id: str,
        limit: int = 1000,
        marker: str | None = None,
    ) -> tuple[Keypair, ...]:
        """Return one page of a user's key pairs by name.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, user_id: str, name: str) -> Keypair:
        """Return a key pair.  Raises: KeypairNotFound."""

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewKeypair) -> Keypair:
        """Store a key pair.  Raises: KeypairExists, QuotaExceeded."""

    @call(since="1.0")
    def delete(self, context: RequestContext, user_id: str, name: str) -> None:
        """Delete a key pair.  Raises: KeypairNotFound."""
