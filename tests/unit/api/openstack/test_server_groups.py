"""os-server-groups over the real conductor."""

import uuid

import pytest

from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import IMAGE_ID

BOOT = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID}


def make(rest, version="2.1", **group):
    if not {"policy", "policies"} & set(group):
        group["policies"] = ["anti-affinity"]
    return rest.at(version).post("/os-server-groups", {"server_group": {"name": "web", **group}})


def made(rest, **group):
    answer = make(rest, **group)
    assert answer.status_int == 200, answer.text
    return answer.json["server_group"]


def boot(rest, hints, key="os:scheduler_hints", **server):
    answer = rest.post("/servers", {"server": BOOT | server, key: hints})
    return answer


def test_the_document_of_each_version(cloud):
    common = {"name": "web", "members": []}
    old = common | {"policies": ["anti-affinity"], "metadata": {}}
    owners = {"project_id": PROJECT, "user_id": "alice"}
    new = common | owners | {"policy": "anti-affinity", "rules": {"max_server_per_host": 3}}
    answer = make(cloud.rest, "2.64", policy="anti-affinity", rules={"max_server_per_host": "3"})
    group = answer.json["server_group"]
    group_id = group.pop("id")
    assert group == new
    for version, expected in (("2.1", old), ("2.13", old | owners), ("2.64", new)):
        rest = cloud.rest.at(version)
        shown = rest.get(f"/os-server-groups/{group_id}")
        assert shown.status_int == 200
        assert shown.json["server_group"] == {"id": group_id, **expected}
        assert rest.get("/os-server-groups").json["server_groups"] == [{"id": group_id, **expected}]


def test_rules_are_shown_for_groups_without_any(cloud):
    group = make(cloud.rest, "2.64", policy="affinity", rules={}).json["server_group"]
    assert group["rules"] == {}


@pytest.mark.parametrize(
    ("version", "group", "status"),
    [
        ("2.1", {"policies": ["affinity"]}, 200),
        ("2.14", {"policies": ["soft-affinity"]}, 400),
        ("2.15", {"policies": ["soft-affinity"]}, 200),
        ("2.63", {"policies": ["soft-anti-affinity"]}, 200),
        ("2.1", {"policies": []}, 400),
        ("2.1", {"policies": ["affinity", "anti-affinity"]}, 400),
        ("2.1", {"policies": ["legacy"]}, 400),
        ("2.1", {"policies": "affinity"}, 400),
        ("2.63", {"policy": "affinity"}, 400),
        ("2.64", {"policy": "affinity"}, 200),
        ("2.64", {"policies": ["affinity"]}, 400),
        ("2.64", {"policy": "affinity", "rules": {"max_server_per_host": 2}}, 400),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": 0}}, 400),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": 2}}, 200),
        ("2.64", {"policy": "anti-affinity", "rules": {"other": 2}}, 400),
        ("2.1", {"name": ""}, 400),
        ("2.1", {"name": " web"}, 400),
        ("2.1", {"name": "x" * 256}, 400),
        ("2.1", {"metadata": {}}, 400),
    ],
)
def test_bodies(cloud, version, group, status):
    assert make(cloud.rest, version, **group).status_int == status


def test_a_policy_that_a_version_does_not_know_is_not_shown_there(cloud):
    group_id = made(cloud.rest, version="2.15", policies=["soft-affinity"])["id"]
    shown = cloud.rest.at("2.14").get(f"/os-server-groups/{group_id}").json["server_group"]
    assert shown["policies"] == []


def test_lists_have_limit_and_offset_and_no_links(cloud):
    ids = [made(cloud.rest, name=f"g{number}")["id"] for number in range(4)]

    def listed(query, rest=cloud.rest):
        answer = rest.get(f"/os-server-groups{query}")
        assert set(answer.json) == {"server_groups"}
        return [group["id"] for group in answer.json["server_groups"]]

    assert listed("") == ids
    assert listed("?limit=2&offset=1") == ids[1:3]
    assert listed("?offset=4") == []
    assert listed("?limit=0") == ids
    assert listed("?limit=1", cloud.with_settings(max_limit=2).rest) == ids[:1]
    assert listed("?limit=5", cloud.with_settings(max_limit=2).rest) == ids[:2]
    for query in ("limit=-1", "limit=x", "offset=-1", "offset=99999999999"):
        assert cloud.rest.get(f"/os-server-groups?{query}").status_int == 400
    assert cloud.rest.at("2.74").get("/os-server-groups?x=1").status_int == 200
    assert cloud.rest.at("2.75").get("/os-server-groups?x=1").status_int == 400


