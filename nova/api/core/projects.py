"""Projects that administrators name in requests, looked up in the identity service."""

import logging
from typing import Protocol
from urllib.parse import quote

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import session
from oslo_config import cfg

from nova import exception
from nova.context import RequestContext

LOG = logging.getLogger(__name__)

TIMEOUT_S = 10
_GROUP = "keystone_authtoken"


class Projects(Protocol):
    """Knows which projects there are."""

    def is_unknown(self, token: str, project_id: str) -> bool:
        """Tell whether a project certainly does not exist."""


class AnyProject:
    """Takes every project for an existing one, where there is no identity service."""

    def is_unknown(self, token: str, project_id: str) -> bool:
        """Never tell so."""
        return False


class KeystoneProjects:
    """Asks Keystone with the caller's own token."""

    def __init__(self, url: str, verify: bool | str = True) -> None:
        self._url = url
        self._session = session.Session(verify=verify, timeout=TIMEOUT_S, redirect=False)

    def is_unknown(self, token: str, project_id: str) -> bool:
        """Tell whether Keystone says that there is no such project; doubt is no such answer."""
        try:
            answer = self._session.get(
                f"{self._url}/projects/{quote(project_id, safe='')}",
                headers={"X-Auth-Token": token, "Accept": "application/json"},
                authenticated=False,
                raise_exc=False,
                log=False,
            )
        except ksa_exceptions.ClientException as error:
            LOG.warning("Project %s could not be looked up: %s", project_id, error)
            return False
        return bool(answer.status_code == 404)


def keystone_projects(conf: cfg.ConfigOpts) -> KeystoneProjects:
    """Return the identity service that tokens come from."""
    group = conf[_GROUP]
    url = group.www_authenticate_uri.rstrip("/")
    if not url.endswith("/v3"):
        url += "/v3"
    return KeystoneProjects(url, verify=False if group.insecure else (group.cafile or True))


def require_project(
    projects: Projects, context: RequestContext, token: str | None, project_id: str
) -> None:
    """Refuse a project that does not exist; the caller's own is not asked for.

    Raises: ProjectUnknown.
    """
    if token is None or project_id == context.project_id:
        return
    if projects.is_unknown(token, project_id):
        raise exception.ProjectUnknown(project_id=project_id)
