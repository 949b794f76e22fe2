import pytest

from nova import exception
from nova.api.openstack import versions
from nova.api.openstack.versions import MAXIMUM, MINIMUM, Range, Version, negotiate, parse
from tests.unit.api.openstack.conftest import Api


@pytest.mark.parametrize(
    "text", ["2", "2.", "2.1.0", "v2.1", " 2.1", "2.1\n", "2.01", "-2.1", "\uff12.1", ""]
)
def test_bad_version_texts_are_refused(text: str) -> None:
    with pytest.raises(exception.ApiVersionInvalid):
        parse(text)


def test_versions_compare_by_number() -> None:
    assert parse("2.9") < parse("2.10") < parse("2.100") < parse("3.0")


def test_ranges_are_closed_and_open_ended() -> None:
    assert Version(2, 5) in Range("2.2", "2.5")
    assert Version(2, 6) not in Range("2.2", "2.5")
    assert Version(2, 999) in Range("2.2")
    assert Range(until="2.5").overlaps(Range("2.5"))
    assert not Range(until="2.5").overlaps(Range("2.6"))
    assert str(Range("2.2", "2.5")) == "2.2-2.5"


def test_negotiation() -> None:
    assert negotiate(None, None) == MINIMUM
    assert negotiate("compute 2.30", "2.5") == Version(2, 30)
    assert negotiate("identity 3.2, compute 2.7", None) == Version(2, 7)
    assert negotiate("identity 3.2", "2.5") == Version(2, 5)
    assert negotiate("compute latest", None) == MAXIMUM
    assert negotiate(None, "latest") == MAXIMUM
    with pytest.raises(exception.ApiVersionInvalid):
        negotiate("compute", None)
    for unsupported in ("2.0", "1.1", "2.9999", "3.1"):
        with pytest.raises(exception.ApiVersionNotSupported):
            negotiate(f"compute {unsupported}", None)


def test_both_headers_and_vary_are_echoed(api: Api) -> None:
    answer = api.rest.at("2.30").get("/extensions")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.30"
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.30"
    assert answer.headers["Vary"] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version"


def test_headers_are_echoed_on_errors_too(api: Api) -> None:
    answer = api.rest.at("2.30").get("/extensions/none")
    assert answer.status_int == 404
    assert answer.headers["OpenStack-API-Version"] == "compute 2.30"


def test_unsupported_version_is_406_and_tells_the_range(api: Api) -> None:
    answer = api.rest.at("2.9999").get("/extensions")
    assert answer.status_int == 406
    fault = answer.json["computeFault"]
    assert fault["code"] == 406
    assert str(MAXIMUM) in fault["message"] and "2.1" in fault["message"]


def test_bad_version_is_400(api: Api) -> None:
    answer = api.rest.at("two").get("/extensions")
    assert (answer.status_int, list(answer.json)) == (400, ["badRequest"])


_PROJECT = f"//v2.1/{'a' * 32}"


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "//v2.1",
        "//v2.1/",
        _PROJECT,
        f"{_PROJECT}/",
        "//v2.1/versions/v2.1",
        f"{_PROJECT}/versions/v2.1",
    ],
)
def test_documents_need_no_token(api: Api, path: str) -> None:
    answer = api.rest.get(path, X_Auth_Token="")
    assert answer.status_int == 200
    document = answer.json["versions"][1] if "versions" in answer.json else answer.json["version"]
    assert document["id"] == "v2.1"
    assert document["status"] == "CURRENT"
    assert document["version"] == str(MAXIMUM)
    assert document["min_version"] == "2.1"
    assert document["links"][0] == {"rel": "self", "href": "http://cloud.example:8774/v2.1/"}


def test_version_document_names_its_media_type(api: Api) -> None:
    document = api.rest.get("//v2.1/").json["version"]
    assert document["media-types"] == [
        {
            "base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1",
        }
    ]
    assert document["links"][1]["rel"] == "describedby"


def test_a_path_outside_the_mount_offers_choices(api: Api) -> None:
    answer = api.rest.get("//foo")
    assert answer.status_int == 300
    assert [choice["links"][0]["href"] for choice in answer.json["choices"]] == [
        "http://cloud.example:8774/v2/foo",
        "http://cloud.example:8774/v2.1/foo",
    ]


@pytest.mark.parametrize("path", ["/versions/v1.1", "/versions/v3", f"/{'a' * 32}/versions/x"])
def test_other_versions_are_404(api: Api, path: str) -> None:
    answer = api.rest.get(path)
    assert (answer.status_int, list(answer.json)) == (404, ["itemNotFound"])


@pytest.mark.parametrize("path", ["//", "//v2.1/", "//v2.1/versions/v2.1"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_documents_are_only_read(api: Api, method: str, path: str) -> None:
    assert api.rest.request(method, path).status_int == 404


@pytest.mark.parametrize("path", ["/versions", "/versions/v2.1/x", "/v2.1"])
def test_what_is_no_document_needs_a_token(api: Api, path: str) -> None:
    assert api.rest.get(path, X_Auth_Token="").status_int == 401
    assert api.rest.get(path).status_int == 404


def test_range_of_the_claim() -> None:
    assert Version(2, 104) == versions.MAXIMUM
