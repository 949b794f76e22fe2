"""Making servers: what is not HTTP about it.

REST and EC2 say what they want; here images are looked up, the wish is checked and becomes
one request to the conductor.
"""

import dataclasses
from collections.abc import Sequence

from nova import exception
from nova.api.core.caller import Caller
from nova.api.core.images import usable
from nova.conductor.rpcapi.instances import ConductorInstances
from nova.context import RequestContext
from nova.image.api import ImageService
from nova.objects.block_device import BlockDevice
from nova.objects.image import Image
from nova.objects.instance import ClientToken, CreatedServers, InjectedFile, NewServers
from nova.objects.network import NetworkMode, RequestedNetwork

REQUESTED_DESTINATION = "compute:servers:create:requested_destination"
# Characters of base64.
MAX_USER_DATA = 65535
_FORCED_HOST = "servers:create:forced_host"
_ATTACH_NETWORK = "servers:create:attach_network"

_FALSE = frozenset({"false", "no", "off", "0", "disabled"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskWish:
    """One entry of a block device mapping."""

    source_type: str | None = None
    destination_type: str | None = None
    image_id: str | None = None
    boot_index: int | None = None
    delete_on_termination: bool = False
    volume_size_gb: int | None = None
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    tag: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkWish:
    """One entry of the list of networks."""

    uuid: str | None = None
    port: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BootWish:
    """One request for servers, in the words of its adapter.

    zone may be "zone:host:node".  networks None or empty: those of the project.
    kernel_id and ramdisk_id: in place of the image's own.
    """

    name: str
    flavor_ref: str
    image_ref: str | None
    admin_password: str
    description: str | None = None
    hostname: str | None = None
    key_name: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    min_count: int = 1
    max_count: int = 1
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    files: tuple[InjectedFile, ...] = ()
    network_mode: NetworkMode = NetworkMode.AUTO
    networks: tuple[NetworkWish, ...] = ()
    security_groups: tuple[str, ...] = ()
    disks: tuple[DiskWish, ...] = ()
    zone: str | None = None
    host: str | None = None
    node: str | None = None
    hints: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    auto_disk_config: bool | None = None
    zero_disk_allowed: bool = False
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    client_token: ClientToken | None = None
    termination_disabled: bool = False


def authorize(caller: Caller, wish: BootWish) -> None:
    """Check the rules for parts of a wish.  Raises: PolicyNotAuthorized."""
    if split_zone(wish.zone)[1:] != (None, None):
        caller.authorize(_FORCED_HOST)
    if wish.host or wish.node:
        caller.authorize(REQUESTED_DESTINATION)
    if wish.networks:
        caller.authorize(_ATTACH_NETWORK)


def create_servers(
    context: RequestContext,
    token: str | None,
    wish: BootWish,
    images: ImageService,
    instances: ConductorInstances,
) -> CreatedServers:
    """Check a wish, look up its image, and have the servers made.

    Raises: Invalid, Forbidden, OverQuota, NotFound, Conflict, Unavailable.
    """
    _check_counts(wish)
    root = _root_disk(wish)
    image = usable(token, root.image_id, images)
    new = _new_servers(context, wish, root, image)
    return instances.create_servers(context, new)


def _check_counts(wish: BootWish) -> None:
    if wish.min_count > wish.max_count:
        raise exception.InvalidInput(reason="min_count must not be above max_count.")
    if wish.max_count == 1:
        return
    if wish.hostname is not None:
        raise exception.InvalidInput(reason="Several servers can not have the same hostname.")
    if any(network.fixed_ip for network in wish.networks):
        raise exception.InvalidInput(reason="Several servers can not have the same fixed address.")
    if any(network.port for network in wish.networks):
        raise exception.InvalidInput(reason="Several servers can not have the same port.")


def _root_disk(wish: BootWish) -> BlockDevice:
    """Return the disk that the server boots from: a copy of an image on the host.

    Raises: BlockDeviceNotSupported.
    """
    if not wish.disks:
        if not wish.image_ref:
            raise _refused("an image is needed: servers can not boot from volumes here")
        return BlockDevice(source_type="image", boot_index=0, image_id=wish.image_ref)
    if any("volume" in (disk.destination_type, disk.source_type) for disk in wish.disks) or any(
        disk.source_type == "snapshot" for disk in wish.disks
    ):
        raise _refused("no volume service is available")
    if len(wish.disks) > 1:
        raise _refused("further disks on the host come with the flavor, not from a mapping")
    return _root_of_mapping(wish.disks[0], wish.image_ref)


def _root_of_mapping(disk: DiskWish, image_ref: str | None) -> BlockDevice:
    if disk.source_type != "image" or disk.destination_type not in ("local", None):
        raise _refused("only an image can be the source of a disk on the host")
    if disk.boot_index != 0:
        raise _refused("the disk made from the image must have the boot index 0")
    if not disk.image_id:
        raise _refused("the mapping of the image has no uuid")
    if image_ref != disk.image_id:
        raise _refused("the image of the mapping and imageRef must be the same")
    if disk.volume_size_gb is not None:
        raise _refused("the size of a disk on the host comes from the flavor")
    return BlockDevice(
        source_type="image",
        boot_index=0,
        image_id=disk.image_id,
        device_name=disk.device_name,
        device_type=disk.device_type,
        disk_bus=disk.disk_bus,
        delete_on_termination=disk.delete_on_termination,
        tag=disk.tag,
    )


def _refused(reason: str) -> exception.BlockDeviceNotSupported:
    return exception.BlockDeviceNotSupported(reason=reason)


def _requested_networks(wish: BootWish) -> tuple[RequestedNetwork, ...]:
    """Return the networks asked for.

    Raises: InvalidInput.
    """
    found: list[RequestedNetwork] = []
    for network in wish.networks:
        if network.port:
            found.append(_requested_port(network, found))
            continue
        if not network.uuid:
            raise exception.InvalidInput(reason="Each entry of networks needs a uuid.")
        if network.fixed_ip and any(network.fixed_ip == other.fixed_ip for other in found):
            raise exception.InvalidInput(reason=f"Address {network.fixed_ip} is named twice.")
        found.append(
            RequestedNetwork(network_uuid=network.uuid, fixed_ip=network.fixed_ip, tag=network.tag)
        )
    return tuple(found)


def _requested_port(wish: NetworkWish, before: Sequence[RequestedNetwork]) -> RequestedNetwork:
    """Return the port asked for; it tells the network and the address.  Raises: InvalidInput."""
    if wish.fixed_ip:
        raise exception.InvalidInput(reason="A port has its address: give port or fixed_ip.")
    if any(wish.port == other.port_id for other in before):
        raise exception.InvalidInput(reason=f"Port {wish.port} is named twice.")
    return RequestedNetwork(network_uuid="", port_id=wish.port, tag=wish.tag)


def _has_automatic_disks(image: Image) -> bool:
    """Tell what an image says, under either name of the property."""
    properties = image.properties
    text = properties.get("hw_auto_disk_config") or properties.get("auto_disk_config", "")
    return text.strip().lower() not in _FALSE


def _new_servers(
    context: RequestContext, wish: BootWish, root: BlockDevice, image: Image
) -> NewServers:
    networks = _requested_networks(wish)
    zone, force_host, force_node = split_zone(wish.zone)
    if force_host is not None and (wish.host or wish.node):
        raise exception.InvalidInput(
            reason="A host is named by the zone or by host and hypervisor_hostname, not by both."
        )
    auto_disk_config = wish.auto_disk_config
    if auto_disk_config is None:
        auto_disk_config = _has_automatic_disks(image)
    return NewServers(
        display_name=wish.name,
        project_id=context.project_id or "",
        user_id=context.user_id or "",
        flavorid=wish.flavor_ref.rstrip("/").rpartition("/")[2],
        min_count=wish.min_count,
        max_count=wish.max_count,
        display_description=wish.description,
        hostname=wish.hostname,
        image_ref=image.id,
        image_properties=image.properties,
        kernel_id=wish.kernel_id or image.kernel_id,
        ramdisk_id=wish.ramdisk_id or image.ramdisk_id,
        image_min_ram_mb=image.min_ram_mb,
        image_min_disk_gb=image.min_disk_gb,
        image_size_bytes=image.size_bytes or 0,
        key_name=wish.key_name,
        user_data=wish.user_data,
        config_drive=wish.config_drive or image.properties.get("img_config_drive") == "mandatory",
        metadata=wish.metadata,
        tags=tuple(dict.fromkeys(wish.tags)),
        injected_files=wish.files,
        admin_password=wish.admin_password,
        network_mode=NetworkMode.EXPLICIT if networks else wish.network_mode,
        networks=networks,
        security_groups=tuple(dict.fromkeys(wish.security_groups)) or ("default",),
        block_devices=(root,),
        availability_zone=zone,
        force_host=force_host,
        force_node=force_node,
        requested_host=wish.host,
        requested_node=wish.node,
        hints=wish.hints,
        access_ip_v4=wish.access_ip_v4,
        access_ip_v6=wish.access_ip_v6,
        auto_disk_config=auto_disk_config,
        zero_disk_allowed=wish.zero_disk_allowed,
        client_token=wish.client_token,
        termination_disabled=wish.termination_disabled,
    )


def split_zone(text: str | None) -> tuple[str | None, str | None, str | None]:
    """Return zone, host and node out of "zone:host:node", of which each may be left empty.

    Raises: InvalidInput.
    """
    parts = (text or "").split(":")
    if len(parts) > 3:
        raise exception.InvalidInput(reason="An availability zone has the form zone:host:node.")
    zone, host, node = (part or None for part in (*parts, "", "")[:3])
    return zone, host, node
