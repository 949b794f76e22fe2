"""os-extra_specs: what a flavor asks of hosts and guests beyond its size."""

from nova import exception
from nova.api.openstack.call import Call
from nova.api.openstack.flavors import project_limit
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.policy import ADMIN, READER

extra_specs = Resource(
    "os-flavor-extra-specs",
    rules={"index": READER, "show": READER, "create": ADMIN, "update": ADMIN, "delete": ADMIN},
)

_KEY_PATTERN = r"^[a-zA-Z0-9-_:. ]{1,255}\Z"
_VALUE: Json = {"type": ["string", "number"], "maxLength": 255}
_SPECS: Json = {
    "type": "object",
    "patternProperties": {_KEY_PATTERN: _VALUE},
    "additionalProperties": False,
    "maxProperties": 1000,
}

CREATE = Object(Key("extra_specs", _SPECS, required=True))
UPDATE = Object(extra=_VALUE)


def _specs_of(call: Call) -> dict[str, str]:
    flavor = call.conductor.flavors.get(call.context, call.args["flavor_id"], project_limit(call))
    return flavor.extra_specs


@extra_specs.route("GET /flavors/{flavor_id}/os-extra_specs", policy="index")
def index(call: Call) -> dict[str, object]:
    """List a flavor's extra specs."""
    return {"extra_specs": _specs_of(call)}


@extra_specs.route("GET /flavors/{flavor_id}/os-extra_specs/{id}", policy="show")
def show(call: Call) -> dict[str, object]:
    """Show one extra spec."""
    key = call.args["id"]
    specs = _specs_of(call)
    if key not in specs:
        raise exception.FlavorExtraSpecNotFound(flavor_id=call.args["flavor_id"], key=key)
    return {key: specs[key]}


@extra_specs.route("POST /flavors/{flavor_id}/os-extra_specs", policy="create", body=CREATE)
def create(call: Call) -> dict[str, object]:
    """Add extra specs to those there are."""
    specs = _texts(call.body["extra_specs"])
    call.conductor.flavors.set_extra_specs(call.context, call.args["flavor_id"], specs)
    return {"extra_specs": specs}


@extra_specs.route("PUT /flavors/{flavor_id}/os-extra_specs/{id}", policy="update", body=UPDATE)
def update(call: Call) -> dict[str, object]:
    """Set one extra spec."""
    key = call.args["id"]
    if list(call.body) != [key]:
        raise exception.InvalidInput(
            reason="the body must hold exactly the extra spec that the URL names."
        )
    specs = _texts(call.body)
    call.conductor.flavors.set_extra_specs(call.context, call.args["flavor_id"], specs)
    return dict(specs)


@extra_specs.route("DELETE /flavors/{flavor_id}/os-extra_specs/{id}", policy="delete")
def delete(call: Call) -> None:
    """Remove one extra spec."""
    call.conductor.flavors.delete_extra_spec(call.context, call.args["flavor_id"], call.args["id"])


def _texts(specs: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in specs.items()}
