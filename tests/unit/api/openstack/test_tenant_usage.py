"""os-simple-tenant-usage over the real conductor."""

import datetime

import pytest

from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import RestSite

HOUR = 3600


def _text(moment: datetime.datetime) -> str:
    return moment.isoformat()


def _window(cloud: RestSite, hours: float = 10) -> str:
    start = cloud.clock.now - datetime.timedelta(hours=hours)
    return f"start={_text(start)}&end={_text(cloud.clock.now)}"


def _own(cloud: RestSite, query: str = "", version: str = "2.1"):
    path = f"/os-simple-tenant-usage/{PROJECT}?{_window(cloud)}{query}"
    return cloud.rest.at(version).get(path)


def _delete(cloud: RestSite, uuid: str) -> None:
    assert cloud.rest.delete(f"/servers/{uuid}").status_int == 204
    cloud.bus.run_until_idle()


def test_a_project_without_servers_is_an_empty_document(cloud: RestSite) -> None:
    assert _own(cloud).json == {"tenant_usage": {}}
    assert cloud.admin.get(f"/os-simple-tenant-usage?{_window(cloud)}").json == {
        "tenant_usages": []
    }


def test_usage_of_one_project(cloud: RestSite) -> None:
    server = cloud.boot()
    launched = cloud.clock.now
    cloud.clock.advance(2 * HOUR)
    usage = _own(cloud).json["tenant_usage"]
    assert usage == {
        "tenant_id": PROJECT,
        "start": (cloud.clock.now - datetime.timedelta(hours=10)).isoformat(
            timespec="microseconds"
        ),
        "stop": cloud.clock.now.isoformat(timespec="microseconds"),
        "total_hours": 2.0,
        "total_local_gb_usage": 4.0,
        "total_memory_mb_usage": 1024.0,
        "total_vcpus_usage": 2.0,
        "server_usages": [
            {
                "instance_id": server,
                "name": "web",
                "tenant_id": PROJECT,
                "flavor": "small",
                "memory_mb": 512,
                "vcpus": 1,
                "local_gb": 2,
                "started_at": launched.isoformat(timespec="microseconds"),
                "ended_at": None,
                "state": "active",
                "hours": 2.0,
                "uptime": 2 * HOUR,
            }
        ],
    }


def test_deleted_servers_count_until_their_end(cloud: RestSite) -> None:
    server = cloud.boot()
    cloud.clock.advance(HOUR)
    _delete(cloud, server)
    ended = cloud.clock.now
    cloud.clock.advance(HOUR)
    (usage,) = _own(cloud).json["tenant_usage"]["server_usages"]
    assert (usage["hours"], usage["state"], usage["uptime"]) == (1.0, "terminated", HOUR)
    assert usage["ended_at"] == ended.isoformat(timespec="microseconds")


def test_only_what_is_in_the_period_counts(cloud: RestSite) -> None:
    cloud.boot()
    launched = cloud.clock.now
    cloud.clock.advance(5 * HOUR)
    start, stop = (launched + datetime.timedelta(hours=hours) for hours in (1, 3))
    path = f"/os-simple-tenant-usage/{PROJECT}?start={_text(start)}&end={_text(stop)}"
    usage = cloud.rest.get(path).json["tenant_usage"]
    assert usage["total_hours"] == 2.0
    assert usage["server_usages"][0]["uptime"] == 5 * HOUR
    before = launched - datetime.timedelta(hours=2)
    path = f"/os-simple-tenant-usage/{PROJECT}?start={_text(before)}&end={_text(launched)}"
    assert cloud.rest.get(path).json == {"tenant_usage": {}}


def test_servers_that_never_ran_do_not_count(cloud: RestSite) -> None:
    cloud.request()
    cloud.clock.advance(HOUR)
    assert _own(cloud).json == {"tenant_usage": {}}


