"""Put the libvirt driver together from the configuration."""

import logging

from oslo_config import cfg

from nova import exception
from nova.virt.libvirt import firewall, limited
from nova.virt.libvirt.cache_age import AgeRules
from nova.virt.libvirt.consoles import ReachedAt
from nova.virt.libvirt.disk import MIB, DiskStore
from nova.virt.libvirt.driver import DriverSettings, LibvirtDriver, Storage
from nova.virt.libvirt.guest import GuestSpice
from nova.virt.libvirt.hardware import HardwareSettings
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.imagecache import CacheSettings, ImageCache, ImageSource
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg
from nova.virt.libvirt.serial_ports import SerialPorts, port_range

LOG = logging.getLogger(__name__)

_URIS = {
    "xen": "xen:///system",
    "parallels": "vz:///system",
    "uml": "uml:///system",
    "test": "test:///default",
}
_EVERYWHERE = frozenset({"0.0.0.0", "::"})
_DEFAULT_URI = "qemu:///system"
_CACHE_MODES = frozenset({"none", "writethrough", "writeback", "directsync", "unsafe", "default"})


def create(conf: cfg.ConfigOpts, images: ImageSource) -> LibvirtDriver:
    """Return the driver that the configuration describes; nothing is contacted yet.

    Raises: ConfigurationError.
    """
    host = Host(conf.libvirt.connection_uri or _URIS.get(conf.libvirt.virt_type, _DEFAULT_URI))
    settings = DriverSettings(
        hardware=_hardware(conf),
        host_ip=conf.my_ip,
        probe_timeout_s=conf.libvirt.virt_type_probe_timeout,
        iso_program=conf.mkisofs_cmd,
        cpu_dedicated_set=conf.compute.cpu_dedicated_set,
        cpu_shared_set=conf.compute.cpu_shared_set,
        snapshot_format=conf.libvirt.snapshot_image_format,
        serial_ports=_serial_ports(conf, host),
        reached_at=ReachedAt(
            vnc=str(conf.vnc.server_proxyclient_address),
            spice=str(conf.spice.server_proxyclient_address),
            serial=str(conf.serial_console.proxyclient_address),
        ),
    )
    packet_filter = firewall.create(
        conf.firewall_driver, host, same_net=conf.allow_same_net_traffic
    )
    return LibvirtDriver(host, _storage(conf, images), packet_filter, settings)


def _storage(conf: cfg.ConfigOpts, images: ImageSource) -> Storage:
    memory = conf.libvirt.images_address_space_limit * MIB
    look_s, work_s = conf.libvirt.images_cpu_time_limit, conf.libvirt.images_convert_time_limit
    tool = QemuImg(
        Area(conf.instances_path),
        look=limited.Limits(address_space_bytes=memory, cpu_s=look_s, wall_s=2 * look_s),
        work=limited.Limits(address_space_bytes=memory, cpu_s=work_s, wall_s=work_s),
    )
    rules = AgeRules(
        remove_unused=conf.image_cache.remove_unused_base_images,
        original_age_s=conf.image_cache.remove_unused_original_minimum_age_seconds,
        empty_age_s=conf.image_cache.remove_unused_resized_minimum_age_seconds,
    )
    cache_settings = CacheSettings(
        host=conf.host,
        subdirectory=conf.image_cache.subdirectory_name,
        reserved_bytes=conf.reserved_host_disk_mb * MIB,
        rules=rules,
    )
    cache = ImageCache(conf.instances_path, images, tool, cache_settings)
    kind = conf.libvirt.images_type
    cow = conf.use_cow_images if kind == "default" else kind == "qcow2"
    disks = DiskStore(conf.instances_path, tool, cache, cow=cow)
    return Storage(images=images, cache=cache, disks=disks)


def _hardware(conf: cfg.ConfigOpts) -> HardwareSettings:
    if conf.libvirt.cpu_mode == "custom" and not conf.libvirt.cpu_models:
        raise exception.ConfigurationError(reason="[libvirt] cpu_mode custom needs cpu_models.")
    return HardwareSettings(
        virt_type=conf.libvirt.virt_type,
        machine_types=conf.libvirt.hw_machine_type,
        cpu_mode=conf.libvirt.cpu_mode,
        cpu_models=tuple(conf.libvirt.cpu_models),
        cache_mode=_file_cache_mode(conf.libvirt.disk_cachemodes),
        vnc_listen=_listen(conf, "vnc"),
        vnc_keymap=conf.vnc.keymap,
        spice=_spice(conf),
        virtio_nics=conf.libvirt.use_virtio_for_bridges,
        random_source=conf.libvirt.rng_dev_path or None,
        memory_statistics_period_s=conf.libvirt.mem_stats_period_seconds,
    )


def _listen(conf: cfg.ConfigOpts, kind: str) -> str | None:
    """Return where consoles of a kind (vnc, spice) listen, None for nowhere."""
    if not conf[kind].enabled:
        return None
    return _checked(str(conf[kind].server_listen), f"[{kind}] server_listen")


def _checked(address: str, option: str) -> str:
    if address in _EVERYWHERE:
        LOG.warning("%s %s: tenants may reach the consoles of others", option, address)
    return address


def _spice(conf: cfg.ConfigOpts) -> GuestSpice | None:
    listen = _listen(conf, "spice")
    if listen is None:
        return None
    group = conf.spice
    playback = group.playback_compression
    tuning = {
        "image": group.image_compression,
        "jpeg": group.jpeg_compression,
        "zlib": group.zlib_compression,
        "playback": None if playback is None else ("on" if playback else "off"),
        "streaming": group.streaming_mode,
    }
    return GuestSpice(
        listen=listen,
        keymap=group.keymap,
        agent=group.agent_enabled,
        secure=group.require_secure,
        tuning={name: value for name, value in tuning.items() if value is not None},
    )


def _serial_ports(conf: cfg.ConfigOpts, host: Host) -> SerialPorts | None:
    """Return the ports of serial consoles, None when guests have none that proxies reach."""
    group = conf.serial_console
    if not group.enabled:
        return None
    listen = _checked(str(group.listen or group.proxyclient_address), "[serial_console] listen")
    return SerialPorts(listen, port_range(group.port_range), host.serial_ports)


def _file_cache_mode(modes: list[str]) -> str | None:
    """Return the cache mode of disks in files, None for the default."""
    for item in modes:
        kind, _, mode = item.partition("=")
        if mode not in _CACHE_MODES:
            reason = f"[libvirt] disk_cachemodes: {item} is not of the form file=none."
            raise exception.ConfigurationError(reason=reason)
        if kind == "file":
            return mode
    return None
