"""os-migrations: moves and resizes of servers, newest first.

Source: compute-api-routes (Migrations).
"""

import datetime

from nova import clock
from nova.api.openstack.answers import items
from nova.api.openstack.call import Call
from nova.api.openstack.links import Link
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Param, Query
from nova.api.openstack.schema_types import DATE_TIME, NONNEGATIVE, TEXT255
from nova.api.openstack.values import boolean
from nova.api.openstack.views import ABSENT, Absent, Field, View
from nova.exception import InvalidQuery, PolicyNotAuthorized
from nova.objects.migration import Migration, MigrationQuery, MigrationStatus, MigrationType
from nova.policy import ADMIN, MANAGER, NAMESPACE

_HOST = "os-migrations:index:host"
_ALL_PROJECTS = "os-migrations:index:all_projects"

migrations = Resource(
    "os-migrations", rules={"index": MANAGER, "index:host": ADMIN, "index:all_projects": ADMIN}
)

_LIVE_UNDER_WAY = frozenset(
    {
        MigrationStatus.QUEUED,
        MigrationStatus.PREPARING,
        MigrationStatus.RUNNING,
        MigrationStatus.POST_MIGRATING,
    }
)
_FILTERS = ("hidden", "host", "instance_uuid", "source_compute", "status", "migration_type")

LIST = Query(
    *(Param(name, TEXT255, repeat=True) for name in _FILTERS),
    Param("limit", NONNEGATIVE, since="2.59"),
    Param("marker", TEXT255, since="2.59"),
    Param("changes-since", DATE_TIME, since="2.59"),
    Param("changes-before", DATE_TIME, since="2.66"),
    Param("user_id", TEXT255, since="2.80"),
    Param("project_id", TEXT255, since="2.80"),
    strict_since="2.59",
)


def _host_field(name: str) -> Field[Migration]:
    """Return a field that says where a server is; empty for who may not know."""

    def value(migration: Migration, call: Call) -> str | None:
        shown: str | None = getattr(migration, name) if call.allows(_HOST) else None
        return shown

    return Field(name, value)


def _links(migration: Migration, call: Call) -> list[Link] | Absent:
    live = migration.migration_type is MigrationType.LIVE_MIGRATION
    if not live or migration.status not in _LIVE_UNDER_WAY:
        return ABSENT
    owner = (migration.instance_uuid, "migrations", str(migration.id))
    return [
        {"rel": "self", "href": call.links.child_link("servers", *owner)},
        {
            "rel": "bookmark",
            "href": f"{call.links.bookmark('servers', owner[0])}/migrations/{migration.id}",
        },
    ]


MIGRATION = View(
    Migration,
    "migration",
    Field("id"),
    _host_field("source_compute"),
    _host_field("source_node"),
    _host_field("dest_compute"),
    _host_field("dest_node"),
    _host_field("dest_host"),
    Field("status"),
    Field("instance_uuid"),
    Field("old_instance_type_id", "old_flavor.id"),
    Field("new_instance_type_id", "new_flavor.id"),
    Field("created_at"),
    Field("updated_at"),
    Field("migration_type", since="2.23"),
    Field("links", _links, since="2.23"),
    Field("uuid", since="2.59"),
    Field("user_id", since="2.80"),
    Field("project_id", since="2.80"),
)


@migrations.route(
    "GET /os-migrations",
    policy="index",
    query=LIST,
    answer=items("migrations", MIGRATION, "migrations_links", since="2.59"),
)
def index(call: Call) -> dict[str, object]:
    """List migrations."""
    found = call.conductor.migrations.page(call.context, _query(call))
    body: dict[str, object] = {"migrations": MIGRATION.items(found, call)}
    more = call.next_link(len(found), found[-1].uuid if found else None, since="2.59")
    if more:
        body["migrations_links"] = more
    return body


def _query(call: Call) -> MigrationQuery:
    given = call.query.get
    hidden = given("hidden")
    if (given("host") or given("source_compute")) is not None:
        call.authorize(_HOST)
    since, before = _moment(call, "changes-since"), _moment(call, "changes-before")
    if since is not None and before is not None and before < since:
        raise InvalidQuery(name="changes-before", reason="It must not be before changes-since.")
    return MigrationQuery(
        project_id=_project(call),
        user_id=given("user_id"),
        host=given("host"),
        source_compute=given("source_compute"),
        instance_uuid=given("instance_uuid"),
        status=given("status"),
        migration_type=given("migration_type"),
        hidden=None if hidden is None else boolean("hidden", hidden),
        changes_since=since,
        changes_before=before,
        limit=call.page_limit(),
        marker=given("marker"),
    )


def _moment(call: Call, name: str) -> datetime.datetime | None:
    text = call.query.get(name)
    return None if text is None else clock.parse(text)


def _project(call: Call) -> str | None:
    """Return the project to keep to; None for all.  Raises: PolicyNotAuthorized."""
    wanted, own = call.query.get("project_id"), call.context.project_id
    if call.allows(_ALL_PROJECTS):
        return wanted
    if not own or wanted not in (None, own):
        raise PolicyNotAuthorized(rule=f"{NAMESPACE}:{_ALL_PROJECTS}")
    return own
