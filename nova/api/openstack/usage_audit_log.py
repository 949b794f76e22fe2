"""os-instance_usage_audit_log: which hosts the usage audit of a period has counted.

Source: compute-api-routes (Migrations, events, usage, console tokens).
"""

import datetime

from nova import exception
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import INTEGER, STRING, STRINGS
from nova.objects.audit import UsageAudit
from nova.policy import ADMIN

usage_audit_log = Resource("os-instance-usage-audit-log", rules={"list": ADMIN, "show": ADMIN})

_ENTRY: Json = {
    "type": "object",
    "properties": {
        "state": {"type": "string", "enum": ["RUNNING", "DONE"]},
        "instances": INTEGER,
        "errors": INTEGER,
        "message": STRING,
    },
    "required": ["state", "instances", "errors", "message"],
    "additionalProperties": False,
}
_NUMBERS = (
    "num_hosts", "num_hosts_done", "num_hosts_running", "num_hosts_not_run", "total_instances",
    "total_errors",
)  # fmt: skip
AUDIT = Object(
    Key("period_beginning", STRING, required=True),
    Key("period_ending", STRING, required=True),
    *(Key(name, INTEGER, required=True) for name in _NUMBERS),
    Key("hosts_not_run", STRINGS, required=True),
    Key("overall_status", STRING, required=True),
    Key("log", {"type": "object", "additionalProperties": _ENTRY}, required=True),
)

_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
# Periods of a year must lie before it on the calendar.
_FIRST_YEAR = 1970


@usage_audit_log.route(
    "GET /os-instance_usage_audit_log",
    policy="list",
    answer=named("instance_usage_audit_logs", AUDIT),
)
def index(call: Call) -> dict[str, object]:
    """Show the audit of the last period."""
    return {"instance_usage_audit_logs": _document(call.conductor.audit.get(call.context))}


@usage_audit_log.route(
    "GET /os-instance_usage_audit_log/{id}",
    policy="show",
    answer=named("instance_usage_audit_log", AUDIT),
)
def show(call: Call) -> dict[str, object]:
    """Show the audit of the last period that ended before a time."""
    before = _moment(call.args["id"])
    return {"instance_usage_audit_log": _document(call.conductor.audit.get(call.context, before))}


def _moment(text: str) -> datetime.datetime:
    for form in _FORMATS:
        try:
            moment = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        if moment.year > _FIRST_YEAR:
            return moment
    raise exception.InvalidInput(reason=f"'{text[:64]}' is not a time such as 2026-01-31 12:00:00.")


def _document(audit: UsageAudit) -> dict[str, object]:
    states = [entry.state for entry in audit.entries]
    audited = {entry.host for entry in audit.entries}
    missing = sorted(set(audit.hosts) - audited)
    errors = sum(entry.errors for entry in audit.entries)
    done, running = states.count("DONE"), states.count("RUNNING")
    expected = len(audited | set(audit.hosts))
    return {
        "period_beginning": str(audit.period.beginning),
        "period_ending": str(audit.period.ending),
        "num_hosts": expected,
        "num_hosts_done": done,
        "num_hosts_running": running,
        "num_hosts_not_run": len(missing),
        "hosts_not_run": missing,
        "total_instances": sum(entry.instances for entry in audit.entries),
        "total_errors": errors,
        "overall_status": _status(done, expected, errors),
        "log": {
            entry.host: {
                "state": entry.state,
                "instances": entry.instances,
                "errors": entry.errors,
                "message": entry.message,
            }
            for entry in audit.entries
        },
    }


def _status(done: int, expected: int, errors: int) -> str:
    hosts = "ALL hosts" if done == expected else f"{done} of {expected} hosts"
    return f"{hosts} done. {errors} errors."
