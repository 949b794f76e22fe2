"""The object store as a WSGI application: who asks, what for, and what that is answered."""

import logging
import pathlib
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from oslo_config import cfg

from nova import log
from nova.context import RequestContext
from nova.exception import ConfigurationError
from nova.objectstore import request as requests
from nova.objectstore import xml
from nova.objectstore.acting import in_name_of_project
from nova.objectstore.auth import Authenticator, claim_of
from nova.objectstore.call import Call, Response
from nova.objectstore.faults import fault_of
from nova.objectstore.identity import Identity, keystone_identity
from nova.objectstore.payload import Payload
from nova.objectstore.request import Environ, Request
from nova.objectstore.routes import handler_of
from nova.objectstore.store import Store
from nova.objectstore.usage import Quota
from nova.policy import Policy

LOG = logging.getLogger(__name__)

StartResponse = Callable[..., Any]


def make_app(conf: cfg.ConfigOpts, store: Store) -> "ObjectStoreApp":
    """Return the application that the options describe.  Raises: ConfigurationError."""
    return ObjectStoreApp(store, keystone_identity(conf), Policy(conf, {}))


def open_store(conf: cfg.ConfigOpts) -> Store:
    """Return the store in the folder of the options.  Raises: ConfigurationError."""
    try:
        return Store(pathlib.Path(conf.buckets_path), _quota(conf))
    except OSError as error:
        reason = f"buckets_path = {conf.buckets_path} can not be used: {error.strerror}"
        raise ConfigurationError(reason=reason) from error


def _quota(conf: cfg.ConfigOpts) -> Quota:
    size_bytes, objects = conf.s3_quota_bytes, conf.s3_quota_objects
    return Quota(
        size_bytes=None if size_bytes < 0 else size_bytes,
        objects=None if objects < 0 else objects,
    )


class ObjectStoreApp:
    """Answers requests of S3, path style."""

    def __init__(self, store: Store, identity: Identity, policy: Policy) -> None:
        self._store = store
        self._authenticator = Authenticator(identity, policy)
        self._policy = policy

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request_id = uuid.uuid4().hex.upper()
        context = RequestContext(
            request_id=f"req-{request_id}", remote_address=environ.get("REMOTE_ADDR")
        )
        with log.bound(context):
            response = self._answered(environ, request_id)
        headers = [
            ("x-amz-request-id", request_id),
            ("X-Content-Type-Options", "nosniff"),
            *((name, value) for name, value in response.headers.items()),
        ]
        status = HTTPStatus(response.status)
        start_response(f"{status.value} {status.phrase}", headers)
        return response.body

    def _answered(self, environ: Environ, request_id: str) -> Response:
        """Return the answer to a request, whatever happens."""
        try:
            return self._answer(requests.from_environ(environ))
        except Exception as error:
            fault = fault_of(error)
            if fault.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                LOG.exception("Unexpected error")
            else:
                LOG.info("Refused with %s: %s", fault.code, fault.message)
            body = fault.body(requests.resource_of(environ), request_id)
            return _without_body_for_head(
                environ["REQUEST_METHOD"],
                Response(status=fault.status, body=[body], headers=_of_document(body)),
            )

    def _answer(self, request: Request) -> Response:
        claim = claim_of(request)
        context = in_name_of_project(self._authenticator.caller(claim), claim, request)
        handler = handler_of(request)
        call = Call(
            request=request,
            context=context,
            payload=Payload(request, claim),
            claim=claim,
            store=self._store,
            policy=self._policy,
        )
        LOG.info(
            "%s %s by %s of %s",
            request.method,
            request.raw_path,
            context and context.user_id,
            context and context.project_id,
        )
        return handler(call)


def _of_document(body: bytes) -> dict[str, str]:
    return {"Content-Type": xml.CONTENT_TYPE, "Content-Length": str(len(body))}


def _without_body_for_head(method: str, response: Response) -> Response:
    if method != "HEAD" and response.status != HTTPStatus.NOT_MODIFIED:
        return response
    return Response(status=response.status, headers={"Content-Type": xml.CONTENT_TYPE})
