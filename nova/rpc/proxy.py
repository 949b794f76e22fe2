"""The client side of an interface: proxies that send what is called on them."""

import dataclasses
import functools
import logging
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

from nova.context import RequestContext
from nova.exception import MessagingTimeout, ServiceNotListening, VersionPinned
from nova.rpc import codec
from nova.rpc.interface import Interface, Kind, Method, methods_of
from nova.rpc.message import (
    Request,
    Signature,
    decode_error,
    encode_context,
    signatures,
    version_of,
)

LOG = logging.getLogger(__name__)

T = TypeVar("T", bound=Interface)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a message goes: a topic, and one host of it or all of them."""

    topic: str
    host: str | None = None
    everyone: bool = False


class Transport(Protocol):
    """Carries messages; what a bus gives its proxies."""

    def call(self, address: Address, request: Request, timeout_s: float) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises: MessagingTimeout, MessagingUnavailable, BadMessage.
        """

    def cast(self, address: Address, request: Request) -> None:
        """Send a request that has no answer.  Raises: MessagingUnavailable, BadMessage."""


class InterfaceClient(Generic[T]):
    """Client of an interface over a transport; pin caps the version that is spoken."""

    def __init__(
        self,
        interface: type[T],
        transport: Transport,
        pin: str | None = None,
        topic: str | None = None,
    ) -> None:
        self._interface = interface
        self._transport = transport
        self._pin = pin
        self._topic = topic or interface.topic
        self._class = _proxy_class(interface)

    def anyone(self) -> T:
        """Return a proxy that reaches one of the servers of the topic."""
        return self._proxy(Address(topic=self._topic))

    def on(self, host: str) -> T:
        """Return a proxy that reaches the server on a host."""
        return self._proxy(Address(topic=self._topic, host=host))

    def everyone(self) -> T:
        """Return a proxy that reaches every server of the topic; casts only."""
        return self._proxy(Address(topic=self._topic, everyone=True))

    def _proxy(self, address: Address) -> T:
        return cast(T, self._class(self._interface, self._transport, address, self._pin))


class _Proxy:
    """Sends what is called on it; its methods are those of one interface."""

    __slots__ = ("_address", "_interface", "_pin", "_transport")

    def __init__(
        self,
        interface: type[Interface],
        transport: Transport,
        address: Address,
        pin: str | None,
    ) -> None:
        self._interface = interface
        self._transport = transport
        self._address = address
        self._pin = pin

    def _send(
        self,
        method: Method,
        signature: Signature,
        context: RequestContext,
        values: dict[str, Any],
    ) -> Any:
        version = self._negotiate(method, signature, values)
        request = Request(
            method=method.name,
            namespace=self._interface.namespace,
            version=version,
            context=encode_context(context),
            args=signature.encode(values),
        )
        if method.kind is Kind.CALL:
            return self._call(method, signature, request)
        fanout = method.kind is Kind.FANOUT
        address = Address(topic=self._address.topic, everyone=True) if fanout else self._address
        self._transport.cast(address, request)
        return None

    def _call(self, method: Method, signature: Signature, request: Request) -> Any:
        if self._address.everyone:
            raise TypeError(f"{signature.what} has an answer: it can not be sent to everyone")
        try:
            answer = self._transport.call(self._address, request, method.timeout_s)
        except ServiceNotListening:
            raise
        except MessagingTimeout:
            if not method.retry_safe:
                raise
            LOG.debug("No answer to %s; it is asked once more.", signature.what)
            answer = self._transport.call(self._address, request, method.timeout_s)
        if "error" in answer:
            raise decode_error(answer["error"], self._address.topic, method.name)
        return codec.decode(answer.get("result"), signature.result)

    def _negotiate(self, method: Method, signature: Signature, values: dict[str, Any]) -> str:
        """Return the version the request needs; drop arguments that the pin does not know.

        Newer arguments at their default are left out, so that older servers can be asked.
        Raises: VersionPinned.
        """
        needed, pin = method.since, self._pin
        if pin is not None and not _covers(pin, needed):
            raise VersionPinned(
                method=signature.what, since=needed, topic=self._address.topic, pin=pin
            )
        for parameter in signature.parameters:
            if parameter.since is None or parameter.name not in values:
                continue
            if values[parameter.name] == parameter.default:
                del values[parameter.name]
            elif pin is not None and not _covers(pin, parameter.since):
                LOG.debug("%s: argument %s is newer than the pin.", signature.what, parameter.name)
                del values[parameter.name]
            else:
                needed = max(needed, parameter.since, key=version_of)
        return needed


def _covers(served: str, wanted: str) -> bool:
    (major, minor), (wanted_major, wanted_minor) = version_of(served), version_of(wanted)
    return major == wanted_major and wanted_minor <= minor


def _make_class(interface: type[Interface]) -> type[_Proxy]:
    declared = signatures(interface)
    methods = methods_of(interface).items()
    body = {name: _method(method, declared[name]) for name, method in methods}
    return type(f"{interface.__name__}Proxy", (_Proxy,), {**body, "__slots__": ()})


_proxy_class = cast(Callable[[type[Interface]], type[_Proxy]], functools.cache(_make_class))


def _method(method: Method, signature: Signature) -> Any:
    def send(self: _Proxy, context: RequestContext, *args: Any, **kwargs: Any) -> Any:
        return self._send(method, signature, context, signature.bind(args, kwargs))

    send.__name__ = method.name
    send.__doc__ = method.function.__doc__
    return send
