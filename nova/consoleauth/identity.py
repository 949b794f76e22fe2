"""Whether users may still do what they could when they asked for a console.

Source: security-checklist CON-02.
"""

from typing import Any, Protocol
from urllib.parse import quote, urlencode

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading, session
from oslo_config import cfg

from nova.exception import ConfigurationError, IdentityUnavailable

TIMEOUT_S = 4
_GROUP = "service_user"


class Identity(Protocol):
    """Knows users and their roles."""

    def may_act(self, user_id: str, project_id: str | None) -> bool:
        """Tell whether a user is enabled and has a role in a project, or else anywhere.

        Raises: IdentityUnavailable.
        """


class Anybody:
    """Takes all users for enabled ones, where there is no identity service."""

    def may_act(self, user_id: str, project_id: str | None) -> bool:
        """Always tell so."""
        return True


class KeystoneIdentity:
    """Asks Keystone as a user of our own; nothing is kept, so that a loss counts at once."""

    def __init__(self, own: session.Session, url: str) -> None:
        self._session = own
        self._url = url

    def may_act(self, user_id: str, project_id: str | None) -> bool:
        """Tell whether a user is enabled and has a role in a project."""
        user = self._get(f"/users/{quote(user_id, safe='')}")
        if user is None or not user["user"]["enabled"]:
            return False
        if project_id is None:
            return True
        of_project = urlencode({"user.id": user_id, "scope.project.id": project_id})
        found = self._get(f"/role_assignments?{of_project}&effective")
        return found is not None and bool(found["role_assignments"])

    def _get(self, path: str) -> dict[str, Any] | None:
        """Return a document; None when there is no such thing.  Raises: IdentityUnavailable."""
        try:
            answer = self._session.get(f"{self._url}{path}", raise_exc=False, log=False)
        except ksa_exceptions.ClientException as error:
            raise IdentityUnavailable(reason=str(error)) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise IdentityUnavailable(reason=f"it answers {answer.status_code}")
        document: dict[str, Any] = answer.json()
        return document


def identity_from_config(conf: cfg.ConfigOpts) -> Identity:
    """Return the identity service that the options name.  Raises: ConfigurationError."""
    if not conf.consoleauth.check_identity or conf.api.auth_strategy == "noauth2":
        return Anybody()
    group = conf[_GROUP]
    try:
        auth = loading.load_auth_from_conf_options(conf, _GROUP)
    except (ksa_exceptions.ClientException, cfg.Error) as error:
        raise ConfigurationError(reason=f"the credentials in [{_GROUP}]: {error}") from error
    url = getattr(auth, "auth_url", None)
    if url is None:
        raise ConfigurationError(
            reason=f"[consoleauth] check_identity needs credentials in [{_GROUP}]: set auth_type "
            "and auth_url there, or check_identity = False"
        )
    url = url.rstrip("/")
    verify = False if group.insecure else (group.cafile or True)
    own = session.Session(auth=auth, verify=verify, timeout=TIMEOUT_S, redirect=False)
    return KeystoneIdentity(own, url if url.endswith("/v3") else f"{url}/v3")
