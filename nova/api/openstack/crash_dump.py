"""Action trigger_crash_dump: makes the guest's kernel dump its memory.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import NULL
from nova.api.openstack.server_begin import begin
from nova.policy import MEMBER

crash_dump = Resource("servers", rules={"trigger_crash_dump": MEMBER})

TRIGGER = Object(Key("trigger_crash_dump", NULL, required=True))


@crash_dump.route(
    "POST /servers/{id}/action trigger_crash_dump",
    policy="trigger_crash_dump",
    ok=202,
    since="2.17",
    body=TRIGGER,
    errors=409,
)
def trigger(call: Call) -> None:
    """Send the guest an NMI."""
    begin(call, "trigger_crash_dump")
