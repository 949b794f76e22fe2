import json
import logging
import pathlib

import pytest
import webob

from nova.api.openstack.audit import AuditLog
from nova.api.openstack.environment import CONTEXT_KEY, OPERATION_KEY, REQUEST_ID_KEY, WsgiApp
from nova.audit import LOG, write_to
from nova.context import RequestContext
from tests.unit.api.openstack.conftest import Api

ADMIN = RequestContext(
    user_id="root",
    user_name="Root",
    project_id="ops",
    roles=("admin", "member"),
    is_admin=True,
    remote_address="192.0.2.9",
)
MEMBER = RequestContext(user_id="alice", project_id="p", roles=("member",))


def _records(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(r.getMessage()) for r in caplog.records if r.name == "nova.audit"]


def _send(app: WsgiApp, context: RequestContext, method: str, path: str) -> None:
    request = webob.Request.blank(path, method=method)
    request.environ |= {CONTEXT_KEY: context, REQUEST_ID_KEY: "req-1", OPERATION_KEY: "evacuate"}
    request.get_response(app)


@webob.dec.wsgify
def _accepts(request: webob.Request) -> webob.Response:
    return webob.Response(status=202)


def test_az_12_a_record_says_who_what_when_from_where_and_how_it_ended(
    caplog: pytest.LogCaptureFixture, frozen_clock: object
) -> None:
    caplog.set_level(logging.INFO, "nova.audit")
    _send(AuditLog(_accepts), ADMIN, "POST", "/v2.1/servers/s/action")
    (record,) = _records(caplog)
    when = record.pop("time")
    assert isinstance(when, str) and when.endswith("Z")
    assert record == {
        "user_id": "root",
        "user_name": "Root",
        "project_id": "ops",
        "roles": ["admin", "member"],
        "source": "192.0.2.9",
        "method": "POST",
        "path": "/v2.1/servers/s/action",
        "action": "evacuate",
        "request_id": "req-1",
        "status": 202,
    }


def test_az_12_reading_and_members_are_not_recorded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nova.audit")
    _send(AuditLog(_accepts), ADMIN, "GET", "/v2.1/servers")
    _send(AuditLog(_accepts), MEMBER, "POST", "/v2.1/servers")
    assert _records(caplog) == []


def test_az_12_orders_to_hosts_are_recorded_although_they_are_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "nova.audit")
    _send(AuditLog(_accepts), ADMIN, "GET", "/v2.1/os-hosts/host1/reboot/")
    assert len(_records(caplog)) == 1


def test_az_12_a_request_that_fails_unexpectedly_is_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks(environ: object, start_response: object) -> list[bytes]:
        raise ValueError("secret")

    caplog.set_level(logging.INFO, "nova.audit")
    with pytest.raises(ValueError, match="secret"):
        _send(AuditLog(breaks), ADMIN, "DELETE", "/v2.1/flavors/1")
    (record,) = _records(caplog)
    assert record["status"] == 500
    assert "secret" not in caplog.text


@pytest.mark.parametrize("path", ["/v2.1/x%0a%7b%22status%22:1%7d", "/v2.1/" + "x" * 100000])
def test_in_18_paths_stay_within_their_record(caplog: pytest.LogCaptureFixture, path: str) -> None:
    caplog.set_level(logging.INFO, "nova.audit")
    _send(AuditLog(_accepts), ADMIN, "POST", path)
    (message,) = [r.getMessage() for r in caplog.records if r.name == "nova.audit"]
    assert "\n" not in message
    assert len(message) < 1500


def test_az_12_every_kind_of_change_by_an_administrator_is_recorded(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nova.audit")
    admin = api.rest.as_admin()
    admin.put("/os-quota-sets/abc", {"quota_set": {"cores": "x"}})
    admin.post("/os-aggregates", {"aggregate": {}})
    api.rest.put("/os-quota-sets/abc", {"quota_set": {"cores": "x"}})
    found = [(record["method"], record["path"], record["status"]) for record in _records(caplog)]
    assert found[1] == ("POST", "/v2.1/os-aggregates", 400)
    assert [entry[1] for entry in found] == ["/v2.1/os-quota-sets/abc", "/v2.1/os-aggregates"]


def test_az_12_the_file_takes_records_and_is_not_for_everybody(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "audit.log"
    before = list(LOG.handlers)
    try:
        write_to(str(file))
        write_to(str(file))
        _send(AuditLog(_accepts), ADMIN, "POST", "/v2.1/servers")
        (line,) = file.read_text().splitlines()
        assert json.loads(line)["user_id"] == "root"
        assert file.stat().st_mode & 0o007 == 0
    finally:
        for handler in set(LOG.handlers) - set(before):
            LOG.removeHandler(handler)
            handler.close()
