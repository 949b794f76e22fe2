"""The way to the object store: what is asked, how it is signed, what is taken."""

import dataclasses
import http.server
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from nova.exception import BundleNotFound, BundleStoreUnavailable, BundleUnacceptable
from nova.image.bundle.source import PROJECT_HEADER, Place, S3BundleSource, SourceSettings

pytestmark = pytest.mark.loopback

PROJECT = "a" * 32
PLACE = Place.of("bucket/ä path/x+y~z.manifest.xml")


@dataclasses.dataclass
class Store:
    """A server that answers all requests alike and keeps them."""

    settings: SourceSettings
    seen: list[tuple[str, dict[str, str]]]
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"content")

    def read(self, max_bytes: int = 1000, **settings: Any) -> bytes:
        """Read the place."""
        source = S3BundleSource(dataclasses.replace(self.settings, **settings))
        return b"".join(source.read(PROJECT, PLACE, max_bytes))


@pytest.fixture
def store() -> Iterator[Store]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.seen.append((self.path, headers))
            status, answered, body = made.answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **answered}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made = Store(
        SourceSettings(
            host="127.0.0.1", port=server.server_port, access_key="key", secret_key="secret"
        ),
        [],
    )
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_object_is_read_in_the_name_of_the_project(store: Store) -> None:
    assert store.read() == b"content"
    path, headers = store.seen[0]
    assert urllib.parse.unquote(path) == "/bucket/ä path/x+y~z.manifest.xml"
    assert headers[PROJECT_HEADER] == PROJECT
    assert f"{PROJECT_HEADER}" in headers["authorization"].partition("SignedHeaders=")[2]
    assert "Credential=key/" in headers["authorization"]


def test_ec_01_the_signature_is_that_of_botocore(store: Store) -> None:
    store.read()
    path, headers = store.seen[0]
    signed = ("host", "x-amz-content-sha256", "x-amz-date", PROJECT_HEADER)
    request = AWSRequest(
        "GET",
        f"http://{headers['host']}{path}",
        headers={name: headers[name] for name in signed},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials("key", "secret"), "s3", "nova")
    text = auth.string_to_sign(request, _canonical(auth, request))
    given = headers["authorization"].partition("Signature=")[2]
    assert auth.signature(text, request) == given


def _canonical(auth: S3SigV4Auth, request: AWSRequest) -> str:
    # botocore signs what it has prepared; the headers are there already.
    text: str = auth.canonical_request(request)
    return text


def test_the_project_may_be_written_behind_the_key(store: Store) -> None:
    store.read(affix_tenant=True)
    assert f"Credential=key:{PROJECT}/" in store.seen[0][1]["authorization"]


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_not_the_projects_is_not_there(store: Store, status: int) -> None:
    store.answer = (status, {}, b"")
    with pytest.raises(BundleNotFound):
        store.read()


@pytest.mark.parametrize("status", [301, 307, 400, 500, 503])
def test_other_answers_and_redirects_are_failures(store: Store, status: int) -> None:
    store.answer = (status, {"Location": "http://127.0.0.1:1/"}, b"")
    with pytest.raises(BundleStoreUnavailable):
        store.read()
    assert len(store.seen) == 1


def test_ec_06_no_more_is_read_than_is_allowed(store: Store) -> None:
    with pytest.raises(BundleUnacceptable):
        store.read(max_bytes=6)


def test_an_answer_cut_off_is_a_failure(store: Store) -> None:
    store.answer = (200, {"Content-Length": "999"}, b"short")
    with pytest.raises(BundleStoreUnavailable):
        store.read()


def test_nobody_there(store: Store) -> None:
    with pytest.raises(BundleStoreUnavailable):
        store.read(port=1)
