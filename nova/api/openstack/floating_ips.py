"""os-floating-ips: a project's floating addresses, for requests up to 2.35.

An id is the address's integer id; its uuid is taken as well.
"""

from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import INTEGER, IP, STRING_OR_NULL, UUID_OR_NULL
from nova.api.openstack.views import Field, View
from nova.exception import InvalidInput
from nova.objects.floating_ip import FloatingIp
from nova.objects.instance import Scope
from nova.policy import MEMBER, READER

floating_ips = Resource(
    "os-floating-ips",
    rules={"list": READER, "show": READER, "create": MEMBER, "delete": MEMBER},
)

CREATE = Object(Key("pool", STRING_OR_NULL), extra=True, optional=True)

SHOWN = View(
    FloatingIp,
    "floating_ip",
    Field("id", type=INTEGER),
    Field("ip", "address", type=IP),
    Field("pool"),
    Field("fixed_ip", type=STRING_OR_NULL),
    Field("instance_id", "instance_uuid", type=UUID_OR_NULL),
)


def address_id(call: Call) -> str:
    """Return the id in the path.  Raises: InvalidInput."""
    text = call.args["id"]
    if not (text.isascii() and text.isdigit()) and "-" not in text:
        raise InvalidInput(reason="the id of a floating IP address is an integer or a uuid.")
    return text


def own_scope(call: Call) -> Scope:
    """Return the caller's own project; administrators list and allocate for it, too."""
    return Scope(project_id=call.context.project_id or "")


@floating_ips.route(
    "GET /os-floating-ips", policy="list", until="2.35", answer=items("floating_ips", SHOWN)
)
def index(call: Call) -> dict[str, object]:
    """List the project's addresses."""
    found = call.conductor.floating_ips.list_floating_ips(call.context, own_scope(call))
    return {"floating_ips": SHOWN.items(found, call)}


@floating_ips.route(
    "POST /os-floating-ips",
    policy="create",
    until="2.35",
    body=CREATE,
    errors=(403, 404),
    answer=one(SHOWN),
)
def create(call: Call) -> dict[str, object]:
    """Allocate an address of a pool."""
    pool = call.body.get("pool")
    project_id = call.context.project_id or ""
    made = call.conductor.floating_ips.allocate(call.context, project_id, pool)
    return SHOWN.render(made, call)


@floating_ips.route(
    "GET /os-floating-ips/{id}", policy="show", until="2.35", answer=one(SHOWN), errors=400
)
def show(call: Call) -> dict[str, object]:
    """Show an address."""
    found = call.conductor.floating_ips.get(call.context, call.scope, address_id(call))
    return SHOWN.render(found, call)


@floating_ips.route(
    "DELETE /os-floating-ips/{id}",
    policy="delete",
    ok=202,
    until="2.35",
    errors=(400, 403, 409),
)
def delete(call: Call) -> None:
    """Give an address back; what it leads to is cut first."""
    call.conductor.floating_ips.release(call.context, call.scope, address_id(call))
