"""Actions pause and unpause: the guest is frozen, its memory is kept.

Source: compute-api-routes (Actions).
"""

from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING
from nova.api.openstack.server_begin import begin
from nova.policy import MEMBER

pause_server = Resource("os-pause-server", rules={"pause": MEMBER, "unpause": MEMBER})

PAUSE = Object(Key("pause", ANYTHING, required=True))
UNPAUSE = Object(Key("unpause", ANYTHING, required=True))


@pause_server.route(
    "POST /servers/{id}/action pause", policy="pause", ok=202, body=PAUSE, errors=(409, 501)
)
def pause(call: Call) -> None:
    """Freeze a server."""
    begin(call, "pause")


@pause_server.route(
    "POST /servers/{id}/action unpause", policy="unpause", ok=202, body=UNPAUSE, errors=(409, 501)
)
def unpause(call: Call) -> None:
    """Let a paused server go on."""
    begin(call, "unpause")
