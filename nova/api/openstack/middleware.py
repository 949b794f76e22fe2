"""Middleware that every request passes, whatever resource it asks for."""

import io
import logging
import re
import string
from collections.abc import Iterable

import webob

from nova import exception
from nova.api.openstack import versions
from nova.api.openstack.dispatch import fault_response
from nova.api.openstack.environment import (
    GLOBAL_REQUEST_ID_KEY,
    REQUEST_ID_KEY,
    Environ,
    StartResponse,
    WsgiApp,
)
from nova.api.openstack.links import base_url
from nova.api.settings import ApiSettings
from nova.context import new_request_id

LOG = logging.getLogger(__name__)

_REQUEST_ID = re.compile(
    r"^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.IGNORECASE
)

# Environment names of the headers by which the token middleware tells who the caller is.
_IDENTITY = re.compile(
    r"^HTTP_(?:X_(?:USER|PROJECT|TENANT|DOMAIN|ROLE|SERVICE|IDENTITY|IS_ADMIN|AUTH|SYSTEM|"
    r"TRUST|OAUTH|ACCESS|FEDERATION)|OPENSTACK_(?:SYSTEM|AUTH))",
    re.IGNORECASE,
)
_CREDENTIALS = {"HTTP_X_AUTH_TOKEN", "HTTP_X_SERVICE_TOKEN"}


class RequestIds:
    """Give each request an id and tell it in the answer, also when something fails."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request_id = new_request_id()
        given = environ.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
        environ[REQUEST_ID_KEY] = request_id
        environ[GLOBAL_REQUEST_ID_KEY] = given if _REQUEST_ID.match(given) else None

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            ids = [("X-Openstack-Request-Id", request_id), ("X-Compute-Request-Id", request_id)]
            return start_response(status, [*headers, *ids], *rest)

        return self._app(environ, start)


class NoSniffing:
    """Tell browsers to take no answer for anything but what it says it is.

    Names and console logs are anybody's text.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            return start_response(status, [*headers, ("X-Content-Type-Options", "nosniff")], *rest)

        return self._app(environ, start)


class FaultGuard:
    """Answer unexpected errors with a fault that tells nothing but the error's name."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except Exception as error:
            return fault_response(error)(environ, start_response)


class StripIdentity:
    """Remove what only the token middleware may say about the caller.

    The server has turned names into the environment's form by now, so that odd case and
    underscores in place of hyphens come out the same.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        for name in [name for name in environ if _IDENTITY.match(name)]:
            if name not in _CREDENTIALS:
                del environ[name]
        return self._app(environ, start_response)


class SizeLimit:
    """Refuse bodies above a size before they are read into memory."""

    def __init__(self, app: WsgiApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._limit(environ)
        except exception.NovaException as error:
            return fault_response(error)(environ, start_response)
        return self._app(environ, start_response)

    def _limit(self, environ: Environ) -> None:
        length = environ.get("CONTENT_LENGTH") or ""
        if length:
            if not length.isdecimal():
                raise exception.MalformedRequestBody(reason="its length is no number")
            if int(length[:20]) > self._limit_bytes:
                raise exception.RequestBodyTooLarge(limit_bytes=self._limit_bytes)
        elif environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(self._limit_bytes + 1)
            if len(body) > self._limit_bytes:
                raise exception.RequestBodyTooLarge(limit_bytes=self._limit_bytes)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))


class VersionDocuments:
    """Answer what needs no token: version documents, and paths outside the mounts."""

    def __init__(self, app: WsgiApp, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if _BEHIND_MOUNT.match(path) and not _VERSION.match(path):
            return self._app(environ, start_response)
        response = self._document(environ, path)
        return response(environ, start_response)

    def _document(self, environ: Environ, path: str) -> webob.Response:
        if environ["REQUEST_METHOD"] != "GET":
            return webob.Response(
                status=404, text="The resource could not be found.\n", content_type="text/plain"
            )
        base = base_url(
            environ, self._settings.compute_link_prefix, self._settings.trust_proxy_headers
        )
        if path in ("", "/"):
            return webob.Response(json=versions.list_document(base))
        found = _VERSION.match(path)
        if found is not None:
            document = versions.version_document(base, found["mount"], found["id"])
            if document is None:
                return fault_response(exception.RouteNotFound())
            return webob.Response(json=document)
        plain = "".join(char for char in path if char in _PLAIN)
        return webob.Response(status=300, json=versions.choices_document(base, plain))


_MOUNT = rf"(?P<mount>{'|'.join(map(re.escape, versions.MOUNTS))})"
# The version's own document: at the mount, with or without a project, and by its id.
_VERSION = re.compile(rf"^{_MOUNT}(?:/[0-9a-f-]+)?(?:/|/versions/(?P<id>[^/]+)/?)?\Z", re.ASCII)
_BEHIND_MOUNT = re.compile(rf"^{_MOUNT}/")
_PLAIN = frozenset(string.ascii_letters + string.digits + "/-._~")
