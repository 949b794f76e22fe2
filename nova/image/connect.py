"""Make an image service from the configuration."""

import logging

from keystoneauth1 import adapter, loading
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.plugin import BaseAuthPlugin
from oslo_config import cfg

from nova import exception
from nova.image import opts
from nova.image.glance import GlanceImageService, open_session

LOG = logging.getLogger(__name__)

_SERVICE_TYPE = "image"
_DEFAULT_TIMEOUT_S = 60


def glance_from_config(conf: cfg.ConfigOpts) -> GlanceImageService:
    """Return the client that [glance] describes.

    Its own credentials are those of [glance] or else of [service_user]; without any, only
    requests with a user's token are possible, and an address must be configured.
    Raises: ConfigurationError.
    """
    group = conf[opts.GLANCE_GROUP]
    auth = _own_credentials(conf)
    if auth is None and not group.api_servers and not group.endpoint_override:
        reason = "[glance] needs credentials (auth_type, ...), endpoint_override or api_servers."
        raise exception.ConfigurationError(reason=reason)
    if group.insecure:
        LOG.warning("[glance] insecure is set: certificates of the image service are not checked")
    options = {
        "verify": False if group.insecure else (group.cafile or True),
        "cert": (group.certfile, group.keyfile) if group.keyfile else group.certfile,
        "timeout": group.timeout or _DEFAULT_TIMEOUT_S,
    }
    own = adapter.Adapter(
        open_session(auth, options),
        auth=auth,
        service_type=group.service_type or _SERVICE_TYPE,
        service_name=group.service_name,
        interface=group.valid_interfaces or ["internal", "public"],
        region_name=group.region_name,
        endpoint_override=group.endpoint_override,
    )
    servers = group.api_servers or [group.endpoint_override] * bool(group.endpoint_override)
    return GlanceImageService(own, servers, group.num_retries)


def _own_credentials(conf: cfg.ConfigOpts) -> BaseAuthPlugin | None:
    """Return the first configured authentication plugin, if any."""
    for group in (opts.GLANCE_GROUP, opts.SERVICE_USER_GROUP):
        if conf[group].auth_type or conf[group].auth_section:
            try:
                return loading.load_auth_from_conf_options(conf, group)
            except (ksa_exceptions.ClientException, cfg.Error) as error:
                reason = f"the credentials in [{group}] can not be loaded: {error}"
                raise exception.ConfigurationError(reason=reason) from error
    return None
