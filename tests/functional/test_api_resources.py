"""Resources for administrators, and the old mounts, over the whole cloud."""

from nova import clock
from nova.conductor.notify.notifier import Notifier
from nova.conductor.settings import ConductorSettings
from nova.conductor.usage_audit import UsageAuditor
from tests.fixtures.cloud import FLAVORS, IMAGE_ID

AUDIT = "/os-instance_usage_audit_log"


def _auditor(cloud, settings):
    return UsageAuditor(
        cloud.database, settings, Notifier(cloud.bus, cloud.database, settings.notifications)
    )


def test_a_disabled_host_gets_no_servers_and_an_enabled_one_does(cloud):
    admin = cloud.rest.as_admin()
    first, second = sorted(cloud.hosts)
    assert admin.put(f"/os-hosts/{first}", {"status": "disable"}).status_int == 200
    cloud.advance(30)
    assert {cloud.boot().instance().host for _ in range(3)} == {second}
    assert admin.put(f"/os-hosts/{first}", {"status": "enable"}).status_int == 200
    assert admin.put(f"/os-hosts/{second}", {"status": "disable"}).status_int == 200
    cloud.advance(30)
    assert cloud.boot().instance().host == first
    rows = admin.get(f"/os-hosts/{second}").json["host"]
    now = next(row["resource"] for row in rows if row["resource"]["project"] == "(used_now)")
    assert now["memory_mb"] == 3 * FLAVORS["small"].memory_mb


def test_uptime_is_read_from_the_host_and_costs_two_messages(cloud):
    cloud.bus.calls.clear()
    answer = cloud.rest.as_admin().get("/os-hypervisors/1/uptime")
    assert answer.status_int == 200 and answer.json["hypervisor"]["uptime"]
    assert [(call.topic.split(".")[0], call.method) for call in cloud.bus.calls] == [
        ("conductor", "page_hypervisors"),
        ("compute", "get_host_uptime"),
    ]


def test_a_server_lives_its_life_at_the_old_mount(cloud):
    body = {"name": " old ", "flavorRef": "1", "imageRef": IMAGE_ID, "later": True}
    answer = cloud.rest.post("//v2/servers", {"server": body})
    assert answer.status_int == 202
    path = f"//v2/servers/{answer.json['server']['id']}"
    assert answer.headers["Location"].endswith(path[1:])
    cloud.run_until_idle()
    found = cloud.rest.get(path).json["server"]
    assert (found["status"], found["name"]) == ("ACTIVE", "old")
    assert cloud.rest.post(f"{path}/action", {"os-stop": None}).status_int == 202
    cloud.run_until_idle()
    assert cloud.rest.get(path).json["server"]["status"] == "SHUTOFF"
    assert cloud.rest.delete(path).status_int == 204
    cloud.run_until_idle()
    assert cloud.rest.get(path).status_int == 404
    cloud.assert_nothing_left()


def test_an_audit_counts_each_server_once_on_its_host(cloud):
    servers = [cloud.boot() for _ in range(3)]
    servers[0].delete()
    settings = ConductorSettings(usage_audit=True)
    month_ahead = clock.utcnow().replace(day=1, hour=1)
    month_ahead = (
        month_ahead.replace(year=month_ahead.year + 1, month=1)
        if month_ahead.month == 12
        else month_ahead.replace(month=month_ahead.month + 1)
    )
    for _ in range(2):
        _auditor(cloud, settings).run(month_ahead)
    path = f"{AUDIT}/{month_ahead:%Y-%m-%d%%20%H:%M:%S}"
    log = cloud.rest.as_admin().get(path).json["instance_usage_audit_log"]
    assert log["overall_status"] == "ALL hosts done. 0 errors."
    assert log["total_instances"] == 3
    assert sorted(log["log"]) == sorted(cloud.hosts)
