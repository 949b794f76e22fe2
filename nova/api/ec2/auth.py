"""Authentication of EC2 requests: signature, age, and Keystone's word on who it was."""

from collections.abc import Callable, Iterable

import webob
from oslo_config import cfg

from nova import exception
from nova.api.ec2 import answers, signatures
from nova.api.ec2.identity import Identity, NoIdentity, Person, keystone_identity
from nova.api.ec2.lockout import Lockout
from nova.api.ec2.settings import Ec2Settings
from nova.api.ec2.signatures import Signed
from nova.api.openstack.auth import check_strategy, prepare_keystone
from nova.api.openstack.environment import (
    CONTEXT_KEY,
    GLOBAL_REQUEST_ID_KEY,
    OPERATION_KEY,
    REQUEST_ID_KEY,
    TOKEN_KEY,
    Environ,
    StartResponse,
    WsgiApp,
)
from nova.context import RequestContext, new_request_id
from nova.policy import Policy

SIGNED_KEY = "nova.ec2.signed"


class SignedRequests:
    """Lets requests pass whose signer Keystone knows, and tells who it is."""

    def __init__(
        self, app: WsgiApp, identity: Identity, policy: Policy, settings: Ec2Settings
    ) -> None:
        self._app = app
        self._identity = identity
        self._policy = policy
        self._settings = settings
        self._lockout = Lockout(settings.lockout)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._identify(environ)
        except exception.NovaException as error:
            response = answers.of_error(error, environ.get(REQUEST_ID_KEY, ""))
            return response(environ, start_response)
        return self._app(environ, start_response)

    def _identify(self, environ: Environ) -> None:
        """Leave in the environment who asks for what.  Raises: NovaException."""
        request = webob.Request(environ)
        if request.method not in ("GET", "POST"):
            raise exception.Ec2RequestInvalid(reason="Only GET and POST are understood.")
        signed = signatures.read(request, self._settings.timestamp_expiry_s)
        person = self._person(signed, environ.get("REMOTE_ADDR", ""))
        context = _context(person, environ)
        if self._policy.check(context, "context_is_admin", {}):
            context = context.elevated()
        environ[SIGNED_KEY] = signed
        environ[CONTEXT_KEY] = context
        environ[TOKEN_KEY] = person.token
        environ[OPERATION_KEY] = signed.action.get("Action", "")

    def _person(self, signed: Signed, address: str) -> Person:
        """Return who signed a request.  Raises: Ec2LockedOut, and as Identity.whose()."""
        self._lockout.check(signed.access, address)
        try:
            return self._identity.whose(signed)
        except exception.Ec2SignatureRefused:
            self._lockout.note_refusal(signed.access, address)
            raise


def _context(person: Person, environ: Environ) -> RequestContext:
    return RequestContext(
        user_id=person.user_id,
        project_id=person.project_id,
        user_name=person.user_name,
        project_name=person.project_name,
        user_domain_id=person.user_domain_id,
        project_domain_id=person.project_domain_id,
        roles=person.roles,
        request_id=environ.get(REQUEST_ID_KEY) or new_request_id(),
        global_request_id=environ.get(GLOBAL_REQUEST_ID_KEY),
        remote_address=environ.get("REMOTE_ADDR"),
    )


def signed_of(environ: Environ) -> Signed:
    """Return the signed request that authentication has let pass."""
    signed: Signed = environ[SIGNED_KEY]
    return signed


def authentication(
    settings: Ec2Settings, policy: Policy, conf: cfg.ConfigOpts, identity: Identity | None
) -> Callable[[WsgiApp], WsgiApp]:
    """Return the middleware of the strategy that the settings name.

    identity: in place of the configured one.  Raises: ConfigurationError.
    """
    check_strategy(settings.api)
    if identity is None:
        identity = NoIdentity() if settings.api.auth_strategy == "noauth2" else _keystone(conf)
    return lambda app: SignedRequests(app, identity, policy, settings)


def _keystone(conf: cfg.ConfigOpts) -> Identity:
    prepare_keystone(conf)
    return keystone_identity(conf)
