"""Instance actions over the real conductor."""

import hashlib

from nova.context import get_admin_context
from tests.fixtures.conductor import progress_of, result_of
from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import RestSite


def test_the_host_of_an_event_is_hidden_behind_the_servers_host_id(cloud: RestSite) -> None:
    server = cloud.request()
    (work,) = cloud.compute.works
    operations = cloud.conductor.operations
    operations.start(get_admin_context(), progress_of(work))
    operations.finish(get_admin_context(), result_of(work, event="compute__build"))
    path = f"/servers/{server}"
    shown = cloud.rest.get(path).json["server"]["hostId"]
    assert shown == hashlib.sha224(f"{PROJECT}host1".encode()).hexdigest()
    request_id = cloud.rest.get(f"{path}/os-instance-actions").json["instanceActions"][0][
        "request_id"
    ]
    for rest in (cloud.rest.at("2.62"), cloud.admin.at("2.62")):
        record = rest.get(f"{path}/os-instance-actions/{request_id}").json["instanceAction"]
        found = {event["event"]: event for event in record["events"]}
        built = found["compute__build"]
        assert built["hostId"] == shown
        assert built.get("host") == ("host1" if rest.user == "admin" else None)


def test_pages_and_times(cloud: RestSite) -> None:
    server = cloud.boot()
    path = f"/servers/{server}/os-instance-actions"
    cloud.clock.advance(10)
    assert cloud.rest.post(f"/servers/{server}/action", {"os-stop": None}).status_int == 202
    rest = cloud.rest.at("2.66")
    page = rest.get(f"{path}?limit=1").json
    assert [entry["action"] for entry in page["instanceActions"]] == ["stop"]
    request_id = page["instanceActions"][0]["request_id"]
    assert page["links"][0]["href"].endswith(f"?limit=1&marker={request_id}")
    page = rest.get(f"{path}?marker={request_id}").json
    assert [entry["action"] for entry in page["instanceActions"]] == ["create"]
    now = cloud.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    since = rest.get(f"{path}?changes-since={now}").json["instanceActions"]
    assert [entry["action"] for entry in since] == ["stop"]
    for bad in (
        "marker=none",
        "limit=-1",
        "changes-since=yesterday",
        f"changes-since={now}&changes-before=2000-01-01T00:00:00Z",
        "odd=1",
        "limit=1&limit=2",
    ):
        assert rest.get(f"{path}?{bad}").status_int == 400


def test_unknown_requests_are_404(cloud: RestSite) -> None:
    server = cloud.boot()
    path = f"/servers/{server}/os-instance-actions"
    assert cloud.rest.get(f"{path}/req-unknown").status_int == 404
    assert cloud.rest.get("/servers/web/os-instance-actions").status_int == 404
