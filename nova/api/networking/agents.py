"""/v2.0/agents: there are none; the services of nova-network are those of the Compute API."""

from nova.api.networking.words import read_only
from nova.api.openstack.call import Call
from nova.policy import ADMIN

agents = read_only("agents", ADMIN)


@agents.route("GET /agents", policy="list")
def index(call: Call) -> dict[str, object]:
    """List nothing."""
    return {"agents": []}
