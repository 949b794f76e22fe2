"""limits: what the project may use, and what it does use."""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object, Param, Query
from nova.api.openstack.schema_types import INTEGER, NO_ITEMS
from nova.api.openstack.views import Field, View
from nova.objects.quota import QuotaSet
from nova.policy import ADMIN, ANY

limits = Resource("limits", rules={"": ANY, "other_project": ADMIN})

SHOW = Query(Param("tenant_id", repeat=True), strict_since="2.75")

# Field, resource, and the version from which on it is gone.  Source: api-conventions section 8.
_LIMITS: tuple[tuple[str, str, str | None], ...] = (
    ("maxImageMeta", "metadata_items", "2.38"),
    ("maxPersonality", "injected_files", "2.56"),
    ("maxPersonalitySize", "injected_file_content_bytes", "2.56"),
    ("maxSecurityGroups", "security_groups", "2.35"),
    ("maxSecurityGroupRules", "security_group_rules", "2.35"),
    ("maxServerMeta", "metadata_items", None),
    ("maxServerGroups", "server_groups", None),
    ("maxServerGroupMembers", "server_group_members", None),
    ("maxTotalCores", "cores", None),
    ("maxTotalFloatingIps", "floating_ips", "2.35"),
    ("maxTotalInstances", "instances", None),
    ("maxTotalKeypairs", "key_pairs", None),
    ("maxTotalRAMSize", "ram", None),
)
_USED: tuple[tuple[str, str, str | None], ...] = (
    ("totalCoresUsed", "cores", None),
    ("totalFloatingIpsUsed", "floating_ips", "2.35"),
    ("totalInstancesUsed", "instances", None),
    ("totalRAMUsed", "ram", None),
    ("totalSecurityGroupsUsed", "security_groups", "2.35"),
    ("totalServerGroupsUsed", "server_groups", None),
)


def _limit(name: str, resource: str, until: str | None) -> Field[QuotaSet]:
    return Field(name, lambda quotas, call: quotas.limit(resource), until=until, type=INTEGER)


def _used(name: str, resource: str, until: str | None) -> Field[QuotaSet]:
    return Field(name, lambda quotas, call: quotas.in_use(resource), until=until, type=INTEGER)


ABSOLUTE = View(
    QuotaSet, "absolute", *(_limit(*row) for row in _LIMITS), *(_used(*row) for row in _USED)
)
LIMITS = Object(Key("rate", NO_ITEMS, required=True), Key(ABSOLUTE.name, ABSOLUTE, required=True))


@limits.route("GET /limits", policy="", query=SHOW, answer=named("limits", LIMITS))
def show(call: Call) -> dict[str, object]:
    """Show the limits of the caller's project, or of another one."""
    project_id = call.context.project_id or ""
    wanted = call.query.get("tenant_id")
    if wanted is not None:
        call.authorize("os_compute_api:limits:other_project", project_id=wanted)
        project_id = wanted
    quotas = call.conductor.quotas.get(call.context, project_id)
    return {"limits": {"rate": [], **ABSOLUTE.render(quotas, call)}}
