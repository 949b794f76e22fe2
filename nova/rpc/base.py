"""What every service answers, whatever it is for."""

from nova.context import RequestContext
from nova.rpc.interface import URGENT_S, Interface, call


class BaseAPI(Interface):
    """Served on each topic beside the topic's own interfaces."""

    topic = "base"
    namespace = "baseapi"
    version = "1.1"

    @call(since="1.0", timeout_s=URGENT_S)
    def ping(self, context: RequestContext, arg: str) -> str:
        """Return an id of the process that answers.  arg may be anything."""
        raise NotImplementedError


class BaseEndpoint(BaseAPI):
    """Answers with the process's own id."""

    def __init__(self, process_id: str) -> None:
        self._process_id = process_id

    def ping(self, context: RequestContext, arg: str) -> str:
        """Return the id of this process."""
        return self._process_id
