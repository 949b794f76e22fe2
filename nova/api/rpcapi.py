"""What the API daemons are told by others."""

from nova.context import RequestContext
from nova.rpc.interface import Interface, fanout


class MetadataCacheAPI(Interface):
    """The caches of all nova-api-metadata processes."""

    topic = "metadata"
    version = "1.0"

    @fanout(since="1.0")
    def forget(self, context: RequestContext, addresses: tuple[str, ...]) -> None:
        """Drop what is remembered about guests that had these fixed addresses."""
