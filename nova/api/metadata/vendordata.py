"""Vendor data: the operator's file, and answers of the operator's services."""

import dataclasses
import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

from keystoneauth1.exceptions import ClientException

from nova import exception
from nova.objects.guest_metadata import GuestMetadata

LOG = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 16384


class HttpSession(Protocol):
    """The part of keystoneauth's session that is used here."""

    def post(self, url: str, **kwargs: Any) -> Any:
        """Send a POST request."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A vendor data service."""

    name: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VendorDataSettings:
    """Which services to ask, and for how long (seconds)."""

    targets: tuple[Target, ...] = ()
    connect_timeout_s: int = 5
    read_timeout_s: int = 5
    failure_fatal: bool = False


def parse_targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    """Return the services that name@url texts describe.  Raises: ConfigurationError."""
    targets = []
    for text in texts:
        name, separator, url = text.partition("@")
        if not separator or not name or not url.startswith(("https://", "http://")):
            raise exception.ConfigurationError(
                reason=f"[api] vendordata_dynamic_targets: '{text}' is not of the form name@url."
            )
        targets.append(Target(name=name, url=url))
    return tuple(targets)


class DynamicVendorData:
    """Asks the operator's services about a guest."""

    def __init__(
        self,
        settings: VendorDataSettings,
        session: HttpSession | None,
        monotonic: Callable[[], float],
        *,
        authenticated: bool = False,
    ) -> None:
        self._settings = settings
        self._session = session
        self._monotonic = monotonic
        self._authenticated = authenticated

    def collect(self, guest: GuestMetadata) -> dict[str, Any]:
        """Return each service's answer by its name; failures leave {} unless they are fatal.

        Raises: Unavailable when a failure is fatal.
        """
        answers: dict[str, Any] = {}
        for target in self._settings.targets:
            answer = self._ask(target, guest)
            if answer is None and self._settings.failure_fatal:
                raise exception.Unavailable(reason=f"Vendor data of {target.name} is missing.")
            answers[target.name] = answer or {}
        return answers

    def _ask(self, target: Target, guest: GuestMetadata) -> dict[str, Any] | None:
        assert self._session is not None
        deadline = self._monotonic() + self._settings.read_timeout_s
        try:
            response = self._session.post(
                target.url,
                json=_question(guest),
                headers={"User-Agent": "openstack-nova-vendordata"},
                authenticated=self._authenticated,
                redirect=False,
                raise_exc=False,
                stream=True,
                connect_retries=0,
                timeout=(self._settings.connect_timeout_s, self._settings.read_timeout_s),
            )
            with response:
                if response.status_code != 200:
                    LOG.warning(
                        "Vendor data service %s answered %d", target.name, response.status_code
                    )
                    return None
                return self._read(target, response, deadline)
        except (ClientException, OSError, ValueError) as error:
            LOG.warning("Vendor data service %s failed: %s", target.name, type(error).__name__)
            return None

    def _read(self, target: Target, response: Any, deadline: float) -> dict[str, Any] | None:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                LOG.warning("Vendor data service %s sent too much", target.name)
                return None
            if self._monotonic() > deadline:
                LOG.warning("Vendor data service %s was too slow", target.name)
                return None
        document = json.loads(body) if body else {}
        return document if isinstance(document, dict) else None


def _question(guest: GuestMetadata) -> dict[str, Any]:
    instance = guest.instance
    return {
        "project-id": instance.project_id,
        "instance-id": instance.uuid,
        "image-id": instance.image_ref,
        "user-data": instance.user_data,
        "hostname": instance.hostname,
        "metadata": instance.metadata,
        "boot-roles": "",
    }
