"""Actions suspend and resume: the guest's memory is saved to disk.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING
from nova.api.openstack.server_begin import begin
from nova.policy import MEMBER

suspend_server = Resource("os-suspend-server", rules={"suspend": MEMBER, "resume": MEMBER})

SUSPEND = Object(Key("suspend", ANYTHING, required=True))
RESUME = Object(Key("resume", ANYTHING, required=True))


@suspend_server.route(
    "POST /servers/{id}/action suspend", policy="suspend", ok=202, body=SUSPEND, errors=409
)
def suspend(call: Call) -> None:
    """Save a server's memory and stop it."""
    begin(call, "suspend")


@suspend_server.route(
    "POST /servers/{id}/action resume", policy="resume", ok=202, body=RESUME, errors=409
)
def resume(call: Call) -> None:
    """Let a suspended server go on."""
    begin(call, "resume")
