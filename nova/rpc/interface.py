"""Declaration of RPC methods: once, for client and server alike."""

import dataclasses
import enum
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__nova_rpc__"

URGENT_S = 5.0
NORMAL_S = 60.0


class Kind(enum.StrEnum):
    """How a message travels: with an answer, without one, or to every server of a topic."""

    CALL = "call"
    CAST = "cast"
    FANOUT = "fanout"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One declared method; args maps newer arguments to the version that brought them."""

    name: str
    kind: Kind
    since: str
    timeout_s: float
    retry_safe: bool
    args: Mapping[str, str]
    function: Callable[..., Any]


class Interface:
    """Base of all interfaces.

    version grows in its minor part with each method or argument added; since tells which
    minor brought it.  Servers subclass the interface and define every method.
    """

    topic: ClassVar[str]
    version: ClassVar[str]
    namespace: ClassVar[str | None] = None


def call(
    since: str,
    timeout_s: float = NORMAL_S,
    retry_safe: bool = False,
    args: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare a method whose caller waits for the answer.

    retry_safe: a repeat has no further effect, so it is repeated after a timeout.
    args: argument name to the version that added it; such arguments have defaults.
    """

    def mark(function: F) -> F:
        return _mark(function, Kind.CALL, since, args, timeout_s, retry_safe)

    return mark


def cast(since: str, args: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Declare a method that is sent on its way without an answer."""
    return lambda function: _mark(function, Kind.CAST, since, args)


def fanout(since: str, args: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Declare a method that every server of the topic carries out, without an answer."""
    return lambda function: _mark(function, Kind.FANOUT, since, args)


def _mark(
    function: F,
    kind: Kind,
    since: str,
    args: Mapping[str, str] | None,
    timeout_s: float = NORMAL_S,
    retry_safe: bool = False,
) -> F:
    method = Method(
        name=function.__name__,
        kind=kind,
        since=since,
        timeout_s=timeout_s,
        retry_safe=retry_safe,
        args=dict(args or {}),
        function=function,
    )
    _check(method)
    setattr(function, _MARK, method)
    return function


def _check(method: Method) -> None:
    parameters = list(inspect.signature(method.function).parameters.values())
    if [p.name for p in parameters[:2]] != ["self", "context"]:
        raise TypeError(f"{method.name}: the first argument of an RPC method is context")
    by_name = {p.name: p for p in parameters[2:]}
    for name in method.args:
        if name not in by_name or by_name[name].default is inspect.Parameter.empty:
            raise TypeError(f"{method.name}: newer argument {name} needs a default")


def methods_of(interface: type[Interface]) -> dict[str, Method]:
    """Return the methods that an interface class declares itself, by name."""
    return {
        name: getattr(value, _MARK)
        for name, value in vars(interface).items()
        if hasattr(value, _MARK)
    }


def interfaces_of(endpoint: type[Interface]) -> tuple[type[Interface], ...]:
    """Return the interfaces that an endpoint class serves."""
    found = tuple(
        base for base in endpoint.__mro__ if issubclass(base, Interface) and methods_of(base)
    )
    if not found:
        raise TypeError(f"{endpoint.__name__} serves no interface")
    return found