def test_all_projects(cloud: RestSite) -> None:
    cloud.boot()
    cloud.boot(cloud.rest.as_user("bob", OTHER_PROJECT))
    cloud.clock.advance(HOUR)
    path = f"/os-simple-tenant-usage?{_window(cloud)}"
    found = cloud.admin.get(path).json["tenant_usages"]
    assert [usage["tenant_id"] for usage in found] == [PROJECT, OTHER_PROJECT]
    assert all("server_usages" not in usage for usage in found)
    for wish in ("1", "True"):
        found = cloud.admin.get(f"{path}&detailed={wish}").json["tenant_usages"]
        assert all(len(usage["server_usages"]) == 1 for usage in found)
    assert "server_usages" not in cloud.admin.get(f"{path}&detailed=0").json["tenant_usages"][0]


def test_paging_begins_with_2_40(cloud: RestSite) -> None:
    servers = sorted(cloud.boot() for _ in range(3))
    cloud.clock.advance(HOUR)
    assert len(_own(cloud, "&limit=1", "2.39").json["tenant_usage"]["server_usages"]) == 3
    page = _own(cloud, "&limit=2", "2.40").json
    ids = [usage["instance_id"] for usage in page["tenant_usage"]["server_usages"]]
    assert ids == servers[:2] and page["tenant_usage"]["total_hours"] == 2.0
    assert f"&marker={servers[1]}&" in page["tenant_usage_links"][0]["href"]
    page = _own(cloud, f"&limit=2&marker={servers[1]}", "2.40").json
    assert len(page["tenant_usage"]["server_usages"]) == 1
    assert "tenant_usage_links" not in page
    assert _own(cloud, f"&marker={servers[2]}", "2.40").json == {"tenant_usage": {}}
    path = f"/os-simple-tenant-usage?{_window(cloud)}&limit=1&detailed=1"
    page = cloud.admin.at("2.40").get(path).json
    assert page["tenant_usages_links"][0]["rel"] == "next"
    assert "tenant_usages_links" not in cloud.admin.at("2.39").get(path).json


def test_in_07_foreign_and_unknown_markers_are_the_same(cloud: RestSite) -> None:
    theirs = cloud.boot(cloud.rest.as_user("bob", OTHER_PROJECT))
    cloud.clock.advance(HOUR)
    unknown = "99999999-2222-4333-8444-555555555555"
    for marker in (theirs, unknown, "x"):
        answer = _own(cloud, f"&marker={marker}", "2.40")
        assert answer.status_int == 400
        assert answer.json["badRequest"]["message"] == f"Marker {marker} could not be found."


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f"]
)
def test_forms_of_times(cloud: RestSite, form: str) -> None:
    start = (cloud.clock.now - datetime.timedelta(hours=1)).strftime(form).replace(" ", "%20")
    assert cloud.rest.get(f"/os-simple-tenant-usage/{PROJECT}?start={start}").status_int == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start=yesterday",
        "start=2026-01-01",
        "start=2026-01-02T00:00:00&end=2026-01-01T00:00:00",
        "start=2026-01-01T00:00:00&end=2026-01-01T00:00:00",
        "start=2999-01-01T00:00:00",
        "start=2026-01-01T00:00:00&end=x",
    ],
)
def test_bad_periods_are_400(cloud: RestSite, query: str) -> None:
    assert cloud.rest.get(f"/os-simple-tenant-usage/{PROJECT}?{query}").status_int == 400
    assert cloud.admin.get(f"/os-simple-tenant-usage?{query}").status_int == 400


def test_an_end_in_the_future_is_now(cloud: RestSite) -> None:
    cloud.boot()
    cloud.clock.advance(HOUR)
    path = f"/os-simple-tenant-usage/{PROJECT}?start=2000-01-01T00:00:00&end=2999-01-01T00:00:00"
    usage = cloud.rest.get(path).json["tenant_usage"]
    assert usage["stop"] == cloud.clock.now.isoformat(timespec="microseconds")
    assert usage["total_hours"] == 1.0


def test_az_02_usage_of_others_is_for_administrators(cloud: RestSite) -> None:
    window = _window(cloud)
    assert cloud.rest.get(f"/os-simple-tenant-usage?{window}").status_int == 403
    path = f"/os-simple-tenant-usage/{OTHER_PROJECT}?{window}"
    assert cloud.rest.get(path).status_int == 403
    assert cloud.admin.get(path).status_int == 200


def test_in_04_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    assert _own(cloud, "&x=1", "2.74").status_int == 200
    assert _own(cloud, "&x=1", "2.75").status_int == 400
