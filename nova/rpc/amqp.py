"""The bus over a broker, by oslo.messaging: the only place that imports it.

Queues are Nova's: topic, topic.host, and one fanout queue per process.  A message names
method, namespace and version; answers are {"result"} or {"error"} and never hold pickles
or tracebacks.
"""

import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.rpc.server import RPCServer

from nova import concurrency
from nova.exception import (
    BadMessage,
    ConfigurationError,
    MessagingTimeout,
    MessagingUnavailable,
    ServiceNotListening,
)
from nova.rpc.bus import Client
from nova.rpc.dispatch import Dispatcher
from nova.rpc.interface import Interface
from nova.rpc.message import MAX_BYTES, Request, dumps, encode_error
from nova.rpc.notification import Notification
from nova.rpc.proxy import Address, InterfaceClient

LOG = logging.getLogger(__name__)

T = TypeVar("T", bound=Interface)

SEND_RETRIES = 2

# The group of oslo.messaging for events, and its topic by default.
EVENTS_GROUP = "oslo_messaging_notifications"
EVENTS_TOPIC = "notifications"

_MUST_ARRIVE = oslo_messaging.TransportOptions(at_least_once=True)
_PREFETCH = 32
_AMQP_PORT = 5672
_PROBE_S = 3.0


class AmqpBus:
    """Messages over the broker that transport_url names.

    Made after a process forked, never before: connections do not survive it.
    """

    def __init__(self, conf: cfg.ConfigOpts, pins: Mapping[str, str | None] | None = None) -> None:
        self._pins = dict(pins or {})
        self._conf = conf
        self._notifiers: dict[str, oslo_messaging.Notifier] = {}
        self.max_bytes = int(conf.get("rpc_max_message_bytes", MAX_BYTES))
        try:
            self._transport = oslo_messaging.get_rpc_transport(conf, allowed_remote_exmods=[])
            self._events = oslo_messaging.get_notification_transport(conf, allowed_remote_exmods=[])
        except (oslo_messaging.DriverLoadFailure, oslo_messaging.InvalidTransportURL) as error:
            raise ConfigurationError(reason="transport_url names no usable broker") from error
        self.notifies = bool(set(conf[EVENTS_GROUP].driver) - {"", "noop"})
        url = oslo_messaging.TransportURL.parse(conf)
        self._hosts = [(host.hostname, host.port or _AMQP_PORT) for host in url.hosts]
        self._reached = not self._hosts
        if "oslo_messaging_rabbit" in conf:
            conf.set_default("rabbit_qos_prefetch_count", _PREFETCH, group="oslo_messaging_rabbit")
        self._client = oslo_messaging.get_rpc_client(
            self._transport, oslo_messaging.Target(), retry=SEND_RETRIES
        )

    def client(self, interface: type[T], topic: str | None = None) -> Client[T]:
        """Return the client of an interface; topic replaces the interface's own."""
        return InterfaceClient(interface, self, self._pins.get(topic or interface.topic), topic)

    def serve(
        self, topic: str, host: str, endpoints: Sequence[Interface], workers: int = 64
    ) -> "AmqpServer":
        """Return a server, not yet started; workers bounds the messages handled at once.

        Raises: ConfigurationError when an endpoint does not fit its interface.
        """
        adapter = _Adapter(Dispatcher(topic, endpoints), self.max_bytes)
        target = oslo_messaging.Target(topic=topic, server=host)
        return AmqpServer(self._transport, target, adapter, workers)

    def notify(self, notification: Notification) -> None:
        """Publish an event as [oslo_messaging_notifications] says.

        Raises: MessagingUnavailable.
        """
        notifier = self._notifiers.get(notification.topic)
        if notifier is None:
            topics = [notification.topic]
            if notification.topic == EVENTS_TOPIC:
                topics = self._conf[EVENTS_GROUP].topics
            notifier = oslo_messaging.Notifier(self._events, topics=topics, retry=SEND_RETRIES)
            self._notifiers[notification.topic] = notifier
        publisher = notifier.prepare(publisher_id=notification.publisher_id)
        publish = publisher.error if notification.priority == "error" else publisher.info
        try:
            publish(notification.context, notification.event_type, notification.payload)
        except oslo_messaging.MessagingException as error:
            raise MessagingUnavailable() from error

    def close(self) -> None:
        """Give up all connections."""
        self._transport.cleanup()
        self._events.cleanup()

    def _check_reachable(self) -> None:
        """Refuse to wait for ever for a broker that was never reached.

        oslo.messaging 18 opens the queue for answers without any limit of time; once that
        is open, its own limits hold.  Raises: MessagingUnavailable.
        """
        if not self._reached:
            _probe(self._hosts)
            self._reached = True

    # --- Transport

    def call(self, address: Address, request: Request, timeout_s: float) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        client = self._prepared(address, request, timeout_s)
        self._check_reachable()
        try:
            answer = client.call(request.context, request.method, **request.args)
        except oslo_messaging.MessagingTimeout as error:
            raise MessagingTimeout(
                topic=address.topic, method=request.method, timeout_s=timeout_s
            ) from error
        except oslo_messaging.MessageUndeliverable as error:
            raise ServiceNotListening(topic=address.topic, method=request.method) from error
        except oslo_messaging.MessageDeliveryFailure as error:
            raise MessagingUnavailable() from error
        if not isinstance(answer, dict):
            raise BadMessage(what=request.method, reason="the answer is no object")
        return answer

    def cast(self, address: Address, request: Request) -> None:
        """Send a request without answer."""
        client = self._prepared(address, request, None)
        self._check_reachable()
        try:
            client.cast(request.context, request.method, **request.args)
        except oslo_messaging.MessageDeliveryFailure as error:
            raise MessagingUnavailable() from error

    def _prepared(self, address: Address, request: Request, timeout_s: float | None) -> Any:
        dumps(request.args, request.method, self.max_bytes)
        return self._client.prepare(
            topic=address.topic,
            server=address.host,
            fanout=address.everyone or None,
            namespace=request.namespace,
            version=request.version,
            timeout=timeout_s,
            transport_options=_MUST_ARRIVE if timeout_s is not None else None,
        )


