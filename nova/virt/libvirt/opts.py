"""Options of the libvirt driver."""

from oslo_config import cfg

DEFAULT_OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "use_cow_images",
        default=True,
        help="Lay the disks of servers over shared base images (qcow2) instead of copying "
        "them (raw). Applies where images_type is default.",
    ),
    cfg.StrOpt(
        "config_drive_format",
        default="iso9660",
        choices=["iso9660"],
        help="File system of config drives.",
    ),
    cfg.StrOpt(
        "mkisofs_cmd",
        default="genisoimage",
        help="Program that makes config drives, with the options of genisoimage.",
    ),
    cfg.StrOpt(
        "firewall_driver",
        default="nova.virt.libvirt.firewall.IptablesFirewallDriver",
        choices=[
            (
                "nova.virt.libvirt.firewall.IptablesFirewallDriver",
                "guests send from their own addresses only, and receive what their security "
                "groups let through",
            ),
            (
                "nova.virt.libvirt.firewall.NWFilterFirewall",
                "guests send from their own addresses only; security groups have no effect",
            ),
            (
                "nova.virt.firewall.NoopFirewallDriver",
                "nothing is filtered on this host",
            ),
        ],
        help="What guests may send and receive.",
    ),
    cfg.BoolOpt(
        "allow_same_net_traffic",
        default=True,
        help="Whether servers in the same subnet reach each other whatever their security "
        "groups say.",
    ),
]

LIBVIRT_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "virt_type",
        default="auto",
        choices=[
            ("auto", "kvm if a small guest really runs under it, else qemu"),
            ("kvm", "hardware virtualization"),
            ("qemu", "emulation; works everywhere, slowly"),
            ("xen", "paravirtualized guests of Xen"),
            ("parallels", "Virtuozzo"),
            ("uml", "User Mode Linux"),
            ("test", "libvirt's own driver for tests, without real guests"),
        ],
        help="Kind of guest.",
    ),
    cfg.IntOpt(
        "virt_type_probe_timeout",
        default=5,
        min=1,
        max=120,
        help="Seconds within which the small guest must have run that decides about kvm when "
        "virt_type is auto.",
    ),
    cfg.StrOpt(
        "connection_uri",
        default="",
        help="Address of libvirt. Empty: qemu:///system, xen:///system, vz:///system, "
        "uml:///system or test:///default, as virt_type says.",
    ),
    cfg.StrOpt(
        "cpu_mode",
        choices=["host-model", "host-passthrough", "maximum", "custom", "none"],
        help="Processor model of guests. Unset: host-model for kvm, else libvirt's default.",
    ),
    cfg.ListOpt(
        "cpu_models",
        default=[],
        help="Processor models for cpu_mode custom; the first is used.",
    ),
    cfg.DictOpt(
        "hw_machine_type",
        default={},
        help="Machine types of guests by architecture, for images that name none, "
        "for example x86_64:q35.",
    ),
    cfg.StrOpt(
        "images_type",
        default="default",
        choices=[
            ("default", "as use_cow_images says"),
            ("qcow2", "small files over shared base images"),
            ("raw", "whole copies"),
        ],
        help="How the disks of servers are stored.",
    ),
    cfg.StrOpt(
        "snapshot_image_format",
        choices=["raw", "qcow2", "vmdk", "vdi"],
        help="Format of the images made of servers. Unset: that of the servers' disks.",
    ),
    cfg.ListOpt(
        "disk_cachemodes",
        default=[],
        help="Cache modes of disks by kind, such as file=writeback. For disks in files the "
        "default is none where the file system allows it, else writethrough.",
    ),
    cfg.IntOpt(
        "inject_partition",
        default=-2,
        min=-2,
        max=-2,
        help="Files are never written into the disks of servers from the host: only -2 is "
        "possible. Use the config drive.",
    ),
    cfg.StrOpt(
        "rng_dev_path",
        default="/dev/urandom",
        help="Source of random numbers for guests. Empty: none unless the image asks for it.",
    ),
    cfg.BoolOpt(
        "use_virtio_for_bridges",
        default=True,
        help="Give guests virtio network cards when their image does not say otherwise.",
    ),
    cfg.IntOpt(
        "mem_stats_period_seconds",
        default=10,
        min=0,
        help="Seconds between two memory statistics of a guest; 0 collects none.",
    ),
]

