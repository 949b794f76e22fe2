"""The application behind authentication: route, version, schema, policy, handler."""

import json
import logging
from collections.abc import Iterable, Mapping

import webob
import webob.dec

from nova import exception
from nova.api.core.caller import Services
from nova.api.openstack import faults, validation, versions
from nova.api.openstack.call import Call
from nova.api.openstack.environment import CONTEXT_KEY, OPERATION_KEY, TOKEN_KEY
from nova.api.openstack.links import Links, base_url
from nova.api.openstack.resource import METHODS_WITH_BODY, Answer, Reply, Resource, Route
from nova.api.openstack.router import Match, Router, router_of
from nova.context import RequestContext

LOG = logging.getLogger(__name__)

_JSON_TYPES = {"", "text/plain", "application/json", "application/vnd.openstack.compute+json"}
_LONGEST_ID = 255


class Dispatcher:
    """WSGI application of all resources.

    Order of the checks: route, version header, content type, JSON, action, project in the
    path, version range, query, body, policy, handler.  Source: api-conventions section 4.
    """

    def __init__(self, resources: Iterable[Resource], services: Services) -> None:
        self.routes = [route for resource in resources for route in resource.routes]
        self._router = self.make_router()
        self._services = services

    def make_router(self) -> Router:
        """Return the router of the API's paths."""
        return router_of(tuple(self.routes))

    @webob.dec.wsgify
    def __call__(self, request: webob.Request) -> webob.Response:
        path = path_of(request)
        match = None if path is None else self._router.find(request.method, path)
        if match is None:
            return webob.Response(
                status=404, text="The resource could not be found.\n", content_type="text/plain"
            )
        context: RequestContext = request.environ[CONTEXT_KEY]
        version = None
        legacy = versions.is_legacy(match.mount)
        try:
            version = versions.LEGACY if legacy else _asked_version(request)
            response = self.serve(request, match, version, context)
        except exception.NovaException as error:
            response = fault_response(error, context.is_admin)
        if not legacy:
            response.headers.update(versions.response_headers(version))
        return response

    def serve(
        self,
        request: webob.Request,
        match: Match,
        version: versions.Version,
        context: RequestContext,
    ) -> webob.Response:
        """Return the answer of the route that a request means.  Raises: NovaException."""
        body = _read_body(request)
        candidates = _select_action(match.routes, body)
        if match.project_id is not None and match.project_id != context.project_id:
            raise exception.ProjectMismatch()
        route = _select_version(candidates, version)
        request.environ[OPERATION_KEY] = route.action or ""
        if any(not validation.storable(part) for part in match.args.values()):
            raise exception.RouteNotFound()
        pairs = _query_pairs(request)
        query = validation.check_query(route.query, version, pairs)
        if route.body is not None:
            body = validation.check_body(route.body, version, body)
        # Nothing has so long an id; the text would go into messages and logs.
        if any(len(part) > _LONGEST_ID for part in match.args.values()):
            raise exception.RouteNotFound()
        links = Links(
            base=self._base_url(request),
            project_part=f"/{match.project_id}" if match.project_id else "",
            path=request.path_info,
            query=pairs,
            mount=match.mount,
        )
        call = Call(
            context=context,
            version=version,
            services=self._services,
            links=links,
            args=match.args,
            body=body,
            query=query,
            rule=route.rule,
            token=request.environ.get(TOKEN_KEY),
        )
        if route.rule is not None:
            call.authorize()
        return _respond(route, route.handler(call))

    def _base_url(self, request: webob.Request) -> str:
        settings = self._services.settings
        return base_url(request.environ, settings.compute_link_prefix, settings.trust_proxy_headers)


def fault_response(error: Exception, is_admin: bool = False) -> webob.Response:
    """Return the answer to an error, and log what the user is not told."""
    fault = faults.fault_of(error, is_admin)
    if fault.status == 500:
        LOG.error("Request failed: %s", type(error).__name__, exc_info=error)
    elif fault.status == 503:
        LOG.warning("Request failed: %s", error)
    return webob.Response(status=fault.status, body=fault.body, headerlist=[*fault.headers.items()])


def _asked_version(request: webob.Request) -> versions.Version:
    return versions.negotiate(
        request.headers.get(versions.STANDARD_HEADER),
        request.headers.get(versions.LEGACY_HEADER),
    )


def path_of(request: webob.Request) -> str | None:
    """Return the path of a request, None when it is no text."""
    try:
        return str(request.path_info).rstrip("/")
    except UnicodeDecodeError:
        return None


def _read_body(request: webob.Request) -> object:
    if request.method not in METHODS_WITH_BODY:
        return None
    if (request.content_type or "").lower() not in _JSON_TYPES:
        raise exception.UnsupportedContentType()
    return validation.parse_json(request.body)


def _select_action(routes: tuple[Route, ...], body: object) -> tuple[Route, ...]:
    """Return the routes of the action that the body names, in paths that have actions."""
    if routes[0].action is None:
        return routes
    if not isinstance(body, Mapping) or len(body) != 1:
        raise exception.MalformedRequestBody(
            reason="an object with exactly one key, the action's name, is expected"
        )
    name = next(iter(body))
    chosen = tuple(route for route in routes if route.action == name)
    if not chosen:
        raise exception.NoSuchAction(action=str(name)[:80])
    return chosen


def _select_version(routes: tuple[Route, ...], version: versions.Version) -> Route:
    for route in routes:
        if version in route.versions:
            return route
    raise exception.RouteNotFound()


def _query_pairs(request: webob.Request) -> list[tuple[str, str]]:
    try:
        return list(request.GET.items())
    except UnicodeDecodeError:
        raise exception.InvalidQuery(name="(query)", reason="It is not UTF-8.") from None


def _respond(route: Route, answer: Answer) -> webob.Response:
    reply = answer if isinstance(answer, Reply) else Reply(body=answer)
    status = reply.status or route.ok[0]
    if status not in route.ok:
        raise ValueError(f"{route.method} {route.path} does not declare status {status}")
    response = webob.Response(status=status)
    if reply.location is not None:
        response.headers["Location"] = reply.location
    if status == 204:
        response.headers.pop("Content-Type", None)
        return response
    response.headers["Content-Type"] = "application/json"
    if reply.body is not None:
        response.body = json.dumps(reply.body).encode()
    return response
