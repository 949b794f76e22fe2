"""/v2.0/routers: there are none; the gateway of a network is nova-network itself."""

from nova import exception
from nova.api.networking.collections import FIELDS
from nova.api.networking.words import resource
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import ANYTHING

routers = resource("routers")

_ANY = Object(Key("router", Object(extra=True), required=True))
_INTERFACE = Object(Key("subnet_id", ANYTHING), Key("port_id", ANYTHING))


@routers.route("GET /routers", policy="list")
def index(call: Call) -> dict[str, object]:
    """List nothing: each network reaches the others and the world by its own gateway."""
    return {"routers": []}


@routers.route("GET /routers/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show a router, of which there is none."""
    raise _unknown(call)


@routers.route("POST /routers", policy="create", body=_ANY, ok=201)
def create(call: Call) -> dict[str, object]:
    """Refuse a router."""
    raise exception.NetworkingUnsupported(
        what="routers; the gateway of each network is nova-network itself"
    )


@routers.route("PUT /routers/{id}", policy="update", body=_ANY)
def update(call: Call) -> dict[str, object]:
    """Change a router, of which there is none."""
    raise _unknown(call)


@routers.route("DELETE /routers/{id}", policy="delete", ok=204)
def delete(call: Call) -> None:
    """Delete a router, of which there is none."""
    raise _unknown(call)


@routers.route("PUT /routers/{id}/add_router_interface", policy="update", body=_INTERFACE)
def add_interface(call: Call) -> dict[str, object]:
    """Give a router an interface, of which there is none."""
    raise _unknown(call)


@routers.route("PUT /routers/{id}/remove_router_interface", policy="update", body=_INTERFACE)
def remove_interface(call: Call) -> dict[str, object]:
    """Take a router an interface, of which there is none."""
    raise _unknown(call)


def _unknown(call: Call) -> exception.RouterNotFound:
    return exception.RouterNotFound(router_id=call.args["id"])
