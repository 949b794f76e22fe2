"""The server side: finds the method a request names, runs it, and makes the answer."""

import dataclasses
import functools
import inspect
import logging
from collections.abc import Sequence
from typing import Any

from nova import log
from nova.context import RequestContext
from nova.exception import (
    BadMessage,
    ConfigurationError,
    Internal,
    NovaException,
    UnknownMethod,
    UnsupportedVersion,
)
from nova.rpc import codec
from nova.rpc.interface import Interface, interfaces_of, methods_of
from nova.rpc.message import (
    Request,
    Signature,
    decode_context,
    encode_error,
    read_request,
    signatures,
    version_of,
)

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    endpoint: Interface
    signature: Signature


class Dispatcher:
    """Carries out requests on endpoints; shared by all threads, it holds no changing state."""

    def __init__(self, topic: str, endpoints: Sequence[Interface]) -> None:
        self.topic = topic
        self._served: dict[str | None, str] = {}
        self._entries: dict[tuple[str | None, str], _Entry] = {}
        for endpoint in endpoints:
            for interface in interfaces_of(type(endpoint)):
                self._add(endpoint, interface)

    def _add(self, endpoint: Interface, interface: type[Interface]) -> None:
        if interface.namespace in self._served:
            raise ConfigurationError(
                reason=f"two endpoints serve namespace {interface.namespace} of {self.topic}"
            )
        _check_complete(type(endpoint), interface)
        self._served[interface.namespace] = interface.version
        for name, signature in signatures(interface).items():
            entry = _Entry(endpoint=endpoint, signature=signature)
            self._entries[interface.namespace, name] = entry

    def dispatch_raw(self, message: Any, context: Any) -> dict[str, Any]:
        """Carry out what came over the wire; any value is answered, none raises."""
        try:
            request = read_request(message, context)
        except BadMessage as error:
            LOG.warning("A message to %s was dropped: %s", self.topic, error)
            return {"error": encode_error(error, self.topic, "request")}
        return self.dispatch(request)

    def dispatch(self, request: Request) -> dict[str, Any]:
        """Carry out a request; return {"result"} or {"error"}.  Never raises an Exception."""
        try:
            context = decode_context(request.context)
        except BadMessage as error:
            LOG.warning("A message to %s was dropped: %s", self.topic, error)
            return {"error": encode_error(error, self.topic, request.method)}
        with log.bound(context):
            return self._answer(request, context)

    def _answer(self, request: Request, context: RequestContext) -> dict[str, Any]:
        try:
            return {"result": self._run(request, context)}
        except NovaException as error:
            self._log(request, error)
            return {"error": encode_error(error, self.topic, request.method)}
        except Exception as error:
            LOG.exception("Unexpected error in %s.%s", self.topic, request.method)
            return {"error": encode_error(error, self.topic, request.method)}

    def _run(self, request: Request, context: RequestContext) -> Any:
        entry = self._find(request)
        values = entry.signature.decode(request.args)
        method = getattr(entry.endpoint, request.method)
        return codec.encode(method(context, **values), entry.signature.result)

    def _find(self, request: Request) -> _Entry:
        served = self._served.get(request.namespace)
        if served is not None:
            _check_version(self.topic, served, request.version)
        entry = self._entries.get((request.namespace, request.method))
        if entry is None:
            name = ".".join(filter(None, [request.namespace, request.method]))
            raise UnknownMethod(topic=self.topic, method=name)
        return entry

    def _log(self, request: Request, error: NovaException) -> None:
        if isinstance(error, Internal | BadMessage):
            LOG.warning("%s.%s failed: %s", self.topic, request.method, error)
        else:
            LOG.debug("%s.%s: %s", self.topic, request.method, error)


def _check_version(topic: str, served: str, wanted: str) -> None:
    try:
        major, minor = version_of(wanted)
    except ValueError as error:
        raise BadMessage(what=topic, reason="no version") from error
    served_major, served_minor = version_of(served)
    if major != served_major or minor > served_minor:
        raise UnsupportedVersion(topic=topic, served=served, wanted=wanted)


def _check_complete(endpoint: type[Interface], interface: type[Interface]) -> None:
    """Refuse an endpoint that leaves a method out or changes its arguments."""
    for name, method in methods_of(interface).items():
        defined = getattr(endpoint, name)
        if defined is method.function:
            raise ConfigurationError(reason=f"{endpoint.__name__} does not define {name}")
        if _arguments(defined) != _arguments(method.function):
            raise ConfigurationError(
                reason=f"{endpoint.__name__}.{name} has other arguments than {interface.__name__}"
            )


@functools.cache
def _arguments(function: Any) -> list[tuple[str, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in parameters]
