import datetime
import uuid

import pytest

from nova.objects.instance import InstanceQuery, Scope
from nova.objects.lifecycle import TaskState, VmState
from tests.fixtures.rest import OTHER_PROJECT, PROJECT, Rest
from tests.unit.api.openstack.conftest import Api

ADMIN_PROJECT = "c" * 32


def _query(api: Api, path: str, rest: Rest | None = None) -> InstanceQuery:
    answer = (rest or api.rest).get(path)
    assert answer.status_int == 200, answer.text
    return api.instances.queries[-1]


def test_the_plain_list(api: Api) -> None:
    server = api.instances.add(PROJECT)
    body = api.rest.get("/servers").json
    assert [set(entry) for entry in body["servers"]] == [{"id", "name", "links"}]
    assert body["servers"][0]["id"] == server.uuid
    assert "servers_links" not in body
    query = api.instances.queries[-1]
    assert query == InstanceQuery(
        scope=Scope(project_id=PROJECT), sort=(("created_at", "desc"),), limit=1000
    )


def test_az_04_the_scope_is_the_own_project(api: Api) -> None:
    api.instances.add(OTHER_PROJECT)
    for path in (
        "/servers",
        "/servers/detail",
        f"/servers?project_id={OTHER_PROJECT}",
        f"/servers?tenant_id={OTHER_PROJECT}",
        "/servers?deleted=True",
        "/servers?host=compute-7",
        "/servers?all_tenants=0",
        "/servers?changes-since=2020-01-01T00:00:00Z",
    ):
        assert api.rest.get(path).json["servers"] == []
        assert api.instances.queries[-1].scope == Scope(project_id=PROJECT)


@pytest.mark.parametrize("path", ["/servers", "/servers/detail"])
@pytest.mark.parametrize("wish", ["1", "", "true", "Yes"])
def test_az_04_all_tenants_needs_its_policy(api: Api, path: str, wish: str) -> None:
    answer = api.rest.get(f"{path}?all_tenants={wish}")
    assert answer.status_int == 403
    assert "get_all_tenants" in answer.json["forbidden"]["message"]
    assert api.instances.queries == []
    admin = api.rest.as_admin()
    assert _query(api, f"{path}?all_tenants={wish}", admin).scope == Scope()


def test_az_04_administrators_see_their_own_project_without_the_wish(api: Api) -> None:
    admin = api.rest.as_admin()
    assert _query(api, "/servers", admin).scope == Scope(project_id=ADMIN_PROJECT)
    path = f"/servers?all_tenants=1&project_id={PROJECT}"
    assert _query(api, path, admin).scope == Scope(project_id=PROJECT)
    path = f"/servers?project_id={PROJECT}"
    assert _query(api, path, admin).scope == Scope(project_id=ADMIN_PROJECT)


def test_a_bad_wish_is_400(api: Api) -> None:
    assert api.rest.get("/servers?all_tenants=perhaps").status_int == 400


def test_az_04_filters_of_administrators_are_dropped_for_others(api: Api) -> None:
    path = (
        f"/servers?host=h&node=n&uuid={uuid.uuid4()}&deleted=True&user_id=bob&locked_by=admin"
        "&vm_state=error&task_state=spawning&access_ip_v4=1&display_name=x&ip6=f"
    )
    assert _query(api, path) == InstanceQuery(
        scope=Scope(project_id=PROJECT), sort=(("created_at", "desc"),)
    )
    query = _query(api, path, api.rest.as_admin().at("2.5"))
    assert query.exact["host"] == ("h",)
    assert query.exact["user_id"] == ("bob",)
    assert query.patterns["node"] == "n"
    assert query.deleted is True
    assert query.ip6_pattern == "f"


def test_soft_deleted_contradicts_other_states(api: Api) -> None:
    admin = api.rest.as_admin()
    assert admin.get("/servers?vm_state=error&soft_deleted=1").json == {"servers": []}
    assert api.instances.queries == []
    query = _query(api, "/servers?soft_deleted=1", admin)
    assert query.vm_states == (VmState.SOFT_DELETED,)


