import pytest

from tests.fixtures.cloud import IMAGE_ID


def act(cloud, server, **body):
    return cloud.rest.post(f"/servers/{server.uuid}/action", body)


def groups(server):
    return [group["name"] for group in server.show().get("security_groups", [])]


def test_server_leaves_the_default_group_and_comes_back(cloud):
    server = cloud.boot()
    assert groups(server) == ["default"]
    server.act({"removeSecurityGroup": {"name": "default"}})
    assert groups(server) == []
    server.act({"addSecurityGroup": {"name": "default"}})
    assert groups(server) == ["default"]


@pytest.mark.parametrize(
    ("action", "name", "status"),
    [
        ("addSecurityGroup", "default", 400),
        ("addSecurityGroup", "web", 404),
        ("addSecurityGroup", "  ", 400),
        ("removeSecurityGroup", "web", 404),
    ],
)
def test_group_that_does_not_fit_is_refused(cloud, action, name, status):
    server = cloud.boot()
    assert act(cloud, server, **{action: {"name": name}}).status_int == status
    assert groups(server) == ["default"]


def test_new_server_in_an_unknown_group_is_refused(cloud):
    body = {"name": "x", "flavorRef": "2", "imageRef": IMAGE_ID}
    wish = {"server": body | {"security_groups": [{"name": "web"}]}}
    answer = cloud.rest.post("/servers", wish)
    assert answer.status_int == 400
    assert "web" in answer.json["badRequest"]["message"]


def test_access_address_is_kept_in_its_short_form(cloud):
    server = cloud.boot()
    body = {"server": {"accessIPv6": "0000:0000:0000:0000:0000:babe:220.12.22.2"}}
    answer = cloud.rest.put(f"/servers/{server.uuid}", body)
    assert answer.json["server"]["accessIPv6"] == "::babe:dc0c:1602"
