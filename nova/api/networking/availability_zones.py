"""/v2.0/availability_zones: networks have none; those of servers are in the Compute API."""

from nova.api.networking.words import read_only
from nova.api.openstack.call import Call

availability_zones = read_only("availability-zones")


@availability_zones.route("GET /availability_zones", policy="list")
def index(call: Call) -> dict[str, object]:
    """List nothing."""
    return {"availability_zones": []}
