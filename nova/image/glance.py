"""Client of Glance, version 2 of its API.

Only the configured service is ever contacted: redirects are errors, and locations that an
image document may name are not read.
"""

import logging
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import requests
from keystoneauth1 import adapter, session, token_endpoint
from keystoneauth1 import exceptions as ksa_exceptions

from nova import clock, exception
from nova.image import transfer
from nova.objects.image import Image

LOG = logging.getLogger(__name__)

_T = TypeVar("_T")

_IMAGE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,254}")
_NOT_PROPERTIES = frozenset(
    [
        "id",
        "name",
        "status",
        "disk_format",
        "container_format",
        "size",
        "virtual_size",
        "min_disk",
        "min_ram",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "visibility",
        "created_at",
        "updated_at",
        "protected",
        "tags",
        "self",
        "file",
        "schema",
        "direct_url",
        "locations",
        "stores",
        "members",
    ]
)
_UNREACHABLE = (ksa_exceptions.ConnectFailure, ksa_exceptions.RetriableConnectionFailure)
_BROKEN_STREAM = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
)
_RETRIED_STATUS = frozenset({502, 503, 504})
_LONGEST_PAUSE_S = 8.0


class GlanceImageService:
    """Images of a real Glance.

    own: adapter with the service's credentials; its session must not follow redirects.
    servers: addresses tried in turn; when empty, the adapter knows the address.
    """

    def __init__(
        self,
        own: adapter.Adapter,
        servers: Sequence[str] = (),
        num_retries: int = 3,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._own = own
        self._servers = tuple(_root(server) for server in servers)
        self._num_retries = num_retries
        self._pause = pause

    def get(self, token: str | None, image_id: str) -> Image:
        """Return an image.

        Raises: ImageNotFound, ImageServiceForbidden, ImageServiceUnavailable.
        """

        def attempt(server: str) -> Image:
            response = self._request(token, server, f"/v2/images/{_quoted(image_id)}")
            _require_success(response, image_id)
            try:
                return image_from_document(response.json())
            except (ValueError, KeyError, TypeError) as error:
                raise _Again(f"unreadable image document ({error})") from error

        return self._retried(attempt)

    def download(
        self, token: str | None, image: Image, path: str, max_bytes: int | None = None
    ) -> None:
        """Write the bytes to a new file and verify them.

        Raises: ImageNotFound, ImageNotActive, ImageUnacceptable, ImageCorrupt,
        ImageServiceForbidden, ImageServiceUnavailable.
        """
        transfer.require_usable(image, max_bytes)
        address = f"/v2/images/{_quoted(image.id)}/file"

        def attempt(server: str) -> None:
            response = self._request(token, server, address, stream=True)
            try:
                if response.status_code == 403:
                    raise exception.ImageNotActive(image_id=image.id, status="deactivated")
                _require_success(response, image.id)
                transfer.write_verified(_chunks(response), image, path, max_bytes)
            finally:
                response.close()

        self._retried(attempt)

    def _request(
        self, token: str | None, server: str, path: str, stream: bool = False
    ) -> requests.Response:
        auth = token_endpoint.Token(server, token) if token is not None else None
        headers = {"Accept": "application/octet-stream" if stream else "application/json"}
        try:
            return self._own.get(
                path,
                endpoint_override=server,
                auth=auth or self._own.auth,
                headers={**headers, "Accept-Encoding": "identity"},
                raise_exc=False,
                redirect=False,
                stream=stream,
            )
        except _UNREACHABLE as error:
            raise _Again(type(error).__name__) from error
        except ksa_exceptions.ClientException as error:
            LOG.error("Request to the image service failed: %s", error)
            raise exception.ImageServiceUnavailable(reason=type(error).__name__) from None

    def _retried(self, attempt: Callable[[str], _T]) -> _T:
        servers = self._servers or (self._catalogued(),)
        for count in range(self._num_retries + 1):
            server = servers[count % len(servers)]
            try:
                return attempt(server)
            except _Again as again:
                LOG.warning("Image service at %s: %s (attempt %d)", server, again, count + 1)
                reason = str(again)
            if count < self._num_retries:
                self._pause(min(0.5 * 2**count, _LONGEST_PAUSE_S))
        raise exception.ImageServiceUnavailable(reason=f"{reason}.")

    def _catalogued(self) -> str:
        try:
            endpoint = self._own.get_endpoint()
        except ksa_exceptions.ClientException as error:
            LOG.error("The address of the image service can not be found: %s", error)
            raise exception.ImageServiceUnavailable(reason=type(error).__name__) from None
        if not endpoint:
            reason = "neither configuration nor service catalogue name it."
            raise exception.ImageServiceUnavailable(reason=reason)
        return _root(endpoint)


class _Again(Exception):
    """An attempt failed in a way that may pass."""


def image_from_document(document: Mapping[str, Any]) -> Image:
    """Return the image that a document of the v2 API describes.

    Raises: KeyError, ValueError, TypeError.
    """
    return Image(
        id=str(document["id"]),
        name=document.get("name"),
        status=str(document["status"]),
        disk_format=document.get("disk_format"),
        container_format=document.get("container_format"),
        size_bytes=document.get("size"),
        min_disk_gb=int(document.get("min_disk") or 0),
        min_ram_mb=int(document.get("min_ram") or 0),
        os_hash_algo=document.get("os_hash_algo"),
        os_hash_value=document.get("os_hash_value"),
        owner=document.get("owner"),
        visibility=str(document.get("visibility") or "private"),
        created_at=clock.parse(document["created_at"]) if "created_at" in document else None,
        updated_at=clock.parse(document["updated_at"]) if "updated_at" in document else None,
        properties={
            str(key): str(value)
            for key, value in document.items()
            if key not in _NOT_PROPERTIES and value is not None
        },
    )


def open_session(auth: Any, options: Mapping[str, Any]) -> session.Session:
    """Return a session that never follows redirects.

    options: verify, cert and timeout as keystoneauth takes them.
    """
    return session.Session(auth=auth, redirect=False, **options)


def _root(endpoint: str) -> str:
    return re.sub(r"/v2(\.\d+)?$", "", endpoint.rstrip("/"))


def _quoted(image_id: str) -> str:
    if not _IMAGE_ID.fullmatch(image_id):
        raise exception.ImageNotFound(image_id=image_id)
    return urllib.parse.quote(image_id, safe="")


def _require_success(response: requests.Response, image_id: str) -> None:
    status = response.status_code
    if status == 200:
        return
    if status == 404:
        raise exception.ImageNotFound(image_id=image_id)
    if status == 204:
        raise exception.ImageUnacceptable(image_id=image_id, reason="it has no data.")
    if status in (401, 403):
        raise exception.ImageServiceForbidden(image_id=image_id)
    if status in _RETRIED_STATUS:
        raise _Again(f"answer {status}")
    reason = "redirects are not followed." if 300 <= status < 400 else f"it answered {status}."
    raise exception.ImageServiceUnavailable(reason=reason)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    pieces: Iterable[bytes] = response.iter_content(transfer.CHUNK_BYTES)
    try:
        yield from pieces
    except _BROKEN_STREAM as error:
        raise _Again(f"broken download ({type(error).__name__})") from error
