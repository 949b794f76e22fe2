"""Proves that a service's own queue still reaches it, and heals it when not."""

import logging

from nova.context import get_admin_context
from nova.exception import NovaException
from nova.rpc.base import BaseAPI
from nova.rpc.bus import Bus, RpcServer

LOG = logging.getLogger(__name__)


class SelfCheck:
    """Pings this process over the bus.

    siblings: processes that share topic and host with this one; the queue gives messages
    to them in turn, so that many pings may be needed until this one is reached.
    """

    def __init__(
        self, bus: Bus, server: RpcServer, topic: str, host: str, process_id: str, siblings: int = 1
    ) -> None:
        self._client = bus.client(BaseAPI, topic)
        self._server = server
        self._where = f"{topic}.{host}"
        self._host = host
        self._process_id = process_id
        self._tries = 1 if siblings == 1 else 3 * siblings

    def run(self) -> bool:
        """Ping; restart the server when no ping arrives.  Tell whether all was well."""
        if self.reached():
            return True
        LOG.warning("Messages to %s do not arrive here: connecting anew.", self._where)
        self._server.restart()
        return False

    def reached(self) -> bool:
        """Tell whether a ping reaches this process."""
        context = get_admin_context()
        for _ in range(self._tries):
            try:
                answer = self._client.on(self._host).ping(context, self._process_id)
            except NovaException as error:
                LOG.info("No answer to the ping of %s: %s", self._where, error)
                return False
            if answer == self._process_id:
                return True
        return False
