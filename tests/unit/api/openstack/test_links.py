import pytest

from nova.api.openstack.links import Links, base_url
from tests.unit.api.openstack.conftest import Api

ENVIRON = {
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "api.example:8774",
    "SERVER_NAME": "192.0.2.1",
    "SERVER_PORT": "8774",
}
PROXY = {
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "cloud.example",
    "HTTP_X_FORWARDED_PREFIX": "/compute",
}


def test_base_is_the_host_of_the_request() -> None:
    assert base_url(ENVIRON, None, False) == "http://api.example:8774"
    assert base_url({**ENVIRON, "HTTP_HOST": "[fe80::1]:80"}, None, False) == "http://[fe80::1]:80"


@pytest.mark.parametrize(
    "host", ["evil/path", "user@evil", "a b", "x<script>", "", "evil\r\nX: y", "h:1:2", "a\n"]
)
def test_in_14_a_host_that_is_no_host_is_replaced(host: str) -> None:
    assert base_url({**ENVIRON, "HTTP_HOST": host}, None, False) == "http://192.0.2.1:8774"


def test_in_14_configuration_wins() -> None:
    environ = {**ENVIRON, **PROXY, "HTTP_HOST": "evil"}
    assert base_url(environ, "https://api.cloud/compute/", True) == "https://api.cloud/compute"


def test_in_14_proxy_headers_count_only_if_trusted() -> None:
    assert base_url({**ENVIRON, **PROXY}, None, False) == "http://api.example:8774"
    assert base_url({**ENVIRON, **PROXY}, None, True) == "https://cloud.example/compute"


def test_in_14_trusted_headers_are_still_checked() -> None:
    environ = {**ENVIRON, "HTTP_X_FORWARDED_PROTO": "javascript", "HTTP_X_FORWARDED_PREFIX": "/<x>"}
    assert base_url(environ, None, True) == "http://api.example:8774"


def test_forms() -> None:
    links = Links(base="http://h", project_part="/p", path="/v2.1/p/servers", query=())
    assert links.self_link("servers", "1") == "http://h/v2.1/p/servers/1"
    assert links.bookmark("servers", "1") == "http://h/p/servers/1"
    assert links.self_link("os-keypairs", "a b/c") == "http://h/v2.1/p/os-keypairs/a%20b%2Fc"


def test_next_keeps_the_query_sorted_and_moves_the_marker() -> None:
    query = [("status", "B"), ("marker", "old"), ("limit", "2"), ("status", "A")]
    links = Links(base="http://h", path="/v2.1/servers", query=query)
    assert links.next_page("new") == [
        {
            "rel": "next",
            "href": "http://h/v2.1/servers?limit=2&marker=new&status=B&status=A",
        }
    ]


def test_in_14_hostile_host_header_over_the_api(api: Api) -> None:
    server = api.instances.add(api.rest.project)
    answer = api.rest.get(
        f"/servers/{server.uuid}", Host="evil/@x", X_Forwarded_Host="evil.example"
    )
    assert "evil" not in answer.text


def test_in_14_configured_prefix_is_in_every_link(api: Api) -> None:
    server = api.instances.add(api.rest.project)
    rest = api.with_settings(compute_link_prefix="https://public.example/compute")
    body = rest.get(f"/{rest.project}/servers/{server.uuid}").json["server"]
    assert body["links"][0]["href"] == (
        f"https://public.example/compute/v2.1/{rest.project}/servers/{server.uuid}"
    )
    assert body["links"][1]["href"] == (
        f"https://public.example/compute/{rest.project}/servers/{server.uuid}"
    )
    assert rest.get("//").json["versions"][1]["links"][0]["href"] == (
        "https://public.example/compute/v2.1/"
    )
