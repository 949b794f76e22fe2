"""os-instance_usage_audit_log: which hosts the usage audit of a period has counted."""

import datetime

import pytest

from nova import clock
from nova.conductor.notify.notifier import Notifier
from nova.conductor.usage_audit import UsageAuditor
from tests.fixtures.rest_site import RestSite

PATH = "/os-instance_usage_audit_log"
KEYS = {
    "period_beginning", "period_ending", "num_hosts", "num_hosts_done", "num_hosts_running",
    "num_hosts_not_run", "hosts_not_run", "total_instances", "total_errors", "overall_status",
    "log",
}  # fmt: skip


def _audit(cloud: RestSite, moment: datetime.datetime) -> None:
    conductor = cloud.conductor
    notifier = Notifier(cloud.bus, conductor.db, conductor.settings.notifications)
    UsageAuditor(conductor.db, conductor.settings, notifier).run(moment)


def _month_ahead() -> datetime.datetime:
    return clock.utcnow() + datetime.timedelta(days=40)


def test_before_the_audit_no_host_has_run(cloud: RestSite) -> None:
    found = cloud.admin.get(PATH).json["instance_usage_audit_logs"]
    assert set(found) == KEYS
    assert found["hosts_not_run"] == ["host1", "host2"]
    assert (found["num_hosts"], found["num_hosts_not_run"], found["log"]) == (2, 2, {})
    assert found["overall_status"] == "0 of 2 hosts done. 0 errors."


def test_after_the_audit_all_hosts_are_done(cloud: RestSite) -> None:
    cloud.boot()
    moment = _month_ahead()
    _audit(cloud, moment)
    text = moment.strftime("%Y-%m-%d%%20%H:%M:%S")
    found = cloud.admin.get(f"{PATH}/{text}").json["instance_usage_audit_log"]
    assert set(found) == KEYS
    assert found["overall_status"] == "ALL hosts done. 0 errors."
    assert (found["num_hosts_done"], found["hosts_not_run"]) == (2, [])
    assert (found["total_instances"], found["total_errors"]) == (1, 0)
    assert found["log"]["host1"]["instances"] == 1
    assert found["log"]["host1"]["state"] == "DONE"
    assert "host1" in found["log"]["host1"]["message"]
    with_fraction = cloud.admin.get(f"{PATH}/{text}.123456")
    assert with_fraction.json["instance_usage_audit_log"] == found


def test_the_period_is_the_month_before(cloud: RestSite) -> None:
    found = cloud.admin.get(f"{PATH}/2024-03-10%2000:00:00").json["instance_usage_audit_log"]
    assert found["period_beginning"] == "2024-02-01 00:00:00"
    assert found["period_ending"] == "2024-03-01 00:00:00"


@pytest.mark.parametrize(
    "text", ["now", "2024-03-10", "2024-13-10%2000:00:00", "0001-01-01%2000:00:00"]
)
def test_in_04_what_is_no_time_is_refused(cloud: RestSite, text: str) -> None:
    assert cloud.admin.get(f"{PATH}/{text}").status_int == 400


@pytest.mark.parametrize("path", [PATH, f"{PATH}/2024-03-10%2000:00:00"])
def test_az_07_the_log_is_for_administrators(cloud: RestSite, path: str) -> None:
    assert cloud.rest.get(path).status_int == 403
