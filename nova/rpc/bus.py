"""What a message bus offers; LocalBus and AmqpBus are the two kinds."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from nova.rpc.interface import Interface
from nova.rpc.notification import Notification

T = TypeVar("T", bound=Interface)
T_co = TypeVar("T_co", bound=Interface, covariant=True)


class Client(Protocol[T_co]):
    """Gives proxies of an interface; a proxy has the interface's own type."""

    def anyone(self) -> T_co:
        """Return a proxy that reaches one of the servers of the topic."""

    def on(self, host: str) -> T_co:
        """Return a proxy that reaches the server on a host."""

    def everyone(self) -> T_co:
        """Return a proxy that reaches every server of the topic; casts only."""


class RpcServer(Protocol):
    """Serves endpoints on topic, topic.host and the topic's fanout."""

    def start(self) -> None:
        """Begin to take messages."""

    def stop(self) -> None:
        """Take no further messages; what runs goes on."""

    def restart(self) -> None:
        """Give up the connection and consume anew from queues declared anew."""

    def drain(self, timeout_s: float) -> bool:
        """Wait for what runs, at most timeout_s; tell whether all of it ended."""


class Bus(Protocol):
    """A message bus: a client side and a server side."""

    def client(self, interface: type[T], topic: str | None = None) -> Client[T]:
        """Return the client of an interface; topic replaces the interface's own."""

    def serve(
        self, topic: str, host: str, endpoints: Sequence[Interface], workers: int = 64
    ) -> RpcServer:
        """Return a server, not yet started; workers bounds the messages handled at once.

        Raises: ConfigurationError when an endpoint does not fit its interface.
        """

    @property
    def notifies(self) -> bool:
        """Tell whether events go anywhere; if not, they need not be made."""

    def notify(self, notification: Notification) -> None:
        """Publish an event.  Raises: MessagingUnavailable."""

    def close(self) -> None:
        """Give up all connections."""
