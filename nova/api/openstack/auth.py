"""Who the caller is: the token middleware of Keystone, or noauth2 for tests."""

import ipaddress
from collections.abc import Callable, Iterable

import webob
from keystonemiddleware import auth_token
from keystonemiddleware import opts as keystone_opts
from oslo_config import cfg

from nova import exception
from nova.api.openstack import faults
from nova.api.openstack.environment import (
    CONTEXT_KEY,
    GLOBAL_REQUEST_ID_KEY,
    REQUEST_ID_KEY,
    TOKEN_KEY,
    Environ,
    StartResponse,
    WsgiApp,
)
from nova.api.settings import ApiSettings
from nova.context import RequestContext, new_request_id
from nova.policy import Policy

ADMIN_USER = "admin"
KEYSTONE_GROUP = "keystone_authtoken"
MAX_TOKEN_CACHE_S = 3600
_MEMBER_ROLES = ("member", "reader")
_ADMIN_ROLES = ("admin", "manager", *_MEMBER_ROLES)


class KeystoneContext:
    """Turn what the token middleware found out into a request context."""

    def __init__(self, app: WsgiApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        user_id = environ.get("HTTP_X_USER_ID")
        if not user_id:
            return unauthorized(environ, start_response)
        context = RequestContext(
            user_id=user_id,
            project_id=environ.get("HTTP_X_PROJECT_ID"),
            user_name=environ.get("HTTP_X_USER_NAME"),
            project_name=environ.get("HTTP_X_PROJECT_NAME"),
            user_domain_id=environ.get("HTTP_X_USER_DOMAIN_ID"),
            project_domain_id=environ.get("HTTP_X_PROJECT_DOMAIN_ID"),
            system_scope=environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
            roles=_list(environ.get("HTTP_X_ROLES")),
            service_roles=_list(environ.get("HTTP_X_SERVICE_ROLES")),
            request_id=environ.get(REQUEST_ID_KEY) or new_request_id(),
            global_request_id=environ.get(GLOBAL_REQUEST_ID_KEY),
            remote_address=environ.get("REMOTE_ADDR"),
        )
        return _enter(self._app, self._policy, context, environ, start_response)


class NoAuth:
    """Believe what the token says: "user:project".  The user admin is an administrator."""

    def __init__(self, app: WsgiApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        user, _, project = environ.get("HTTP_X_AUTH_TOKEN", "").partition(":")
        if not user:
            return unauthorized(environ, start_response)
        context = RequestContext(
            user_id=user,
            project_id=project or user,
            user_name=user,
            project_name=project or user,
            roles=_ADMIN_ROLES if user == ADMIN_USER else _MEMBER_ROLES,
            request_id=environ.get(REQUEST_ID_KEY) or new_request_id(),
            global_request_id=environ.get(GLOBAL_REQUEST_ID_KEY),
            remote_address=environ.get("REMOTE_ADDR"),
        )
        return _enter(self._app, self._policy, context, environ, start_response)


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in (text or "").split(",") if word.strip())


def _enter(
    app: WsgiApp,
    policy: Policy,
    context: RequestContext,
    environ: Environ,
    start_response: StartResponse,
) -> Iterable[bytes]:
    if policy.check(context, "context_is_admin", {}):
        context = context.elevated()
    environ[CONTEXT_KEY] = context
    environ[TOKEN_KEY] = environ.get("HTTP_X_AUTH_TOKEN")
    return app(environ, start_response)


def unauthorized(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request without a usable identity."""
    fault = faults.Fault(status=401, message="This request needs a valid token.")
    response = webob.Response(
        status=401,
        body=fault.body,
        headerlist=[*fault.headers.items(), ("WWW-Authenticate", "Keystone")],
    )
    return response(environ, start_response)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_strategy(settings: ApiSettings) -> None:
    """Refuse settings that would let anybody in from elsewhere.

    Raises: ConfigurationError.
    """
    if settings.auth_strategy != "noauth2" or settings.allow_noauth_off_loopback:
        return
    if not _is_loopback(settings.listen):
        raise exception.ConfigurationError(
            reason="[api] auth_strategy = noauth2 believes any caller, but "
            f"osapi_compute_listen = {settings.listen} is not a loopback address"
        )


def authentication(
    settings: ApiSettings, policy: Policy, conf: cfg.ConfigOpts | None
) -> Callable[[WsgiApp], WsgiApp]:
    """Return the middleware of the strategy that the settings name.

    Raises: ConfigurationError.
    """
    check_strategy(settings)
    if settings.auth_strategy == "noauth2":
        return lambda app: NoAuth(app, policy)
    if conf is None:
        raise exception.ConfigurationError(reason="keystone authentication needs its options")
    prepare_keystone(conf)
    token_conf = {"oslo_config_config": conf, "oslo_config_project": "nova"}
    return lambda app: auth_token.AuthProtocol(KeystoneContext(app, policy), token_conf)


def prepare_keystone(conf: cfg.ConfigOpts) -> None:
    """Declare the token middleware's options; service tokens need a service role by default.

    Raises: ConfigurationError when what it can not do without is missing.
    """
    for group, options in keystone_opts.list_auth_token_opts():
        conf.register_opts(options, group)
    conf.set_default("service_token_roles_required", True, KEYSTONE_GROUP)
    for name in ("auth_type", "www_authenticate_uri"):
        if not conf[KEYSTONE_GROUP][name]:
            raise exception.ConfigurationError(
                reason=f"[{KEYSTONE_GROUP}] {name} must be set when [api] auth_strategy = keystone"
            )
    _check_cache(conf[KEYSTONE_GROUP])


def _check_cache(options: cfg.ConfigOpts.GroupAttr) -> None:
    """Refuse a cache of tokens that others could write to, or that has no end.

    Raises: ConfigurationError.
    """
    signed = (options.memcache_security_strategy or "None") != "None"
    if options.memcached_servers and not signed:
        raise exception.ConfigurationError(
            reason=f"[{KEYSTONE_GROUP}] memcached_servers needs memcache_security_strategy = MAC "
            "or ENCRYPT with memcache_secret_key: who can write to the cache could be anybody"
        )
    if options.token_cache_time > MAX_TOKEN_CACHE_S:
        raise exception.ConfigurationError(
            reason=f"[{KEYSTONE_GROUP}] token_cache_time must not be above {MAX_TOKEN_CACHE_S}: "
            "revoked tokens are believed for so many seconds"
        )
