"""What is inside a message: requests, answers and errors, as JSON-ready values.

A request is {"method", "namespace", "version", "context", "args"}; an answer is
{"result"} or {"error": {"class", "kwargs"}}.
"""

import dataclasses
import functools
import inspect
import json
import typing
from collections.abc import Callable, Mapping
from typing import Any

import nova.exception
from nova.context import RequestContext
from nova.exception import BadMessage, NovaException, RemoteError
from nova.rpc import codec
from nova.rpc.interface import Interface, Method, methods_of

MAX_BYTES = 16 * 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One message to a server."""

    method: str
    namespace: str | None
    version: str
    context: dict[str, Any]
    args: dict[str, Any]

    def message(self) -> dict[str, Any]:
        """Return the JSON-ready form, which shares its parts with this."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def read_request(message: Any, context: Any) -> Request:
    """Return the request that a message holds.  Raises: BadMessage."""
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        raise BadMessage(what="request", reason="no method")
    method, namespace = message["method"], message.get("namespace")
    version, args = message.get("version"), message.get("args", {})
    if not isinstance(version, str) or not isinstance(namespace, str | None):
        raise BadMessage(what=method, reason="no version or no namespace")
    if not isinstance(args, dict) or not isinstance(context, dict):
        raise BadMessage(what=method, reason="no arguments or no context")
    return Request(method=method, namespace=namespace, version=version, context=context, args=args)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared argument; since is the version that brought it, if newer than the method."""

    name: str
    hint: Any
    default: Any
    since: str | None

    @property
    def required(self) -> bool:
        """Tell whether a request must name it."""
        return self.default is inspect.Parameter.empty


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The declared arguments and result of a method, context apart."""

    what: str
    parameters: tuple[Parameter, ...]
    result: Any
    call_form: inspect.Signature

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments by name, without those left at their default.

        Raises: TypeError when they do not fit the declaration.
        """
        return dict(self.call_form.bind(*args, **kwargs).arguments)

    def encode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON-ready form of arguments.  Raises: BadMessage."""
        return {
            p.name: codec.encode(values[p.name], p.hint)
            for p in self.parameters
            if p.name in values
        }

    def decode(self, values: Any) -> dict[str, Any]:
        """Return arguments from their JSON form; unknown ones are dropped.

        Raises: BadMessage.
        """
        if not isinstance(values, dict):
            raise BadMessage(what=self.what, reason="the arguments are no object")
        missing = [p.name for p in self.parameters if p.required and p.name not in values]
        if missing:
            raise BadMessage(what=self.what, reason=f"arguments missing: {', '.join(missing)}")
        return {
            p.name: codec.decode(values[p.name], p.hint)
            for p in self.parameters
            if p.name in values
        }


@functools.cache
def _signatures(interface: type[Interface]) -> dict[str, Signature]:
    return {name: _signature(interface, method) for name, method in methods_of(interface).items()}


_cached = typing.cast(
    Callable[[type[Interface]], dict[str, Signature]], functools.cache(_signatures)
)


def signatures(interface: type[Interface]) -> dict[str, Signature]:
    """Return the signatures of an interface's methods by name."""
    return _cached(interface)


def _signature(interface: type[Interface], method: Method) -> Signature:
    hints = typing.get_type_hints(method.function)
    declared = inspect.signature(method.function)
    own = list(declared.parameters.values())[2:]
    return Signature(
        what=f"{interface.__name__}.{method.name}",
        parameters=tuple(
            Parameter(
                name=p.name, hint=hints[p.name], default=p.default, since=method.args.get(p.name)
            )
            for p in own
        ),
        result=hints.get("return", type(None)),
        call_form=inspect.Signature(own),
    )


def version_of(text: str) -> tuple[int, int]:
    """Return major and minor of a version text.  Raises: ValueError."""
    major, minor = text.split(".")
    return int(major), int(minor)


def dumps(value: Any, what: str, limit: int = MAX_BYTES) -> bytes:
    """Return JSON text of a message.  Raises: BadMessage when it is too large or no JSON."""
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadMessage(what=what, reason=str(error)) from error
    if len(text) > limit:
        raise BadMessage(what=what, reason=f"{len(text)} bytes are more than {limit}")
    return text


def loads(text: bytes, what: str, limit: int = MAX_BYTES) -> Any:
    """Return the value of a JSON text.  Raises: BadMessage."""
    if len(text) > limit:
        raise BadMessage(what=what, reason=f"{len(text)} bytes are more than {limit}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(what=what, reason="no JSON") from error


def encode_context(context: RequestContext) -> dict[str, Any]:
    """Return the JSON-ready form of a context."""
    return typing.cast(dict[str, Any], codec.encode(context, RequestContext))


def decode_context(value: Any) -> RequestContext:
    """Return a context from its JSON form.  Raises: BadMessage."""
    return typing.cast(RequestContext, codec.decode(value, RequestContext))


def encode_error(error: BaseException, topic: str, method: str) -> dict[str, Any]:
    """Return the wire form of an error; unexpected ones become a RemoteError."""
    if not isinstance(error, NovaException) or _error_class(type(error).__name__) is None:
        error = RemoteError(topic=topic, method=method, type=type(error).__name__)
    return {"class": type(error).__name__, "kwargs": _plain(error.kwargs)}


def decode_error(value: Any, topic: str, method: str) -> NovaException:
    """Return the error that an answer carries."""
    if isinstance(value, dict) and isinstance(value.get("class"), str):
        cls, kwargs = _error_class(value["class"]), value.get("kwargs")
        if cls is not None and isinstance(kwargs, dict):
            try:
                return cls(**kwargs)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError):
                return RemoteError(topic=topic, method=method, type=value["class"])
        return RemoteError(topic=topic, method=method, type=value["class"])
    return RemoteError(topic=topic, method=method, type="unreadable")


def _error_class(name: str) -> type[NovaException] | None:
    found = getattr(nova.exception, name, None)
    if isinstance(found, type) and issubclass(found, NovaException):
        return found
    return None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
