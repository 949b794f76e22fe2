"""The Networking API behind authentication: the dispatcher of the Compute API at its own mount."""

import logging

import webob
import webob.dec

from nova import exception
from nova.api.networking.faults import error_response, status_of
from nova.api.openstack.dispatch import Dispatcher, path_of
from nova.api.openstack.environment import CONTEXT_KEY
from nova.api.openstack.router import Router, router_of
from nova.api.openstack.versions import MINIMUM
from nova.context import RequestContext

LOG = logging.getLogger(__name__)

MOUNT = "/v2.0"


class NetworkingDispatcher(Dispatcher):
    """Serves /v2.0; there are no microversions and no projects in paths.

    Bodies are checked as by the first microversion, and unknown query keys are dropped.
    """

    def make_router(self) -> Router:
        """Return the router of the API's paths."""
        return router_of(tuple(self.routes), (MOUNT,), project=False)

    @webob.dec.wsgify
    def __call__(self, request: webob.Request) -> webob.Response:
        """Answer a request whose caller is known."""
        context: RequestContext = request.environ[CONTEXT_KEY]
        try:
            return self._answer(request, context)
        except exception.NovaException as error:
            status = status_of(type(error))
            if status == 500:
                LOG.error("Request failed: %s", type(error).__name__, exc_info=error)
            elif status == 503:
                LOG.warning("Request failed: %s", error)
            return error_response(error, context.is_admin)

    def _answer(self, request: webob.Request, context: RequestContext) -> webob.Response:
        # Clients may name a format behind a dot, of which there is one.
        path = (path_of(request) or "").removesuffix(".json")
        match = self._router.find(request.method, path)
        if match is not None:
            return self.serve(request, match, MINIMUM, context)
        if self._router.methods_of(path):
            raise exception.MethodNotAllowed(method=request.method)
        raise exception.RouteNotFound()
