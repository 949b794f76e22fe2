"""Moves and resizes of servers.

Source: server-states, section 5 (Migration record status).
"""

import dataclasses
import datetime
import enum

from nova.objects.flavor import Flavor
from nova.objects.lifecycle import VmState
from nova.objects.numa import GuestNuma


class MigrationType(enum.StrEnum):
    """Why a server changes its host or its flavor."""

    MIGRATION = "migration"
    RESIZE = "resize"
    LIVE_MIGRATION = "live-migration"
    EVACUATION = "evacuation"


class MigrationStatus(enum.StrEnum):
    """How far a migration is."""

    PRE_MIGRATING = "pre-migrating"
    MIGRATING = "migrating"
    POST_MIGRATING = "post-migrating"
    FINISHED = "finished"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DONE = "done"
    FAILED = "failed"
    ERROR = "error"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One move or resize.

    old_vm_state: to what the server returns when it is confirmed.  old_numa, new_numa: where
    its cells are with either flavor.
    """

    id: int
    uuid: str
    instance_uuid: str
    migration_type: MigrationType
    status: MigrationStatus
    old_vm_state: VmState
    old_flavor: Flavor
    new_flavor: Flavor
    old_numa: GuestNuma | None = None
    new_numa: GuestNuma | None = None
    project_id: str | None = None
    user_id: str | None = None
    source_compute: str | None = None
    source_node: str | None = None
    dest_compute: str | None = None
    dest_node: str | None = None
    dest_host: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MigrationQuery:
    """One page of migrations, newest first; marker is a uuid.  project_id None: all projects."""

    project_id: str | None = None
    user_id: str | None = None
    host: str | None = None
    source_compute: str | None = None
    instance_uuid: str | None = None
    status: str | None = None
    migration_type: str | None = None
    hidden: bool | None = None
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
    limit: int = 1000
    marker: str | None = None
