"""os-flavor-access: which projects may use a private flavor."""

from nova.api.openstack.answers import items
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object
from nova.api.openstack.schema_types import PROJECT_ID, STRING
from nova.api.openstack.versions import Range
from nova.policy import ADMIN

flavor_access = Resource(
    "os-flavor-access",
    rules={"": ADMIN, "add_tenant_access": ADMIN, "remove_tenant_access": ADMIN},
)

_TENANT = Object(Key("tenant", PROJECT_ID, required=True))
ADD = Object(Key("addTenantAccess", _TENANT, required=True))
REMOVE = Object(Key("removeTenantAccess", _TENANT, required=True))

_ACTION = "POST /flavors/{id}/action"
_PRIVATE_ONLY = Range("2.7")


SHOWN = items(
    "flavor_access",
    Object(Key("flavor_id", STRING, required=True), Key("tenant_id", STRING, required=True)),
)


def _document(flavorid: str, projects: tuple[str, ...]) -> dict[str, object]:
    entries: list[Json] = [
        {"flavor_id": flavorid, "tenant_id": project_id} for project_id in projects
    ]
    return {"flavor_access": entries}


@flavor_access.route("GET /flavors/{flavor_id}/os-flavor-access", policy="", answer=SHOWN)
def index(call: Call) -> dict[str, object]:
    """List the projects with access."""
    flavorid = call.args["flavor_id"]
    return _document(flavorid, call.conductor.flavors.list_access(call.context, flavorid))


@flavor_access.route(
    f"{_ACTION} addTenantAccess", policy="add_tenant_access", body=ADD, errors=409, answer=SHOWN
)
def add(call: Call) -> dict[str, object]:
    """Give a project access."""
    flavorid = call.args["id"]
    project_id = call.body["addTenantAccess"]["tenant"]
    call.require_project(project_id)
    projects = call.conductor.flavors.add_access(
        call.context, flavorid, project_id, public_too=call.version not in _PRIVATE_ONLY
    )
    return _document(flavorid, projects)


@flavor_access.route(
    f"{_ACTION} removeTenantAccess", policy="remove_tenant_access", body=REMOVE, answer=SHOWN
)
def remove(call: Call) -> dict[str, object]:
    """Take a project's access away."""
    flavorid = call.args["id"]
    project_id = call.body["removeTenantAccess"]["tenant"]
    return _document(
        flavorid, call.conductor.flavors.remove_access(call.context, flavorid, project_id)
    )
