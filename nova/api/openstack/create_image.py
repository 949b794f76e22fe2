"""Actions createImage and createBackup: an image of a server's root disk.

Source: compute-api-routes (Actions).
"""

from nova import exception
from nova.api.core import snapshots
from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Reply, Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import METADATA, NAME, NONNEGATIVE, STRING
from nova.api.openstack.server_ids import server_uuid
from nova.api.openstack.versions import Range
from nova.objects.quota import UNLIMITED
from nova.policy import MEMBER

create_image = Resource(
    "servers", rules={"create_image": MEMBER, "create_image:allow_volume_backed": MEMBER}
)
create_backup = Resource("os-create-backup", rules={"": MEMBER})

_IN_BODY = Range("2.45")
_QUOTA_CHECKED = Range(until="2.38")

# In the body since 2.45, in a header before.
STARTED = named("image_id", STRING)
CREATE_IMAGE = Object(
    Key(
        "createImage",
        Object(Key("name", NAME, required=True), Key("metadata", METADATA)),
        required=True,
    )
)
CREATE_BACKUP = Object(
    Key(
        "createBackup",
        Object(
            Key("name", NAME, required=True),
            Key("backup_type", STRING, required=True),
            Key("rotation", NONNEGATIVE, required=True),
            Key("metadata", METADATA),
        ),
        required=True,
    )
)


@create_image.route(
    "POST /servers/{id}/action createImage",
    policy="create_image",
    ok=202,
    body=CREATE_IMAGE,
    errors=409,
    answer=STARTED,
)
def image(call: Call) -> Reply:
    """Make an image of a server."""
    wanted = call.body["createImage"]
    image_id = begin(
        call,
        snapshots.SnapshotWish(
            action="createImage",
            name=wanted["name"],
            metadata=_metadata(call, wanted),
            not_inherited=call.settings.non_inheritable_image_properties,
        ),
    )
    if call.version in _IN_BODY:
        return Reply(body={"image_id": image_id})
    return Reply(location=call.services.images.url_of(image_id))


@create_backup.route(
    "POST /servers/{id}/action createBackup",
    policy="",
    ok=202,
    body=CREATE_BACKUP,
    errors=409,
    answer=STARTED,
)
def backup(call: Call) -> Reply:
    """Make an image of a server; of older ones of its type only the newest stay."""
    wanted = call.body["createBackup"]
    rotation = int(wanted["rotation"])
    image_id = begin(
        call,
        snapshots.SnapshotWish(
            action="createBackup",
            name=wanted["name"],
            metadata=_metadata(call, wanted),
            backup_type=wanted["backup_type"],
            rotation=rotation,
            not_inherited=call.settings.non_inheritable_image_properties,
        ),
    )
    if call.version in _IN_BODY:
        return Reply(body={"image_id": image_id})
    return Reply(location=call.services.images.url_of(image_id) if rotation else None)


def begin(call: Call, wish: snapshots.SnapshotWish) -> str:
    """Begin to make an image of the server that the path names; return its id.

    Raises: as snapshots.begin().
    """
    services = snapshots.SnapshotServices(
        instances=call.conductor.instances, images=call.services.images, token=call.token
    )
    return snapshots.begin(call.context, services, call.scope, server_uuid(call, "id"), wish)


def _metadata(call: Call, wanted: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the metadata wished for.  Raises: MetadataLimitExceeded."""
    metadata = wanted.get("metadata", {})
    if metadata and call.version in _QUOTA_CHECKED:
        check_quota(call, len(metadata))
    return metadata


def check_quota(call: Call, count: int) -> None:
    """Refuse more metadata of an image than the project may have.

    Raises: MetadataLimitExceeded.
    """
    quotas = call.conductor.quotas.get(call.context, call.context.project_id or "")
    limit = quotas.limit("metadata_items")
    if limit != UNLIMITED and count > limit:
        raise exception.MetadataLimitExceeded(limit=limit)
