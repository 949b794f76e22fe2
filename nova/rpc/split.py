"""A bus that is local for most topics, and the daemons' own for some."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from nova.exception import ConfigurationError, MessagingUnavailable, NovaException
from nova.rpc.bus import Bus, Client, RpcServer
from nova.rpc.interface import Interface
from nova.rpc.message import Request
from nova.rpc.notification import Notification
from nova.rpc.proxy import Address, InterfaceClient, Transport

T = TypeVar("T", bound=Interface)

_UNREACHABLE = (ConfigurationError, MessagingUnavailable)


class SplitBus:
    """Carries messages of some topics to the daemons, and all others inside the process.

    It connects when the first such message is sent.  When the daemons' bus can not be
    reached, telling them something is no error: complain is called once with the reason,
    and nothing further is sent.
    """

    def __init__(
        self,
        local: Bus,
        connect: Callable[[], Transport],
        topics: frozenset[str],
        pins: Mapping[str, str | None],
        complain: Callable[[NovaException], None],
    ) -> None:
        self._local = local
        self._connect = connect
        self._topics = topics
        self._pins = dict(pins)
        self._complain = complain
        self._daemons: Transport | None = None
        self._error: NovaException | None = None

    # --- Bus

    def client(self, interface: type[T], topic: str | None = None) -> Client[T]:
        """Return the client of an interface; topic replaces the interface's own."""
        named = topic or interface.topic
        if named not in self._topics:
            return self._local.client(interface, topic)
        return InterfaceClient(interface, self, self._pins.get(named), topic)

    def serve(
        self, topic: str, host: str, endpoints: Sequence[Interface], workers: int = 64
    ) -> RpcServer:
        """Return a server inside the process, not yet started."""
        return self._local.serve(topic, host, endpoints, workers)

    @property
    def notifies(self) -> bool:
        """Tell whether events go anywhere."""
        return self._local.notifies

    def notify(self, notification: Notification) -> None:
        """Publish an event inside the process."""
        self._local.notify(notification)

    def close(self) -> None:
        """Give up what is inside the process."""
        self._local.close()

    # --- Transport

    def call(self, address: Address, request: Request, timeout_s: float) -> dict[str, Any]:
        """Ask a daemon.  Raises: the errors of the daemons' bus."""
        try:
            return self._reach().call(address, request, timeout_s)
        except _UNREACHABLE as error:
            self._give_up(error)
            raise

    def cast(self, address: Address, request: Request) -> None:
        """Tell daemons, if they can be reached."""
        if self._error is not None:
            return
        try:
            self._reach().cast(address, request)
        except _UNREACHABLE as error:
            self._give_up(error)

    def _reach(self) -> Transport:
        if self._error is not None:
            raise self._error
        if self._daemons is None:
            self._daemons = self._connect()
        return self._daemons

    def _give_up(self, error: NovaException) -> None:
        if self._error is None:
            self._error = error
            self._complain(error)
