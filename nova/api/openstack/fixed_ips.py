"""os-fixed-ips: fixed addresses as administrators see and reserve them, up to 2.35.

Source: compute-api-routes (Networks, nova-network era).
"""

import ipaddress

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.views import Field, View
from nova.exception import InvalidInput
from nova.objects.network import FixedIpDetail
from nova.policy import ADMIN

fixed_ips = Resource("os-fixed-ips", rules={"": ADMIN})

_UNTIL = "2.35"
# Clients of the era say it either way.
_NOTHING: Json = {"enum": [None, "None"]}
RESERVE = Object(Key("reserve", _NOTHING, required=True))
UNRESERVE = Object(Key("unreserve", _NOTHING, required=True))
SHOWN = View(
    FixedIpDetail,
    "fixed_ip",
    Field("cidr"),
    Field("address"),
    Field("hostname"),
    Field("host"),
    Field("reserved", since="2.4"),
)


def _address(call: Call) -> str:
    """Return the address that the path names.  Raises: InvalidInput."""
    text = call.args["id"]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise InvalidInput(reason=f"{text[:80]} is not an address.") from error


@fixed_ips.route(
    "GET /os-fixed-ips/{id}",
    policy="",
    until=_UNTIL,
    errors=400,
    answer=named("fixed_ip", SHOWN),
)
def show(call: Call) -> dict[str, object]:
    """Show an address and who has it."""
    found = call.conductor.networks.get_fixed_ip(call.context, call.scope, _address(call))
    return SHOWN.render(found, call)


@fixed_ips.route(
    "POST /os-fixed-ips/{id}/action reserve",
    policy="",
    ok=202,
    until=_UNTIL,
    body=RESERVE,
)
def reserve(call: Call) -> None:
    """Keep an address from servers."""
    call.conductor.networks.set_reserved(call.context, call.scope, _address(call), True)


@fixed_ips.route(
    "POST /os-fixed-ips/{id}/action unreserve",
    policy="",
    ok=202,
    until=_UNTIL,
    body=UNRESERVE,
)
def unreserve(call: Call) -> None:
    """Let servers have an address again."""
    call.conductor.networks.set_reserved(call.context, call.scope, _address(call), False)
