"""os-extra_specs: what a flavor asks of hosts and guests beyond its size."""

from nova import exception
from nova.api.openstack import extra_spec_rules
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.flavors import project_limit
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import STRING_VALUES
from nova.api.openstack.validation import one_of
from nova.api.openstack.versions import Range
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
_MAX_VALUE = 255
_CHECKED = Range("2.86")

CREATE = Object(Key("extra_specs", _SPECS, required=True))
UPDATE = Object(extra=_VALUE)


def _specs_of(call: Call) -> dict[str, str]:
    flavor = call.conductor.flavors.get(call.context, call.args["flavor_id"], project_limit(call))
    return flavor.extra_specs


@extra_specs.route(
    "GET /flavors/{flavor_id}/os-extra_specs",
    policy="index",
    answer=named("extra_specs", STRING_VALUES),
)
def index(call: Call) -> dict[str, object]:
    """List a flavor's extra specs."""
    return {"extra_specs": _specs_of(call)}


@extra_specs.route(
    "GET /flavors/{flavor_id}/os-extra_specs/{id}", policy="show", answer=STRING_VALUES
)
def show(call: Call) -> dict[str, object]:
    """Show one extra spec."""
    key = call.args["id"]
    specs = _specs_of(call)
    if key not in specs:
        raise exception.FlavorExtraSpecNotFound(flavor_id=call.args["flavor_id"], key=key)
    return {key: specs[key]}


@extra_specs.route(
    "POST /flavors/{flavor_id}/os-extra_specs",
    policy="create",
    body=CREATE,
    errors=409,
    answer=CREATE,
)
def create(call: Call) -> dict[str, object]:
    """Add extra specs to those there are."""
    _set(call, call.body["extra_specs"])
    return {"extra_specs": call.body["extra_specs"]}


@extra_specs.route(
    "PUT /flavors/{flavor_id}/os-extra_specs/{id}",
    policy="update",
    body=UPDATE,
    errors=409,
    answer=UPDATE,
)
def update(call: Call) -> dict[str, object]:
    """Set one extra spec."""
    if list(call.body) != [call.args["id"]] or not one_of(_SPECS, call.body):
        raise exception.InvalidInput(
            reason="the body must hold exactly the extra spec that the URL names."
        )
    _set(call, call.body)
    return dict(call.body)


@extra_specs.route("DELETE /flavors/{flavor_id}/os-extra_specs/{id}", policy="delete")
def delete(call: Call) -> None:
    """Remove one extra spec."""
    call.conductor.flavors.delete_extra_spec(call.context, call.args["flavor_id"], call.args["id"])


def _set(call: Call, given: dict[str, str | int | float]) -> None:
    """Store extra specs as texts.

    Raises: InvalidExtraSpec, FlavorNotFound.
    """
    specs = {key: str(value) for key, value in given.items()}
    for key, value in specs.items():
        if len(value) > _MAX_VALUE:
            raise exception.InvalidExtraSpec(key=key, reason="the value is too long.")
        if call.version in _CHECKED:
            extra_spec_rules.check(key, value)
    call.conductor.flavors.set_extra_specs(call.context, call.args["flavor_id"], specs)
