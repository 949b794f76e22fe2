"""/v2.0/floatingips: floating addresses."""

from nova import exception
from nova.api.networking.collections import FIELDS, query_of, shown, whole
from nova.api.networking.words import (
    OWNER_KEYS,
    Wish,
    is_id,
    moment,
    only,
    project_filter,
    project_of,
    resource,
    wrapped,
)
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Key, ListOf
from nova.api.openstack.schema_types import (
    IP,
    IPV4,
    STRING,
    STRING_OR_NULL,
    TEXT255_OR_NULL,
    UUID,
    UUID_OR_NULL,
)
from nova.api.openstack.views import Field, View
from nova.objects.floating_ip import Association, FloatingIp, NewFloatingIp, pool_uuid

floatingips = resource("floatingips")

SHOWN = View(
    FloatingIp,
    "floatingip",
    Field("id", "uuid"),
    Field("floating_ip_address", "address"),
    Field("floating_network_id", lambda floating, call: pool_uuid(floating.pool)),
    Field("fixed_ip_address", "fixed_ip"),
    Field("port_id", "vif_id"),
    Field("router_id", lambda floating, call: None),
    Field("status", lambda floating, call: "ACTIVE" if floating.fixed_ip else "DOWN"),
    Field("tenant_id", "project_id"),
    Field("project_id"),
    Field("description"),
    Field("dns_domain", lambda floating, call: ""),
    Field("dns_name", lambda floating, call: ""),
    Field("tags", lambda floating, call: []),
    Field("created_at", lambda floating, call: moment(floating.created_at)),
    Field("updated_at", lambda floating, call: moment(floating.updated_at)),
)

_TARGET = (
    Key("port_id", UUID_OR_NULL),
    Key("fixed_ip_address", {**IPV4, "type": ["string", "null"]}),
    Key("description", TEXT255_OR_NULL),
    Key("router_id", STRING_OR_NULL),
    Key("qos_policy_id", STRING_OR_NULL),
)
CREATE = wrapped(
    "floatingip",
    Key("floating_network_id", UUID, required=True),
    Key("floating_ip_address", IP),
    Key("subnet_id", UUID_OR_NULL),
    Key("dns_domain", STRING),
    Key("dns_name", STRING),
    *OWNER_KEYS,
    Key("tags", ListOf(STRING)),
    *_TARGET,
)
UPDATE = wrapped("floatingip", *_TARGET)


@floatingips.route("GET /floatingips", policy="list", query=query_of(SHOWN))
def index(call: Call) -> dict[str, object]:
    """List the addresses of the project."""
    found = call.conductor.floating_ips.list_floating_ips(call.context, project_filter(call))
    return whole(call, "floatingips", SHOWN.items(found, call))


@floatingips.route("GET /floatingips/{id}", policy="show", query=FIELDS)
def show(call: Call) -> dict[str, object]:
    """Show one of them."""
    return {"floatingip": shown(call, SHOWN.item(_get(call, _floating_id(call)), call))}


@floatingips.route("POST /floatingips", policy="create", body=CREATE, ok=201, errors=(404, 409))
def create(call: Call) -> dict[str, object]:
    """Allocate an address, and let it lead to an interface when one is named."""
    wish = call.body["floatingip"]
    _check(wish)
    new = NewFloatingIp(
        project_id=project_of(call, wish),
        pool_id=wish["floating_network_id"],
        address=wish.get("floating_ip_address"),
        description=wish.get("description") or "",
        target=None if wish.get("port_id") is None else _target(wish),
    )
    return SHOWN.render(call.conductor.floating_ips.create(call.context, call.scope, new), call)


@floatingips.route("PUT /floatingips/{id}", policy="update", body=UPDATE, errors=(404, 409))
def update(call: Call) -> dict[str, object]:
    """Let an address lead to another interface, or nowhere; describe it."""
    wish, floating_id = call.body["floatingip"], _floating_id(call)
    _check(wish)
    found = None
    if wish.get("description") is not None:
        found = call.conductor.floating_ips.update(
            call.context, call.scope, floating_id, wish["description"]
        )
    if "port_id" in wish:
        found = _lead(call, floating_id, wish)
    return SHOWN.render(found or _get(call, floating_id), call)


@floatingips.route("DELETE /floatingips/{id}", policy="delete", ok=204, errors=409)
def delete(call: Call) -> None:
    """Take an address back."""
    call.conductor.floating_ips.release(call.context, call.scope, _floating_id(call))


def _check(wish: Wish) -> None:
    only(
        wish,
        router_id=(None,),
        subnet_id=(None,),
        qos_policy_id=(None,),
        dns_domain=("",),
        dns_name=("",),
        tags=([],),
    )


def _lead(call: Call, floating_id: str, wish: Wish) -> FloatingIp:
    """Let an address lead where a request says, None: nowhere."""
    client = call.conductor.floating_ips
    if wish["port_id"] is None:
        try:
            return client.disassociate(call.context, call.scope, floating_id)
        except exception.FloatingIpNotAssociated:
            return _get(call, floating_id)
    return client.associate(call.context, call.scope, floating_id, _target(wish))


def _target(wish: Wish) -> Association:
    return Association(vif_id=wish["port_id"], fixed_address=wish.get("fixed_ip_address"))


def _get(call: Call, floating_id: str) -> FloatingIp:
    return call.conductor.floating_ips.get(call.context, call.scope, floating_id)


def _floating_id(call: Call) -> str:
    """Return the id of the path; an address is none.  Raises: FloatingIpNotFound."""
    floating_id = call.args["id"]
    if not is_id(floating_id):
        raise exception.FloatingIpNotFound(floating_ip=floating_id)
    return floating_id
