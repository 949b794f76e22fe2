"""Client of Glance, version 2 of its API.

Only the configured service is ever contacted: redirects are errors, and locations that an
image document may name are not read.
"""

import json
import logging
import os
import re
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import requests
from keystoneauth1 import adapter, session, token_endpoint
from keystoneauth1 import exceptions as ksa_exceptions

from nova import exception
from nova.image import transfer
from nova.image.glance_documents import (
    PATCH_TYPE,
    document_of,
    image_from_document,
    parameters_of,
    patch_of,
)
from nova.objects.image import Image, ImageChange, ImageQuery, NewImage

LOG = logging.getLogger(__name__)

_T = TypeVar("_T")

_IMAGE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,254}")
_UNREACHABLE = (ksa_exceptions.ConnectFailure, ksa_exceptions.RetriableConnectionFailure)
_BROKEN_STREAM = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
)
_BYTES = {"Accept": "application/octet-stream"}
_SENT_BYTES = {"Content-Type": "application/octet-stream"}
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
            response = self._request(token, server, "GET", f"/v2/images/{_quoted(image_id)}")
            _require_success(response, image_id)
            return _image_of(response)

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
            response = self._request(token, server, "GET", address, _BYTES, stream=True)
            try:
                if response.status_code == 403:
                    raise exception.ImageNotActive(image_id=image.id, status="deactivated")
                _require_success(response, image.id)
                transfer.write_verified(_chunks(response), image, path, max_bytes)
            finally:
                response.close()

        self._retried(attempt)

    # --- Writing

    def create(self, token: str | None, new: NewImage) -> Image:
        """Make the record of a private image.

        The id is chosen here, so that a request whose answer was lost makes no second image.
        Raises: ImagePropertyRefused, ImageQuotaExceeded, ImageUnacceptable,
        ImageServiceForbidden, ImageServiceUnavailable.
        """
        image_id = str(uuid.uuid4())
        body = document_of(new, image_id)

        def attempt(server: str) -> Image | None:
            response = self._request(token, server, "POST", "/v2/images", json=body)
            if response.status_code == 409:
                return None
            _require_success(response, image_id, 201)
            return _image_of(response)

        return self._retried(attempt) or self.get(token, image_id)

    def update(self, token: str | None, image_id: str, change: ImageChange) -> Image:
        """Change an image.

        Raises: ImageNotFound, ImagePropertyRefused, ImageBusy, ImageQuotaExceeded,
        ImageUnacceptable, ImageServiceForbidden, ImageServiceUnavailable.
        """
        content = json.dumps(patch_of(change)).encode()
        path = f"/v2/images/{_quoted(image_id)}"

        def attempt(server: str) -> Image:
            response = self._request(
                token, server, "PATCH", path, {"Content-Type": PATCH_TYPE}, data=content
            )
            _require_success(response, image_id)
            return _image_of(response)

        return self._retried(attempt)

    def upload(self, token: str | None, image_id: str, path: str) -> None:
        """Give an image without data the bytes of a file.

        Raises: ImageNotFound, ImageBusy, ImageQuotaExceeded, ImageUnacceptable,
        ImageServiceForbidden, ImageServiceUnavailable.
        """
        address = f"/v2/images/{_quoted(image_id)}/file"

        def attempt(server: str) -> None:
            with open(path, "rb") as file:
                # The file is at its end when the request has been sent: keystoneauth must not
                # send the same once more with a new token.
                response = self._request(
                    token, server, "PUT", address, _SENT_BYTES, data=file, allow_reauth=False
                )
            if response.status_code == 401 and token is None and self._own.invalidate():
                raise _Again("the token had expired")
            if response.status_code == 409 and self._has_bytes(token, image_id, path):
                return
            _require_success(response, image_id, 204)

        self._retried(attempt)

    def _has_bytes(self, token: str | None, image_id: str, path: str) -> bool:
        """Tell whether an image holds as many bytes as a file: an answer may have been lost."""
        found = self.get(token, image_id)
        if found.status == "saving":
            raise _Again("an earlier upload is still going on")
        return found.status == "active" and found.size_bytes == os.path.getsize(path)

    def delete(self, token: str | None, image_id: str) -> None:
        """Delete an image.

        Raises: ImageNotFound, ImageBusy, ImageServiceForbidden, ImageServiceUnavailable.
        """
        path = f"/v2/images/{_quoted(image_id)}"

        def attempt(server: str) -> None:
            response = self._request(token, server, "DELETE", path)
            _require_success(response, image_id, 204)

        self._retried(attempt)

    # --- Lists

    def page(self, token: str | None, query: ImageQuery) -> tuple[Image, ...]:
        """Return one page of images; Glance may answer in smaller pages than asked for.

        Raises: MarkerNotFound, ImageUnacceptable, ImageServiceForbidden,
        ImageServiceUnavailable.
        """
        found: list[Image] = []
        marker = query.marker
        while len(found) < query.limit:
            parameters = {**parameters_of(query), "limit": str(query.limit - len(found))}
            if marker is not None:
                parameters["marker"] = marker
            images, more = self._page(token, parameters)
            found += images
            if not more or not images:
                break
            marker = images[-1].id
        return tuple(found)

    def _page(self, token: str | None, parameters: dict[str, str]) -> tuple[list[Image], bool]:
        def attempt(server: str) -> tuple[list[Image], bool]:
            response = self._request(token, server, "GET", "/v2/images", params=parameters)
            if response.status_code == 400 and "marker" in parameters:
                raise exception.MarkerNotFound(marker=parameters["marker"])
            _require_success(response, "(list)")
            try:
                document = response.json()
                images = [image_from_document(entry) for entry in document["images"]]
            except (ValueError, KeyError, TypeError) as error:
                raise _Again(f"unreadable list of images ({error})") from error
            return images, "next" in document

        return self._retried(attempt)

    def url_of(self, image_id: str) -> str:
        """Return the address of an image: of the first server that is configured.

        Raises: ImageServiceUnavailable.
        """
        servers = self._servers or (self._catalogued(),)
        return f"{servers[0]}/images/{image_id}"

    # --- Requests

    def _request(
        self,
        token: str | None,
        server: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> requests.Response:
        """Send a request.  content: json, data, params, stream and allow_reauth."""
        auth = token_endpoint.Token(server, token) if token is not None else None
        standard = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            return self._own.request(
                path,
                method,
                endpoint_override=server,
                auth=auth or self._own.auth,
                headers={**standard, **(headers or {})},
                raise_exc=False,
                redirect=False,
                log="data" not in content,
                **content,
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


def _require_success(response: requests.Response, image_id: str, expected: int = 200) -> None:
    status = response.status_code
    if status == expected:
        return
    if status == 404:
        raise exception.ImageNotFound(image_id=image_id)
    if status == 204:
        raise exception.ImageUnacceptable(image_id=image_id, reason="it has no data.")
    if status in (401, 403):
        raise exception.ImageServiceForbidden(image_id=image_id)
    if status == 409:
        raise exception.ImageBusy(image_id=image_id)
    if status == 413:
        raise exception.ImageQuotaExceeded(image_id=image_id)
    if status == 400 and response.request.method != "GET":
        reason = "the image service can not take it as described."
        raise exception.ImageUnacceptable(image_id=image_id, reason=reason)
    if status in _RETRIED_STATUS:
        raise _Again(f"answer {status}")
    reason = "redirects are not followed." if 300 <= status < 400 else f"it answered {status}."
    raise exception.ImageServiceUnavailable(reason=reason)


def _image_of(response: requests.Response) -> Image:
    try:
        return image_from_document(response.json())
    except (ValueError, KeyError, TypeError) as error:
        raise _Again(f"unreadable image document ({error})") from error


def _chunks(response: requests.Response) -> Iterator[bytes]:
    pieces: Iterable[bytes] = response.iter_content(transfer.CHUNK_BYTES)
    try:
        yield from pieces
    except _BROKEN_STREAM as error:
        raise _Again(f"broken download ({type(error).__name__})") from error