def _probe(hosts: list[tuple[str, int]]) -> None:
    for host in hosts:
        try:
            socket.create_connection(host, timeout=_PROBE_S).close()
        except OSError:
            continue
        return
    raise MessagingUnavailable()


class _Adapter:
    """Stands where oslo.messaging expects its own dispatcher; counts what runs."""

    def __init__(self, dispatcher: Dispatcher, max_bytes: int) -> None:
        self._dispatcher = dispatcher
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._running = 0

    def dispatch(self, incoming: Any) -> dict[str, Any]:
        """Carry out a message and return the answer; errors are answers too."""
        with self._changed:
            self._running += 1
        try:
            message = incoming.message
            topic = self._dispatcher.topic
            try:
                dumps(message, topic, self._max_bytes)
                answer = self._dispatcher.dispatch_raw(message, incoming.ctxt)
                dumps(answer, topic, self._max_bytes)
            except BadMessage as error:
                LOG.warning("%s", error)
                answer = {"error": encode_error(error, topic, "")}
            return answer
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing runs; tell whether that came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, timeout_s)


class AmqpServer:
    """Endpoints on topic, topic.host and the topic's fanout."""

    def __init__(
        self,
        transport: Any,
        target: oslo_messaging.Target,
        adapter: _Adapter,
        workers: int,
    ) -> None:
        self._transport = transport
        self._target = target
        self._adapter = adapter
        self._workers = workers
        self._server: RPCServer | None = None

    def start(self) -> None:
        """Begin to take messages.  Raises: MessagingUnavailable."""
        server = RPCServer(self._transport, self._target, self._adapter)
        try:
            server.start(override_pool_size=self._workers)
        except oslo_messaging.MessagingException as error:
            raise MessagingUnavailable() from error
        self._server = server

    def stop(self) -> None:
        """Take no further messages; what runs goes on."""
        if self._server is not None:
            self._server.stop()

    def drain(self, timeout_s: float) -> bool:
        """Wait for what runs, at most timeout_s; tell whether all of it ended."""
        done = self._adapter.wait(timeout_s)
        if done and self._server is not None:
            self._server.wait()
            self._server = None
        return done

    def restart(self) -> None:
        """Give up the connection and consume anew; what runs goes on."""
        old, self._server = self._server, None
        if old is not None:
            old.stop()
            concurrency.spawn(old.wait, name="rpc-old-server")
        self.start()
