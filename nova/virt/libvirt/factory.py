"""Put the libvirt driver together from the configuration."""

import logging

from oslo_config import cfg

from nova import exception
from nova.virt.libvirt import firewall, limited
from nova.virt.libvirt.cache_age import AgeRules
from nova.virt.libvirt.disk import MIB, DiskStore
from nova.virt.libvirt.driver import DriverSettings, LibvirtDriver, Storage
from nova.virt.libvirt.hardware import HardwareSettings
from nova.virt.libvirt.host import Host
from nova.virt.libvirt.imagecache import CacheSettings, ImageCache, ImageSource
from nova.virt.libvirt.paths import Area
from nova.virt.libvirt.qemu_img import QemuImg

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
        vnc_listen=_console_address(conf),
        virtio_nics=conf.libvirt.use_virtio_for_bridges,
        random_source=conf.libvirt.rng_dev_path or None,
        memory_statistics_period_s=conf.libvirt.mem_stats_period_seconds,
    )


def _console_address(conf: cfg.ConfigOpts) -> str | None:
    """Return where consoles listen, None for nowhere."""
    if not conf.vnc.enabled:
        return None
    address = str(conf.vnc.server_listen)
    if address in _EVERYWHERE:
        LOG.warning("[vnc] server_listen %s: tenants may reach the consoles of others", address)
    return address


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
