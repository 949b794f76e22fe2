"""What the Networking API tells without a token: its versions and its collections."""

from collections.abc import Iterable

import webob

from nova.api.networking.dispatch import MOUNT
from nova.api.openstack.environment import Environ, StartResponse, WsgiApp
from nova.api.openstack.links import base_url
from nova.api.openstack.resource import Resource

_READING = ("GET", "HEAD")


class NetworkingVersions:
    """Answers the root and the root of the version."""

    def __init__(self, app: WsgiApp, resources: Iterable[Resource], trust_proxy: bool) -> None:
        self._app = app
        self._trust_proxy = trust_proxy
        paths = {route.path for resource in resources for route in resource.routes}
        self._collections = sorted(path[1:] for path in paths if path.count("/") == 1)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").rstrip("/")
        if environ["REQUEST_METHOD"] not in _READING or path not in ("", MOUNT):
            return self._app(environ, start_response)
        base = base_url(environ, None, self._trust_proxy)
        document = self._version(base) if path else self._root(base)
        return webob.Response(json=document)(environ, start_response)

    def _root(self, base: str) -> dict[str, object]:
        return {"versions": [self._summary(base)]}

    def _summary(self, base: str) -> dict[str, object]:
        links = [{"rel": "self", "href": f"{base}{MOUNT}/"}]
        return {"id": "v2.0", "status": "CURRENT", "links": links}

    def _version(self, base: str) -> dict[str, object]:
        """Return the collections; and the version, for clients whose catalogue names it."""
        return {
            "version": self._summary(base),
            "resources": [
                {
                    "name": name[:-1],
                    "collection": name,
                    "links": [{"rel": "self", "href": f"{base}{MOUNT}/{name}"}],
                }
                for name in self._collections
            ],
        }
