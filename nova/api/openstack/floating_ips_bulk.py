"""os-floating-ips-bulk: all floating addresses, as administrators add and remove them.

For requests up to 2.35.
"""

from nova import exception
from nova.api.openstack.answers import items, named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import IP, STRING, STRING_OR_NULL, UUID_OR_NULL
from nova.api.openstack.views import Field, View
from nova.objects.floating_ip import FloatingIp, FloatingRange
from nova.policy import ADMIN

floating_ips_bulk = Resource("os-floating-ips-bulk", rules={"": ADMIN})

_RANGE: Json = {"type": "string", "pattern": r"^[0-9./a-fA-F]*\Z", "maxLength": 255}
_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}
_DEVICE: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 15,
    "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\Z",
}
CREATE = Object(
    Key(
        "floating_ips_bulk_create",
        Object(
            Key("ip_range", _RANGE, required=True),
            Key("pool", _NAME),
            Key("interface", _DEVICE),
        ),
        required=True,
    )
)
DELETE = Object(Key("ip_range", _RANGE, required=True))

LISTED = View(
    FloatingIp,
    "floating_ip_info",
    Field("address", type=IP),
    Field("pool"),
    Field("interface", type=STRING_OR_NULL),
    Field("project_id", type=STRING_OR_NULL),
    Field("instance_uuid", type=UUID_OR_NULL),
    Field("fixed_ip", type=STRING_OR_NULL),
)
_CREATED = Object(
    Key("ip_range", STRING, required=True),
    Key("pool", STRING, required=True),
    Key("interface", STRING_OR_NULL, required=True),
)


@floating_ips_bulk.route(
    "GET /os-floating-ips-bulk",
    policy="",
    until="2.35",
    errors=404,
    answer=items("floating_ip_info", LISTED),
)
def index(call: Call) -> dict[str, object]:
    """List all addresses."""
    found = call.conductor.floating_ips.list_all(call.context, call.scope)
    return {"floating_ip_info": LISTED.items(found, call)}


@floating_ips_bulk.route(
    "GET /os-floating-ips-bulk/{id}",
    policy="",
    until="2.35",
    answer=items("floating_ip_info", LISTED),
)
def show(call: Call) -> dict[str, object]:
    """List the addresses that a network host translates."""
    found = call.conductor.floating_ips.list_all(call.context, call.scope, call.args["id"])
    return {"floating_ip_info": LISTED.items(found, call)}


@floating_ips_bulk.route(
    "POST /os-floating-ips-bulk",
    policy="",
    until="2.35",
    body=CREATE,
    errors=409,
    answer=named("floating_ips_bulk_create", _CREATED),
)
def create(call: Call) -> dict[str, object]:
    """Add a range of addresses to a pool."""
    wanted = call.body["floating_ips_bulk_create"]
    new = FloatingRange(
        ip_range=wanted["ip_range"],
        pool=wanted.get("pool", call.settings.default_floating_pool),
        interface=wanted.get("interface", call.settings.public_interface),
    )
    call.conductor.floating_ips.create_range(call.context, new)
    return {
        "floating_ips_bulk_create": {
            "ip_range": new.ip_range,
            "pool": new.pool,
            "interface": new.interface,
        }
    }


@floating_ips_bulk.route(
    "PUT /os-floating-ips-bulk/{id}",
    policy="",
    until="2.35",
    body=DELETE,
    answer=Object(Key("floating_ips_bulk_delete", STRING, required=True)),
)
def update(call: Call) -> dict[str, object]:
    """Remove a range of addresses that nobody has; the id is delete."""
    if call.args["id"] != "delete":
        raise exception.FloatingBulkActionUnknown(name=call.args["id"][:64])
    ip_range = call.body["ip_range"]
    call.conductor.floating_ips.delete_range(call.context, ip_range)
    return {"floating_ips_bulk_delete": ip_range}
