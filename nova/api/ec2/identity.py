"""Keystone's word on who signed a request; asked for every request, so that it is today's.

Source: client-calls, section 6; ec2-api, section 2.2.
"""

import dataclasses
import json
import logging
from typing import Any, Protocol

import requests
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading, session
from keystoneauth1.plugin import BaseAuthPlugin
from oslo_config import cfg

from nova import clock, exception
from nova.api.ec2.signatures import Signed

LOG = logging.getLogger(__name__)

TIMEOUT_S = 30
# A token of ours that is refused is renewed, but not for each wrong signature.
RENEW_AGAIN_S = 30.0
_GROUP = "keystone_authtoken"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signed a request.  token: his own, for outside services; nobody is told it."""

    user_id: str
    user_name: str | None
    user_domain_id: str | None
    project_id: str
    project_name: str | None
    project_domain_id: str | None
    roles: tuple[str, ...]
    token: str | None = dataclasses.field(default=None, repr=False)


class Identity(Protocol):
    """Knows who signs requests."""

    def whose(self, signed: Signed) -> Person:
        """Return who signed a request.

        Raises: Ec2SignatureRefused, IdentityUnavailable, IdentityMisconfigured.
        """


class KeystoneIdentity:
    """Asks Keystone, with the credentials of the compute service's user."""

    def __init__(self, url: str, own: session.Session, auth: BaseAuthPlugin) -> None:
        self._url = url
        self._session = own
        self._auth = auth
        self._renewed_at = float("-inf")

    def whose(self, signed: Signed) -> Person:
        """Return who signed a request."""
        try:
            answer = self._ask(signed)
            if answer.status_code == 401 and self._may_renew():
                answer = self._ask(signed)
        except ksa_exceptions.Unauthorized as error:
            raise exception.IdentityMisconfigured(reason=str(error)) from error
        except ksa_exceptions.ClientException as error:
            raise exception.IdentityUnavailable(reason=str(error)) from error
        return _person(answer)

    def _ask(self, signed: Signed) -> requests.Response:
        return self._session.post(
            self._url,
            json={"credentials": signed.credentials},
            auth=self._auth,
            raise_exc=False,
            allow_reauth=False,
            # Requests and answers hold what others could use.
            log=False,
        )

    def _may_renew(self) -> bool:
        """Get another token of our own, unless that was done just now."""
        now = clock.monotonic()
        if now - self._renewed_at < RENEW_AGAIN_S:
            return False
        self._renewed_at = now
        return bool(self._auth.invalidate())


def _person(answer: requests.Response) -> Person:
    status = answer.status_code
    if status in (400, 401, 404):
        raise exception.Ec2SignatureRefused(
            reason="AWS was not able to validate the provided access credentials."
        )
    if status == 403:
        raise exception.IdentityMisconfigured(
            reason="Keystone lets the service user ask nothing: it needs the role service"
        )
    if status != 200:
        raise exception.IdentityUnavailable(reason=f"it answers with status {status}")
    try:
        return _of_document(answer.json()["token"], answer.headers["X-Subject-Token"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise exception.IdentityUnavailable(reason="its answer can not be read") from error


def _of_document(token: dict[str, Any], text: str) -> Person:
    user, project = token["user"], token["project"]
    return Person(
        user_id=user["id"],
        user_name=user.get("name"),
        user_domain_id=user.get("domain", {}).get("id"),
        project_id=project["id"],
        project_name=project.get("name"),
        project_domain_id=project.get("domain", {}).get("id"),
        roles=tuple(role["name"].lower() for role in token["roles"]),
        token=text,
    )


class NoIdentity:
    """Believes what the access key says: "user:project"; for tests on one machine."""

    def whose(self, signed: Signed) -> Person:
        """Return who the access key names."""
        user, _, project = signed.access.partition(":")
        roles = ("member", "reader")
        return Person(
            user_id=user,
            user_name=user,
            user_domain_id=None,
            project_id=project or user,
            project_name=project or user,
            project_domain_id=None,
            roles=("admin", "manager", *roles) if user == "admin" else roles,
        )


def keystone_identity(conf: cfg.ConfigOpts) -> KeystoneIdentity:
    """Return the identity service that tokens of the Compute API come from.

    Raises: ConfigurationError.
    """
    group = conf[_GROUP]
    try:
        auth = loading.load_auth_from_conf_options(conf, _GROUP)
    except (ksa_exceptions.ClientException, cfg.Error) as error:
        reason = f"the credentials in [{_GROUP}] can not be loaded: {error}"
        raise exception.ConfigurationError(reason=reason) from error
    if auth is None:
        raise exception.ConfigurationError(reason=f"[{_GROUP}] auth_type must be set")
    verify = False if group.insecure else (group.cafile or True)
    own = session.Session(auth=auth, verify=verify, timeout=TIMEOUT_S, redirect=False)
    return KeystoneIdentity(_url(conf), own, auth)


def _url(conf: cfg.ConfigOpts) -> str:
    if conf.keystone_ec2_url:
        return str(conf.keystone_ec2_url)
    base = str(conf[_GROUP].www_authenticate_uri).rstrip("/").removesuffix("/v3")
    return f"{base}/v3/ec2tokens"
