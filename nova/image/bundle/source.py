"""Reads bundles from the object store with the rights of the project whose they are.

nova-api has no signature of the user to show: it signs with credentials of its own and names
the project in a signed header.  The object store lets only a user with the role service do
that, who then reads what the named project owns or what is public: see doc/decisions.
Source: AWS, "Authenticating Requests: Using the Authorization Header" of the S3 API reference.
"""

import dataclasses
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Protocol

import requests

from nova import clock
from nova.exception import (
    BundleNotFound,
    BundleStoreUnavailable,
    BundleUnacceptable,
    InvalidInput,
)

PROJECT_HEADER = "x-nova-project-id"

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_KEY = re.compile(r"[^\x00-\x1f\x7f]{1,1024}")
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_REGION = "nova"
_TIMEOUT_S = (10, 60)
_CHUNK_BYTES = 256 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """An object in a bucket."""

    bucket: str
    key: str

    @classmethod
    def of(cls, location: str) -> "Place":
        """Return what a location bucket/path/name means.  Raises: InvalidInput."""
        bucket, _, key = location.lstrip("/").partition("/")
        if not _BUCKET.fullmatch(bucket) or not _KEY.fullmatch(key):
            raise InvalidInput(reason="The image location must be <bucket>/<manifest>.")
        if any(part in ("", ".", "..") for part in key.split("/")):
            raise InvalidInput(reason="The image location must be a plain path.")
        return cls(bucket, key)

    def beside(self, name: str) -> "Place":
        """Return the object of another name at the same place."""
        folder, slash, _ = self.key.rpartition("/")
        return Place(self.bucket, f"{folder}{slash}{name}")

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


class BundleSource(Protocol):
    """Where bundles are."""

    def read(self, project_id: str, place: Place, max_bytes: int) -> Iterator[bytes]:
        """Give an object that the project may read, in pieces.

        Raises: BundleNotFound, BundleUnacceptable when it is larger, BundleStoreUnavailable.
        """
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """How the object store is reached."""

    host: str
    port: int = 3333
    use_ssl: bool = False
    ca_file: str | None = None
    access_key: str = "notchecked"
    secret_key: str = dataclasses.field(default="notchecked", repr=False)
    affix_tenant: bool = False


class S3BundleSource:
    """Buckets of nova-objectstore."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings

    def read(self, project_id: str, place: Place, max_bytes: int) -> Iterator[bytes]:
        """Give an object in pieces."""
        count = 0
        try:
            with self._session() as session, self._get(session, project_id, place) as response:
                _check(response, place)
                for chunk in response.iter_content(_CHUNK_BYTES):
                    count += len(chunk)
                    if count > max_bytes:
                        raise BundleUnacceptable(reason=f"{place} has more than {max_bytes} bytes.")
                    yield chunk
        except requests.RequestException as error:
            raise BundleStoreUnavailable(reason=type(error).__name__) from error

    def _session(self) -> requests.Session:
        session = requests.Session()
        # Neither proxies nor passwords of the process's surroundings belong here.
        session.trust_env = False
        return session

    def _get(self, session: requests.Session, project_id: str, place: Place) -> requests.Response:
        settings = self._settings
        path = urllib.parse.quote(f"/{place}", safe="/-_.~")
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.port}"
        scheme = "https" if settings.use_ssl else "http"
        return session.get(
            f"{scheme}://{address}{path}",
            headers=self._headers(address, path, project_id),
            verify=settings.ca_file or True,
            allow_redirects=False,
            stream=True,
            timeout=_TIMEOUT_S,
        )

    def _headers(self, address: str, path: str, project_id: str) -> dict[str, str]:
        access = self._settings.access_key
        if self._settings.affix_tenant:
            access = f"{access}:{project_id}"
        headers = {
            "host": address,
            "x-amz-content-sha256": _EMPTY_SHA256,
            "x-amz-date": clock.utcnow().strftime("%Y%m%dT%H%M%SZ"),
            PROJECT_HEADER: project_id,
        }
        signed = _authorization(access, self._settings.secret_key, path, headers)
        return {**headers, "Authorization": signed, "Accept-Encoding": "identity"}


def _check(response: requests.Response, place: Place) -> None:
    if response.status_code in (403, 404):
        raise BundleNotFound(image_location=str(place))
    if response.status_code != 200:
        raise BundleStoreUnavailable(reason=f"it answers {response.status_code}")


def _authorization(access: str, secret: str, path: str, headers: Mapping[str, str]) -> str:
    """Return the header that signs a GET without query; headers: sorted, in lower case."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"GET\n{path}\n\n{lines}\n{names}\n{_EMPTY_SHA256}"
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{_REGION}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