def test_all_projects_is_for_administrators(cloud):
    own = made(cloud.rest)["id"]
    foreign = made(cloud.rest.as_user("bob", OTHER_PROJECT))["id"]

    def listed(rest, query="?all_projects=1"):
        return [g["id"] for g in rest.get(f"/os-server-groups{query}").json["server_groups"]]

    assert listed(cloud.admin) == [own, foreign]
    assert listed(cloud.admin, "?all_projects") == [own, foreign]
    assert listed(cloud.admin, "") == []
    assert listed(cloud.rest) == [own]


def test_az_06_foreign_groups_are_not_found(cloud):
    group_id = made(cloud.rest)["id"]
    bob = cloud.rest.as_user("bob", OTHER_PROJECT)
    for rest, status in ((bob, 404), (cloud.admin, 200)):
        assert rest.get(f"/os-server-groups/{group_id}").status_int == status
    assert bob.delete(f"/os-server-groups/{group_id}").status_int == 404
    assert cloud.rest.delete(f"/os-server-groups/{group_id}").status_int == 204
    assert cloud.rest.delete(f"/os-server-groups/{group_id}").status_int == 404


def test_a_name_in_place_of_the_id_is_not_found(cloud):
    made(cloud.rest, name="by-name")
    assert cloud.rest.get("/os-server-groups/by-name").status_int == 404
    assert cloud.rest.delete("/os-server-groups/by-name").status_int == 404


def test_in_09_one_group_too_many_is_refused(cloud):
    quota = {"quota_set": {"server_groups": 1}}
    assert cloud.admin.put(f"/os-quota-sets/{PROJECT}", quota).status_int == 200
    made(cloud.rest)
    answer = make(cloud.rest)
    assert answer.status_int == 403
    assert "server groups" in answer.json["forbidden"]["message"]
    limits = cloud.rest.get("/limits").json["limits"]["absolute"]
    assert (limits["maxServerGroups"], limits["totalServerGroupsUsed"]) == (1, 1)


@pytest.mark.parametrize("key", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
def test_a_server_is_booted_into_a_group(cloud, key):
    group_id = made(cloud.rest)["id"]
    answer = boot(cloud.rest, {"group": group_id}, key)
    assert answer.status_int == 202, answer.text
    server_id = answer.json["server"]["id"]
    shown = cloud.rest.get(f"/os-server-groups/{group_id}").json["server_group"]
    assert shown["members"] == [server_id]
    server = cloud.rest.at("2.71").get(f"/servers/{server_id}").json["server"]
    assert server["server_groups"] == [group_id]


def test_az_06_unknown_and_foreign_groups_are_refused_alike_at_boot(cloud):
    foreign = made(cloud.rest.as_user("bob", OTHER_PROJECT))["id"]
    for group_id in (foreign, str(uuid.uuid4())):
        answer = boot(cloud.rest, {"group": group_id})
        assert answer.status_int == 400
        message = answer.json["badRequest"]["message"].replace(group_id, "ID")
        assert message == "Invalid input received: Server group ID could not be found."
    assert cloud.rest.get("/servers").json["servers"] == []


def test_in_09_one_member_too_many_is_refused(cloud):
    quota = {"quota_set": {"server_group_members": 2}}
    assert cloud.admin.put(f"/os-quota-sets/{PROJECT}", quota).status_int == 200
    hints = {"group": made(cloud.rest)["id"]}
    assert boot(cloud.rest, hints, min_count=3, max_count=3).status_int == 403
    assert boot(cloud.rest, hints, min_count=2, max_count=2).status_int == 202
    answer = boot(cloud.rest, hints)
    assert answer.status_int == 403
    assert "servers in group" in answer.json["forbidden"]["message"]
    assert len(cloud.rest.get("/servers").json["servers"]) == 2


@pytest.mark.parametrize("name", ["group", "different_host", "same_host"])
def test_in_05_hints_are_bounded_and_name_uuids(cloud, name):
    many = [str(uuid.uuid4()) for _ in range(10_000)]
    # The standard limit on bodies lets not even the schema see so many.
    assert boot(cloud.rest, {name: many}).status_int == 413
    roomy = cloud.with_settings(max_body_bytes=2**20).rest
    assert boot(roomy, {name: many}).status_int == 400
    assert boot(cloud.rest, {name: [*many[:2], "no uuid"]}).status_int == 400
    if name != "group":
        assert boot(cloud.rest, {name: many[:100]}).status_int == 202


def test_lists_and_documents_cost_one_call_and_two_statements(cloud):
    group_id = made(cloud.rest)["id"]
    counter = cloud.conductor.counter
    for path in ("/os-server-groups", f"/os-server-groups/{group_id}"):
        counter.take()
        assert cloud.rest.get(path).status_int == 200
        assert len(counter.take()) == 2
