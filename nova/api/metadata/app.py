"""The metadata service as a WSGI application."""

import datetime
import logging
from typing import Any

import webob
import webob.dec
from keystoneauth1 import session as ks_session

from nova import clock
from nova.api.metadata.handler import HandlerSettings, MetadataHandler
from nova.api.metadata.identify import proxy_settings
from nova.api.metadata.request import MetadataRequest
from nova.api.metadata.vendordata import (
    DynamicVendorData,
    VendorDataSettings,
    parse_targets,
)
from nova.api.rpcapi import MetadataCacheAPI
from nova.conductor.rpcapi.metadata import ConductorMetadata
from nova.context import RequestContext
from nova.metadata.settings import document_settings
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

MAX_BODY_BYTES = 4096
_APOLOGY = b"An unknown error has occurred. Please try your request again."


class MetadataCacheManager(MetadataCacheAPI):
    """Lets the conductor empty the cache of this process."""

    def __init__(self, handler: MetadataHandler) -> None:
        self._handler = handler

    def forget(self, context: RequestContext, addresses: tuple[str, ...]) -> None:
        self._handler.cache.forget(addresses)


def make_handler(conf: Any, bus: Bus) -> MetadataHandler:
    """Return the handler that the configuration describes.  Raises: ConfigurationError."""
    settings = HandlerSettings(
        documents=document_settings(conf),
        proxy=proxy_settings(
            service_metadata_proxy=conf.neutron.service_metadata_proxy,
            shared_secret=conf.neutron.metadata_proxy_shared_secret,
            use_forwarded_for=conf.api.use_forwarded_for,
            trusted_proxies=tuple(conf.api.metadata_trusted_proxies),
        ),
        cache_expiration_s=conf.api.metadata_cache_expiration,
        rate_limit=conf.api.metadata_rate_limit,
    )
    vendor = VendorDataSettings(
        targets=parse_targets(tuple(conf.api.vendordata_dynamic_targets)),
        connect_timeout_s=conf.api.vendordata_dynamic_connect_timeout,
        read_timeout_s=conf.api.vendordata_dynamic_read_timeout,
        failure_fatal=conf.api.vendordata_dynamic_failure_fatal,
    )
    session = None
    if vendor.targets:
        session = ks_session.Session(verify=conf.api.vendordata_dynamic_ssl_certfile or True)
    return MetadataHandler(
        bus.client(ConductorMetadata).anyone(),
        settings,
        DynamicVendorData(vendor, session, clock.monotonic),
        clock.monotonic,
        _today,
    )


def make_app(handler: MetadataHandler) -> Any:
    """Return the WSGI application that answers guests."""

    @webob.dec.wsgify
    def application(request: webob.Request) -> webob.Response:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return webob.Response(status=413)
        try:
            answer = handler.handle(_plain(request))
        except Exception:
            LOG.exception("A metadata request failed")
            return webob.Response(status=500, body=_APOLOGY, content_type="text/plain")
        response = webob.Response(status=answer.status, body=answer.body)
        response.headers["Content-Type"] = answer.content_type
        response.headers.update(answer.headers)
        return response

    return application


def _plain(request: webob.Request) -> MetadataRequest:
    return MetadataRequest(
        method=request.method,
        path=request.path_info,
        peer=request.remote_addr or "",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body_file.read(MAX_BODY_BYTES) if request.content_length else b"",
    )


def _today() -> datetime.date:
    return clock.utcnow().date()