# Groups in which options of VNC were before.
_OLD = ("DEFAULT", "vnc")
_LISTEN_HELP = (
    "Address on which guests' {what} consoles listen: the loopback or the management address of "
    "the host, never one that tenants reach."
)
_REACHED_HELP = "Address of this host at which proxies reach guests' {what} consoles."
_KEYMAP_HELP = (
    "Keyboard layout that the hypervisor assumes for {what} clients that send characters. Unset: "
    "clients send keys, and the guest decides."
)

VNC_OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "server_listen",
        default="127.0.0.1",
        deprecated_opts=[cfg.DeprecatedOpt("vncserver_listen", group=group) for group in _OLD],
        help=_LISTEN_HELP.format(what="VNC"),
    ),
    cfg.HostAddressOpt(
        "server_proxyclient_address",
        default="127.0.0.1",
        deprecated_opts=[
            cfg.DeprecatedOpt("vncserver_proxyclient_address", group=group) for group in _OLD
        ],
        help=_REACHED_HELP.format(what="VNC"),
    ),
    cfg.StrOpt(
        "keymap",
        regex=r"^[a-z]{2}(-[a-z]{2})?$",
        deprecated_opts=[cfg.DeprecatedOpt("vnc_keymap", group="DEFAULT")],
        help=_KEYMAP_HELP.format(what="VNC"),
    ),
]

SPICE_OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "server_listen", default="127.0.0.1", help=_LISTEN_HELP.format(what="SPICE")
    ),
    cfg.HostAddressOpt(
        "server_proxyclient_address",
        default="127.0.0.1",
        help=_REACHED_HELP.format(what="SPICE"),
    ),
    cfg.StrOpt("keymap", regex=r"^[a-z]{2}(-[a-z]{2})?$", help=_KEYMAP_HELP.format(what="SPICE")),
    cfg.BoolOpt(
        "agent_enabled",
        default=True,
        help="Whether guests get a channel for the SPICE agent.",
    ),
    cfg.BoolOpt(
        "require_secure",
        default=False,
        help="Whether the hypervisor refuses SPICE connections without TLS, for clients that "
        "connect directly; the certificates are those of libvirt's qemu.conf.",
    ),
    cfg.StrOpt(
        "image_compression",
        choices=["auto_glz", "auto_lz", "quic", "glz", "lz", "off"],
        help="Compression of images. Unset: the hypervisor's default.",
    ),
    cfg.StrOpt(
        "jpeg_compression",
        choices=["auto", "never", "always"],
        help="Lossy compression of images over slow connections. Unset: the default.",
    ),
    cfg.StrOpt(
        "zlib_compression",
        choices=["auto", "never", "always"],
        help="Compression of images over slow connections. Unset: the default.",
    ),
    cfg.BoolOpt(
        "playback_compression",
        help="Whether sound is compressed. Unset: the hypervisor's default.",
    ),
    cfg.StrOpt(
        "streaming_mode",
        choices=["filter", "all", "off"],
        help="Which changing parts of the screen are sent as video. Unset: the default.",
    ),
]

SERIAL_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "port_range",
        default="10000:20000",
        help="Ports on which guests' serial consoles listen: start:stop, stop excluded.",
    ),
    cfg.HostAddressOpt(
        "listen",
        sample_default="$proxyclient_address",
        help="Address on which guests' serial consoles listen. Unset: proxyclient_address.",
    ),
    cfg.HostAddressOpt(
        "proxyclient_address",
        default="127.0.0.1",
        help=_REACHED_HELP.format(what="serial"),
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": DEFAULT_OPTS,
    "libvirt": LIBVIRT_OPTS,
    "vnc": VNC_OPTS,
    "spice": SPICE_OPTS,
    "serial_console": SERIAL_OPTS,
}
