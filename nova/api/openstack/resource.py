"""Resources: routes declared next to their handlers."""

import dataclasses
from collections.abc import Callable, Mapping

from nova.api.openstack.call import Call
from nova.api.openstack.schema import NO_QUERY, Object, Query, Type
from nova.api.openstack.versions import Range
from nova.policy import NAMESPACE, full_name

# Their content type is checked whether or not the route looks at the body.
METHODS_WITH_BODY = frozenset({"POST", "PUT"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is more than a body.

    status None takes the first of the route's codes; location is the Location header.
    """

    body: Mapping[str, object] | None = None
    status: int | None = None
    location: str | None = None


Answer = Mapping[str, object] | Reply | None
Handler = Callable[[Call], Answer]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path, in one range of versions.

    action: for paths that end in /action, the one key of the body that selects the route.
    rule: full name of the policy rule that is checked before the handler runs.
    body None: the route takes no body.
    own_errors: statuses of errors that not every route can end with, such as 409 and 501.
    answer: what the document of a success looks like; None: nothing is said about it.
    """

    method: str
    path: str
    action: str | None
    versions: Range
    ok: tuple[int, ...]
    rule: str | None
    body: Object | None
    query: Query
    handler: Handler
    own_errors: tuple[int, ...] = ()
    answer: Type | None = dataclasses.field(default=None, hash=False)

    @property
    def errors(self) -> tuple[int, ...]:
        """Statuses of all errors that the route can end with, in order."""
        codes = {400, 401, 406, 429, 503, *self.own_errors}
        if self.rule is not None:
            codes.add(403)
        if "{" in self.path or self.versions.limited:
            codes.add(404)
        if self.method in METHODS_WITH_BODY:
            codes |= {413, 415}
        return tuple(sorted(codes))


class Resource:
    """A group of routes with one prefix of policy rules.

    rules: the default of each rule by its short name ("" for the prefix itself) or, with
    another prefix, by its full name.
    """

    def __init__(
        self, policy: str, rules: Mapping[str, str] | None = None, namespace: str = NAMESPACE
    ) -> None:
        self.policy = f"{namespace}:{policy}"
        self.rules = {full_name(rule, self.policy): check for rule, check in (rules or {}).items()}
        self.routes: list[Route] = []

    def route(
        self,
        spec: str,
        *,
        policy: str | None,
        body: Object | None = None,
        query: Query = NO_QUERY,
        ok: int | tuple[int, ...] = 200,
        since: str | None = None,
        until: str | None = None,
        errors: int | tuple[int, ...] = (),
        answer: Type | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a route: "METHOD /path" or "METHOD /path/action NAME".

        policy: short or full name of a rule of this resource; None checks nothing.
        errors: statuses that not every route can end with, such as 409 and 501.
        answer: what the document of a success looks like, for the description of the API.
        """
        method, path, *action = spec.split()
        rule = None if policy is None else full_name(policy, self.policy)
        if rule is not None and rule not in self.rules:
            raise ValueError(f"{spec}: the rule {rule} has no default")
        if method == "POST" and body is None:
            raise ValueError(f"{spec}: the body has no schema")

        def register(handler: Handler) -> Handler:
            route = Route(
                method=method,
                path=path,
                action=action[0] if action else None,
                versions=Range(since, until),
                ok=(ok,) if isinstance(ok, int) else ok,
                rule=rule,
                body=body,
                query=query,
                handler=handler,
                own_errors=(errors,) if isinstance(errors, int) else errors,
                answer=answer,
            )
            self._refuse_overlap(route)
            self.routes.append(route)
            return handler

        return register

    def _refuse_overlap(self, new: Route) -> None:
        for route in self.routes:
            same = (route.method, route.path, route.action) == (new.method, new.path, new.action)
            if same and route.versions.overlaps(new.versions):
                raise ValueError(f"{new.method} {new.path}: two routes share versions")
