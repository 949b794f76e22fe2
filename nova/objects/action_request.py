"""What a caller asks for along with an operation; stored with it until it has ended."""

import dataclasses

from nova.objects.instance import InjectedFile
from nova.objects.network import RequestedNetwork
from nova.objects.unset import UNSET, UnsetType


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImageChoice:
    """An image that has been looked up and checked; sizes as the catalogue has them."""

    image_ref: str
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    min_ram_mb: int = 0
    min_disk_gb: int = 0
    size_bytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RebuildRequest:
    """A server made anew from an image; UNSET fields keep what the server has."""

    image: ImageChoice
    display_name: str | UnsetType = UNSET
    display_description: str | UnsetType | None = UNSET
    hostname: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    key_name: str | UnsetType | None = UNSET
    user_data: str | UnsetType | None = UNSET
    access_ip_v4: str | UnsetType | None = UNSET
    access_ip_v6: str | UnsetType | None = UNSET
    auto_disk_config: bool | UnsetType = UNSET
    injected_files: tuple[InjectedFile, ...] = ()
    preserve_ephemeral: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ResizeRequest:
    """Another flavor, by its public id."""

    flavorid: str
    auto_disk_config: bool | UnsetType = UNSET


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RescueRequest:
    """The image to boot for rescue; None stands for the server's own."""

    image: ImageChoice | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """An image record, made already, that takes the contents of the root disk.

    backup_type and rotation: of a backup; older backups beyond rotation are removed.
    """

    image_id: str
    name: str
    backup_type: str | None = None
    rotation: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnshelveRequest:
    """Where an offloaded server shall go; availability_zone None unpins, UNSET keeps."""

    availability_zone: str | UnsetType | None = UNSET
    host: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRequest:
    """One interface: attach a network's (None: any), or detach the one named by its uuid.

    tag: of an interface to be attached.  forget: one to be detached that was made before its
    server goes, too.
    """

    network: RequestedNetwork | None = None
    vif_uuid: str | None = None
    tag: str | None = None
    forget: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FixedIpRequest:
    """One more address of a network, by its uuid, or an address to be given back."""

    network_uuid: str | None = None
    address: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """The request that goes with an operation; one field at most is given."""

    rebuild: RebuildRequest | None = None
    resize: ResizeRequest | None = None
    rescue: RescueRequest | None = None
    snapshot: SnapshotRequest | None = None
    unshelve: UnshelveRequest | None = None
    interface: InterfaceRequest | None = None
    fixed_ip: FixedIpRequest | None = None
