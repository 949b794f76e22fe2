"""Who holds an access key, as Keystone tells it.

Keystone compares the signature; nothing is remembered, so that keys end with the user, the
project or the role.
"""

import base64
import logging
from typing import Any, Protocol

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading, plugin, session
from oslo_config import cfg

from nova import exception
from nova.context import RequestContext
from nova.objectstore.claim import Claim
from nova.objectstore.errors import refuse

LOG = logging.getLogger(__name__)

GROUP = "service_user"
TIMEOUT_S = 60


class Identity(Protocol):
    """Tells whose signatures are good."""

    def verify(self, claim: Claim) -> RequestContext:
        """Return who signed.  Raises: Refusal."""


class KeystoneIdentity:
    """Asks Keystone with the session of the service user."""

    def __init__(self, own: session.Session) -> None:
        self._session = own

    def verify(self, claim: Claim) -> RequestContext:
        """Return who signed.  Raises: Refusal."""
        text = claim.string_to_sign.encode("utf-8", "surrogateescape")
        credentials = {
            "access": claim.access,
            "signature": claim.signature,
            "token": base64.urlsafe_b64encode(text).decode(),
        }
        try:
            answer = self._session.post(
                f"{self._root()}/s3tokens",
                json={"credentials": credentials},
                headers={"Accept": "application/json"},
                raise_exc=False,
                log=False,
            )
        except ksa_exceptions.ClientException as error:
            raise _unavailable(type(error).__name__) from error
        if answer.status_code == 200:
            return _context(answer.json()["token"])
        raise _refusal(answer.status_code)

    def _root(self) -> str:
        url = str(self._session.get_endpoint(interface=plugin.AUTH_INTERFACE)).rstrip("/")
        return url if url.endswith("/v3") else f"{url}/v3"


def keystone_identity(conf: cfg.ConfigOpts) -> KeystoneIdentity:
    """Return the identity service that [service_user] logs in to.  Raises: ConfigurationError."""
    if not conf[GROUP].auth_type and not conf[GROUP].auth_section:
        raise exception.ConfigurationError(
            reason=f"[{GROUP}] auth_type must be set: signatures are checked with that user"
        )
    try:
        auth = loading.load_auth_from_conf_options(conf, GROUP)
        own = loading.load_session_from_conf_options(conf, GROUP, auth=auth)
    except (ksa_exceptions.ClientException, cfg.Error) as error:
        reason = f"the credentials in [{GROUP}] can not be loaded: {error}"
        raise exception.ConfigurationError(reason=reason) from error
    own.timeout = own.timeout or TIMEOUT_S
    return KeystoneIdentity(own)


def _context(token: dict[str, Any]) -> RequestContext:
    user, project = token["user"], token["project"]
    return RequestContext(
        user_id=user["id"],
        user_name=user["name"],
        user_domain_id=user["domain"]["id"],
        project_id=project["id"],
        project_name=project["name"],
        project_domain_id=project["domain"]["id"],
        roles=tuple(str(role["name"]).lower() for role in token["roles"]),
    )


def _refusal(status: int) -> exception.NovaException:
    if status == 404:
        return refuse(
            "InvalidAccessKeyId", "The access key ID you provided does not exist in our records."
        )
    if status in (400, 401):
        return refuse(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    if status == 403:
        LOG.error("The user of [%s] may not check signatures: it needs the role service", GROUP)
    return _unavailable(f"status {status}")


def _unavailable(reason: str) -> exception.NovaException:
    LOG.warning("Keystone did not check a signature: %s", reason)
    return refuse("ServiceUnavailable", "The identity service does not answer. Please try again.")
