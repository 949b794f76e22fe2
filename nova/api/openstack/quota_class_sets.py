"""os-quota-class-sets: the default limits; only the class "default" has an effect."""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.quota_resources import (
    QUOTA_CLASS_SETS,
    limits_schema,
    numbers,
    shown_schema,
    visible,
)
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import STRING
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN

quota_class_sets = Resource("os-quota-class-sets", rules={"show": ADMIN, "update": ADMIN})

UPDATE = Object(Key("quota_class_set", limits_schema(QUOTA_CLASS_SETS), required=True))
SHOWN = named("quota_class_set", shown_schema(QUOTA_CLASS_SETS, Key("id", STRING, required=True)))
UPDATED = named("quota_class_set", shown_schema(QUOTA_CLASS_SETS))


def _limits(quotas: QuotaSet, call: Call) -> dict[str, object]:
    return {name: quotas.limit(name) for name in visible(QUOTA_CLASS_SETS, call.version)}


@quota_class_sets.route("GET /os-quota-class-sets/{id}", policy="show", answer=SHOWN)
def show(call: Call) -> dict[str, object]:
    """Show the limits of a class."""
    name = call.args["id"]
    quotas = call.conductor.quotas.get_defaults(call.context, name)
    return {"quota_class_set": {"id": name, **_limits(quotas, call)}}


@quota_class_sets.route(
    "PUT /os-quota-class-sets/{id}", policy="update", body=UPDATE, answer=UPDATED
)
def update(call: Call) -> dict[str, object]:
    """Set limits of a class."""
    quotas = call.conductor.quotas.update_defaults(
        call.context, numbers(call.body["quota_class_set"]), call.args["id"]
    )
    return {"quota_class_set": _limits(quotas, call)}
