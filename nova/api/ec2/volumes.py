"""Volumes and snapshots: there are none, and what names one names nothing."""

from nova import exception
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call, Family, Handler, Result
from nova.api.ec2.params import BOOLEAN, INTEGER, TEXT, Param

volumes = Family()

VOLUME = Param("VolumeId", type=TEXT, required=True)
SNAPSHOT = Param("SnapshotId", type=TEXT, required=True)


def _refuse_id(prefix: str, text: str) -> None:
    """Raises: Ec2IdMalformed, Ec2IdNotFound."""
    ids.number_of(prefix, text)
    raise exception.Ec2IdNotFound(kind=prefix, given=text)


def _empty(name: str, prefix: str, element: str) -> Handler:
    """Return the handler of a list that is empty, where every id is one of nothing."""

    def describe(call: Ec2Call) -> Result:
        for text in call.params[name]:
            _refuse_id(prefix, text)
        return {element: []}

    return describe


def _unknown(name: str, prefix: str) -> Handler:
    """Return the handler of an action on one that is not there."""

    def act(call: Ec2Call) -> Result:
        _refuse_id(prefix, call.params[name])
        return None

    return act


for _action, _name, _prefix, _element, _rule in (
    ("DescribeVolumes", "VolumeId", ids.VOLUME, "volumeSet", "os-volumes:list"),
    ("DescribeVolumeStatus", "VolumeId", ids.VOLUME, "volumeStatusSet", "os-volumes:list"),
    ("DescribeSnapshots", "SnapshotId", ids.SNAPSHOT, "snapshotSet", "os-volumes:list"),
):
    volumes.action(
        _action, Param(_name, type=TEXT, many=True), policy=_rule, filtered=True, paged=True
    )(_empty(_name, _prefix, _element))

_OF_ONE: tuple[tuple[str, Param, str, str | None], ...] = (
    ("DeleteVolume", VOLUME, ids.VOLUME, "os-volumes:delete"),
    ("UpdateVolume", VOLUME, ids.VOLUME, None),
    ("AttachVolume", VOLUME, ids.VOLUME, "os-volumes-attachments:create"),
    ("DetachVolume", VOLUME, ids.VOLUME, "os-volumes-attachments:delete"),
    ("CreateSnapshot", VOLUME, ids.VOLUME, "os-volumes:snapshots:create"),
    ("DeleteSnapshot", SNAPSHOT, ids.SNAPSHOT, "os-volumes:snapshots:delete"),
)
for _name, _param, _prefix, _needed in _OF_ONE:
    volumes.action(_name, _param, policy=_needed)(_unknown(_param.name, _prefix))


@volumes.action(
    "CreateVolume",
    Param("Size", type=INTEGER),
    Param("SnapshotId", type=TEXT),
    Param("AvailabilityZone", type=TEXT),
    Param("VolumeType", type=TEXT),
    Param("Encrypted", type=BOOLEAN),
    policy="os-volumes:create",
)
def create_volume(call: Ec2Call) -> Result:
    """Refuse to make a volume."""
    if call.params["SnapshotId"]:
        _refuse_id(ids.SNAPSHOT, call.params["SnapshotId"])
    raise exception.Ec2NotSupported(what="volumes")