def test_filters_for_everybody(api: Api) -> None:
    query = _query(
        api, "/servers?name=^we.*b$&image=i&flavor=1&reservation_id=r-1&ip=10.0&status=active"
    )
    assert query.patterns == {"display_name": "^we.*b$", "reservation_id": "r-1"}
    assert query.exact == {"image_ref": ("i",), "flavorid": ("1",)}
    assert query.ip_pattern == "10.0"
    assert query.vm_states == (VmState.ACTIVE,)


@pytest.mark.parametrize(
    ("name", "value", "since"),
    [
        ("ip6", "fd00", "2.5"),
        ("tags", "a,b", "2.26"),
        ("changes-before", "2026-01-01T00:00:00Z", "2.66"),
        ("locked", "true", "2.73"),
        ("availability_zone", "nova", "2.83"),
        ("key_name", "k", "2.83"),
        ("config_drive", "1", "2.83"),
        ("power_state", "1", "2.83"),
        ("vm_state", "active", "2.83"),
        ("task_state", "spawning", "2.83"),
        ("user_id", "bob", "2.83"),
        ("hostname", "web", "2.90"),
    ],
)
def test_filters_by_version(api: Api, name: str, value: str, since: str) -> None:
    major, _, minor = since.partition(".")
    path = f"/servers?{name}={value}"
    plain = _query(api, "/servers")
    assert _query(api, path, api.rest.at(since)) != plain
    before = api.rest.at(f"{major}.{int(minor) - 1}")
    assert _query(api, path, before) == plain


def test_tags_are_comma_lists(api: Api) -> None:
    query = _query(
        api, "/servers?tags=a,b&tags-any=c&not-tags=d&not-tags-any=e,%20f", api.rest.at("2.26")
    )
    assert (query.tags, query.tags_any) == (("a", "b"), ("c",))
    assert (query.not_tags, query.not_tags_any) == (("d",), ("e", "f"))


def test_status(api: Api) -> None:
    query = _query(api, "/servers?status=HARD_REBOOT")
    assert query.vm_states == (VmState.ACTIVE,)
    assert set(query.task_states) == {
        TaskState.REBOOTING_HARD,
        TaskState.REBOOT_PENDING_HARD,
        TaskState.REBOOT_STARTED_HARD,
    }
    query = _query(api, "/servers?status=error&status=Shutoff")
    assert set(query.vm_states) == {VmState.ERROR, VmState.STOPPED}
    assert query.task_states == ()


def test_unknown_status_is_an_empty_list_and_400_from_2_38(api: Api) -> None:
    assert api.rest.at("2.37").get("/servers?status=no").json == {"servers": []}
    assert api.rest.at("2.38").get("/servers?status=no").status_int == 400
    assert api.instances.queries == []


def test_deleted_servers_are_for_administrators(api: Api) -> None:
    assert api.rest.get("/servers?status=deleted").status_int == 403
    assert _query(api, "/servers?status=DELETED", api.rest.as_admin()).deleted is True


def test_changes_since_takes_in_deleted_servers(api: Api) -> None:
    query = _query(api, "/servers?changes-since=2026-01-02T03:04:05%2B02:00")
    assert query.changes_since == datetime.datetime(2026, 1, 2, 1, 4, 5)
    assert query.deleted is None
    assert api.rest.get("/servers?changes-since=yesterday").status_int == 400
    path = "/servers?changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-01T00:00:00Z"
    assert api.rest.at("2.66").get(path).status_int == 400


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        ("", (("created_at", "desc"),)),
        ("sort_dir=asc", (("created_at", "asc"),)),
        ("sort_key=display_name", (("display_name", "desc"),)),
        (
            "sort_key=display_name&sort_key=uuid&sort_dir=ASC",
            (("display_name", "asc"), ("uuid", "asc")),
        ),
        (
            "sort_key=display_name&sort_key=uuid&sort_dir=asc&sort_dir=desc",
            (("display_name", "asc"), ("uuid", "desc")),
        ),
        ("sort_key=memory_mb", (("created_at", "desc"),)),
        ("sort_key=locked", (("created_at", "desc"),)),
    ],
)
def test_sorting(api: Api, query: str, sort: tuple[tuple[str, str], ...]) -> None:
    assert _query(api, f"/servers?{query}").sort == sort


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort_key=key_data2", 400),
        ("sort_key=instance_metadata.value", 400),
        ("sort_key=display_name%3Bdrop", 400),
        ("sort_key=created_at&sort_dir=up", 400),
        ("sort_key=created_at&sort_dir=asc&sort_dir=desc", 400),
        ("sort_key=host", 403),
        ("sort_key=node", 403),
    ],
)
def test_in_08_sort_keys_are_a_closed_list(api: Api, query: str, status: int) -> None:
    assert api.rest.get(f"/servers?{query}").status_int == status
    assert api.instances.queries == []


