"""Security groups through REST, up to the requests that hosts get."""

import pytest

BASE = "/os-security-groups"
RULES = "/os-security-group-rules"
SSH = {"ip_protocol": "TCP", "from_port": 22, "to_port": 22, "cidr": "10.1.2.3/8"}


def make(cloud, name="web"):
    body = {"security_group": {"name": name, "description": f"of {name}"}}
    answer = cloud.rest.post(BASE, body)
    assert answer.status_int == 200, answer.text
    return answer.json["security_group"]


def add_rule(cloud, group, **values):
    return cloud.rest.post(
        RULES, {"security_group_rule": {"parent_group_id": group["id"], **values}}
    )


def test_group_lives_from_creation_to_deletion(cloud):
    group = make(cloud, " web ")
    assert isinstance(group["id"], int)
    assert (group["name"], group["description"], group["rules"]) == ("web", "of  web", [])
    listed = cloud.rest.get(BASE).json["security_groups"]
    assert [one["name"] for one in listed] == ["default", "web"]
    changed = {"security_group": {"name": "www", "description": "x"}}
    assert cloud.rest.put(f"{BASE}/{group['id']}", changed).json["security_group"]["name"] == "www"
    assert cloud.rest.delete(f"{BASE}/{group['id']}").status_int == 202
    assert cloud.rest.get(f"{BASE}/{group['id']}").status_int == 404


@pytest.mark.parametrize("name", ["web", "4294967296", "9" * 40, "-1", "11111111-2222-4333"])
def test_unknown_group_is_not_found(cloud, name):
    assert cloud.rest.get(f"{BASE}/{name}").status_int == 404
    assert cloud.rest.delete(f"{BASE}/{name}").status_int == 404


def test_group_is_changed_by_its_id_only(cloud):
    make(cloud)
    body = {"security_group": {"name": "www", "description": "x"}}
    assert cloud.rest.put(f"{BASE}/web", body).status_int == 400
    assert cloud.rest.put(f"{BASE}/4294967296", body).status_int == 404


def test_default_group_is_neither_made_renamed_nor_deleted(cloud):
    (group,) = cloud.rest.get(BASE).json["security_groups"]
    assert group["description"] == "default"
    body = {"security_group": {"name": "default", "description": "x"}}
    assert cloud.rest.post(BASE, body).status_int == 400
    body["security_group"]["name"] = "other"
    assert cloud.rest.put(f"{BASE}/{group['id']}", body).status_int == 400
    assert cloud.rest.delete(f"{BASE}/{group['id']}").status_int == 400


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 256, 7])
def test_unusable_name_is_refused(cloud, name):
    body = {"security_group": {"name": name, "description": "x"}}
    assert cloud.rest.post(BASE, body).status_int == 400


def test_rule_is_normalized_and_shown(cloud):
    group = make(cloud)
    answer = add_rule(cloud, group, **SSH)
    rule = answer.json["security_group_rule"]
    assert rule == {
        "id": rule["id"],
        "parent_group_id": group["id"],
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 22,
        "group": {},
        "ip_range": {"cidr": "10.0.0.0/8"},
    }
    assert cloud.rest.get(f"{BASE}/{group['id']}").json["security_group"]["rules"] == [rule]
    assert add_rule(cloud, group, **SSH).status_int == 400
    assert cloud.rest.delete(f"{RULES}/{rule['id']}").status_int == 202
    assert cloud.rest.delete(f"{RULES}/{rule['id']}").status_int == 404


def test_rule_for_a_group_without_ports_is_for_all(cloud):
    group = make(cloud)
    rule = add_rule(cloud, group, group_id=group["id"]).json["security_group_rule"]
    assert rule["group"]["name"] == "web"
    assert (rule["ip_protocol"], rule["from_port"], rule["ip_range"]) == (None, None, {})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"ip_protocol": "sctp"}, 400),
        ({"from_port": 23}, 400),
        ({"to_port": 65536}, 400),
        ({"from_port": None}, 400),
        ({"from_port": 1.5}, 400),
        ({"to_port": 10**30}, 400),
        ({"cidr": "10.0.0.0/33"}, 400),
        ({"cidr": "10.0.0.0/8; true"}, 400),
        ({"group_id": 99}, 400),
        ({"group_id": 2**40, "cidr": None}, 404),
        ({"parent_group_id": 2**31}, 404),
        ({"parent_group_id": "no-id"}, 400),
        ({"parent_group_id": "-1"}, 400),
        ({"group_id": "no-id", "cidr": None}, 400),
        ({"ip_protocol": "icmp", "from_port": 256, "to_port": 0}, 400),
        ({"ip_protocol": "icmp", "from_port": -1, "to_port": -1}, 200),
        ({"cidr": "::1/0"}, 200),
    ],
)
def test_rules_are_checked(cloud, change, status):
    answer = add_rule(cloud, make(cloud), **(SSH | change))
    assert answer.status_int == status, answer.text


def test_group_in_use_stays(cloud):
    group = make(cloud)
    server = cloud.boot(security_groups=[{"name": str(group["id"])}])
    assert server.show()["security_groups"] == [{"name": "web"}]
    assert cloud.rest.delete(f"{BASE}/{group['id']}").status_int == 400
    listed = cloud.rest.get(f"/servers/{server.uuid}/os-security-groups").json
    assert [one["id"] for one in listed["security_groups"]] == [group["id"]]
    server.act({"removeSecurityGroup": {"name": "web"}})
    assert cloud.rest.delete(f"{BASE}/{group['id']}").status_int == 202


def test_default_rules_are_copied_into_new_default_groups(cloud):
    url = "/os-security-group-default-rules"
    body = {"security_group_default_rule": SSH}
    assert cloud.rest.post(url, body).status_int == 403
    made = cloud.rest.as_admin().post(url, body)
    assert made.status_int == 200
    assert cloud.rest.as_admin().post(url, body).status_int == 409
    (default,) = cloud.rest.get(BASE).json["security_groups"]
    assert [rule["ip_range"] for rule in default["rules"]] == [{"cidr": "10.0.0.0/8"}]
    rule_id = made.json["security_group_default_rule"]["id"]
    assert cloud.rest.as_admin().delete(f"{url}/{rule_id}").status_int == 204
    assert cloud.rest.as_admin().get(f"{url}/{rule_id}").status_int == 404
