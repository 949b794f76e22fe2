import io
import logging

import pytest

from nova.api.openstack.environment import Environ, StartResponse
from nova.api.openstack.middleware import SizeLimit, StripIdentity
from tests.unit.api.openstack.conftest import Api

GLOBAL_ID = "req-11111111-2222-3333-4444-555555555555"


def test_every_answer_has_both_request_ids(api: Api) -> None:
    for path in ("//", "/extensions", "/none", "/servers/none", "//none"):
        headers = api.rest.get(path).headers
        assert headers["X-Openstack-Request-Id"].startswith("req-")
        assert headers["X-Compute-Request-Id"] == headers["X-Openstack-Request-Id"]


def test_unauthorized_answers_have_request_ids_too(api: Api) -> None:
    answer = api.rest.get("/servers", X_Auth_Token="")
    assert answer.status_int == 401
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
    assert "WWW-Authenticate" in answer.headers


def test_a_given_request_id_becomes_the_global_one(api: Api) -> None:
    answer = api.rest.get("/servers", X_Openstack_Request_Id=GLOBAL_ID)
    assert answer.headers["X-Openstack-Request-Id"] != GLOBAL_ID


IDENTITY = (
    "X-User-Id",
    "x-USER-id",
    "X_User_Id",
    "X-User",
    "X-Project-Id",
    "X-Tenant",
    "X-Roles",
    "X_Roles",
    "X-Role",
    "X-Is-Admin-Project",
    "X-Service-Roles",
    "X-Service-User-Id",
    "X-Service-Identity-Status",
    "X-Identity-Status",
    "X-Domain-Id",
    "X-System-Scope",
    "OpenStack-System-Scope",
    "X-Auth-User",
)


def _name_in_environ(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


@pytest.mark.parametrize("header", IDENTITY)
def test_az_08_identity_headers_are_removed(header: str) -> None:
    seen: dict[str, object] = {}

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.update(environ)
        return []

    environ = {
        _name_in_environ(header): "admin",
        "HTTP_X_AUTH_TOKEN": "token",
        "HTTP_X_SERVICE_TOKEN": "service",
        "HTTP_X_OPENSTACK_REQUEST_ID": GLOBAL_ID,
    }
    StripIdentity(app)(environ, lambda *args: None)
    assert _name_in_environ(header) not in seen
    assert {"HTTP_X_AUTH_TOKEN", "HTTP_X_SERVICE_TOKEN", "HTTP_X_OPENSTACK_REQUEST_ID"} <= set(seen)


@pytest.mark.parametrize("token", ["", "alice:" + "a" * 32])
def test_az_08_identity_headers_make_nobody_an_administrator(api: Api, token: str) -> None:
    claims = {name.replace("-", "_"): "admin" for name in IDENTITY if "_" not in name}
    answer = api.rest.get("/servers?all_tenants=1", **{**claims, "X_Auth_Token": token})
    assert answer.status_int == (403 if token else 401)


def test_in_01_large_bodies_are_refused_by_their_length(api: Api) -> None:
    answer = api.rest.post("/servers", b"x" * 114689)
    assert answer.status_int == 413
    assert answer.json["overLimit"]["code"] == 413
    assert "Retry-After" in answer.headers


def test_in_01_the_length_is_believed_before_anything_is_read() -> None:
    class Unreadable(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(100 * 2**20),
        "wsgi.input": Unreadable(),
    }
    app = SizeLimit(lambda environ, start: [], 114688)
    list(app(environ, lambda status, headers, *rest: statuses.append(status)))
    assert statuses == ["413 Request Entity Too Large"]


@pytest.mark.parametrize("length", ["-1", "1e9", "x", "²"])
def test_in_01_a_length_that_is_no_number_is_refused(length: str) -> None:
    statuses: list[str] = []
    app = SizeLimit(lambda environ, start: [], 114688)
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length}
    list(app(environ, lambda status, headers, *rest: statuses.append(status)))
    assert statuses == ["400 Bad Request"]


def test_in_01_bodies_without_length_are_read_up_to_the_limit() -> None:
    seen: list[bytes] = []
    statuses: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.append(environ["wsgi.input"].read())
        return []

    limited = SizeLimit(app, 10)
    for size in (10, 1000):
        stream = io.BytesIO(b"x" * size)
        environ = {
            "REQUEST_METHOD": "POST",
            "wsgi.input": stream,
            "wsgi.input_terminated": True,
        }
        list(limited(environ, lambda status, headers, *rest: statuses.append(status)))
        assert stream.tell() <= 11
    assert seen == [b"x" * 10]
    assert statuses == ["413 Request Entity Too Large"]


@pytest.mark.logs_errors
def test_in_13_unexpected_errors_tell_nothing_but_their_name(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def get(self, token: str | None, image_id: str) -> object:
            raise RuntimeError("CANARY /etc/nova/nova.conf SELECT")

    api.images.get = Broken().get  # type: ignore[assignment,method-assign]
    body = {
        "server": {
            "name": "x",
            "imageRef": "11111111-2222-3333-4444-555555555555",
            "flavorRef": "1",
        }
    }
    with caplog.at_level(logging.ERROR):
        answer = api.rest.post("/servers", body)
    assert answer.status_int == 500
    assert "CANARY" not in answer.text
    assert "RuntimeError" in answer.json["computeFault"]["message"]
    assert "CANARY" in caplog.text


@pytest.mark.logs_errors
def test_in_13_errors_of_the_conductor_tell_nothing(api: Api) -> None:
    class Failing:
        def __getitem__(self, key: str) -> object:
            raise RuntimeError("CANARY")

        get = __getitem__

    api.instances.servers = Failing()  # type: ignore[assignment]
    answer = api.rest.get("/servers/11111111-2222-3333-4444-555555555555")
    assert answer.status_int == 500
    assert "CANARY" not in answer.text