@pytest.mark.parametrize("key", ["key_data", "user_data", "memory_mb"])
def test_in_08_secret_columns_never_sort(api: Api, key: str) -> None:
    assert _query(api, f"/servers?sort_key={key}").sort == (("created_at", "desc"),)
    assert api.rest.at("2.75").get(f"/servers?sort_key={key}").status_int == 400


def test_locked_sorts_from_2_73(api: Api) -> None:
    for version in ("2.73", "2.75"):
        query = _query(api, "/servers?sort_key=locked", api.rest.at(version))
        assert query.sort == (("locked_by", "desc"),)


def test_paging(api: Api) -> None:
    servers = [api.instances.add(PROJECT) for _ in range(3)]
    body = api.rest.get("/servers?limit=2&name=w").json
    marker = servers[1].uuid
    assert body["servers_links"] == [
        {
            "rel": "next",
            "href": f"http://cloud.example:8774/v2.1/servers?limit=2&marker={marker}&name=w",
        }
    ]
    body = api.rest.get(f"/servers/detail?limit=2&marker={marker}").json
    assert [entry["id"] for entry in body["servers"]] == [servers[2].uuid]
    assert "servers_links" not in body


def test_in_07_pages_have_a_hard_maximum(api: Api) -> None:
    assert _query(api, "/servers?limit=1000000").limit == 1000
    small = api.with_settings(max_limit=5)
    assert _query(api, "/servers?limit=10", small).limit == 5
    assert _query(api, "/servers", small).limit == 5


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "99999999999"])
def test_in_07_bad_limits_are_400(api: Api, limit: str) -> None:
    assert api.rest.get(f"/servers?limit={limit}").status_int == 400


def test_limit_0_is_an_empty_list(api: Api) -> None:
    api.instances.add(PROJECT)
    assert api.rest.get("/servers?limit=0").json == {"servers": []}


def test_in_07_foreign_and_unknown_markers_are_the_same(api: Api) -> None:
    foreign = api.instances.add(OTHER_PROJECT).uuid
    missing = str(uuid.uuid4())
    answers = [api.rest.get(f"/servers?marker={marker}") for marker in (foreign, missing)]
    assert [answer.status_int for answer in answers] == [400, 400]
    assert answers[0].text.replace(foreign, "") == answers[1].text.replace(missing, "")
    assert api.rest.get("/servers?marker=no-uuid").status_int == 400


@pytest.mark.parametrize("name", ["metadata", "system_metadata", "security_groups", "services"])
def test_joined_columns_are_no_filters(api: Api, name: str) -> None:
    assert api.rest.get(f"/servers?{name}=x").status_int == 400
    assert api.rest.as_admin().get(f"/servers?{name}=x").status_int == 400


@pytest.mark.parametrize("path", ["/servers", "/servers/detail"])
@pytest.mark.parametrize("version", ["2.1", "2.74", "2.75"])
def test_names_of_internals_are_no_filters(api: Api, path: str, version: str) -> None:
    for rest in (api.rest, api.rest.as_admin()):
        assert rest.at(version).get(f"{path}?_sa_instance_state=x").status_int == 400
    assert api.rest.get("//v2/servers?_x=1").status_int == 400


def test_in_04_unknown_filters_are_dropped_and_400_from_2_75(api: Api) -> None:
    assert _query(api, "/servers?colour=red") == _query(api, "/servers")
    assert api.rest.at("2.75").get("/servers?colour=red").status_int == 400


def test_the_names_that_the_openstack_client_sends(api: Api) -> None:
    query = _query(api, "/servers/detail?deleted=False", api.rest.at("2.96"))
    assert query.deleted is False


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "1.0"])
def test_filters_by_number_take_numbers(api: Api, value: str) -> None:
    answer = api.rest.at("2.83").get(f"/servers?power_state={value}")
    assert answer.status_int == 400
    assert api.instances.queries == []
