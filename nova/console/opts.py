"""Options of the proxies of consoles."""

from oslo_config import cfg

DEFAULT_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "cert",
        help="File with the certificate, and those of its issuers, that proxies of consoles show "
        "to browsers; and with its key unless key is set. Unset: no TLS.",
    ),
    cfg.StrOpt("key", help="File with the key of the certificate in cert."),
    cfg.BoolOpt(
        "ssl_only",
        default=False,
        help="Serve consoles over TLS only. Otherwise the port takes both, and a connection "
        "without TLS is open to whoever is between.",
    ),
    cfg.BoolOpt(
        "source_is_ipv6",
        default=False,
        help="Listen on IPv6: a host of 0.0.0.0 then stands for all addresses of both kinds.",
    ),
    cfg.StrOpt(
        "web",
        help="Folder of the viewer that a proxy of consoles serves. Unset: where Debian's "
        "packages novnc, spice-html5 and node-xterm have theirs.",
    ),
]

CONSOLE_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "allowed_origins",
        default=[],
        help="Hosts, hosts with ports, or whole origins (https://panel.example.org), whose pages "
        "may open consoles or show them in a frame, besides the one in the address of the "
        "console; for example that of a dashboard.",
    ),
    cfg.StrOpt(
        "ssl_ciphers",
        help="Ciphers for TLS up to 1.2, as OpenSSL lists them. Unset: the library's choice.",
    ),
    cfg.StrOpt(
        "ssl_minimum_version",
        default="default",
        choices=["default", "tlsv1_1", "tlsv1_2", "tlsv1_3"],
        help="Oldest version of TLS that browsers may use; default is the library's choice.",
    ),
    cfg.IntOpt(
        "handshake_timeout",
        default=20,
        min=1,
        help="Seconds from a connection to its answer, or to the console's first byte.",
    ),
    cfg.IntOpt(
        "idle_timeout",
        default=3600,
        min=0,
        help="Seconds without a byte in either direction after which a session ends. 0: never.",
    ),
    cfg.IntOpt(
        "max_connections",
        default=2000,
        min=0,
        help="Connections to one proxy at once, whatever they are about. 0: no limit.",
    ),
    cfg.IntOpt(
        "max_connections_per_source",
        default=200,
        min=0,
        help="Connections from one address at once. Set 0, no limit, behind a load balancer, "
        "from whose address all come, and let that one limit them.",
    ),
    cfg.IntOpt(
        "max_sessions",
        default=1000,
        min=0,
        help="Sessions of one proxy at once. 0: no limit.",
    ),
    cfg.IntOpt(
        "max_sessions_per_instance",
        default=20,
        min=0,
        help="Sessions with one server at once, for each proxy. 0: no limit.",
    ),
    cfg.IntOpt(
        "max_sessions_per_token",
        default=10,
        min=0,
        help="Sessions by one link at once, for each proxy. 0: no limit.",
    ),
]


def _listening(name: str, port: int, *, in_default: bool = True) -> list[cfg.Opt]:
    """Return where a proxy listens."""
    old = "DEFAULT" if in_default else None
    return [
        cfg.StrOpt(
            f"{name}_host",
            default="0.0.0.0",
            deprecated_group=old,
            help=f"Address that the proxy on {name}_port listens on.",
        ),
        cfg.PortOpt(f"{name}_port", default=port, deprecated_group=old, help="Port of this proxy."),
    ]


VNC_OPTS: list[cfg.Opt] = [
    *_listening("novncproxy", 6080),
    *_listening("xvpvncproxy", 6081),
    cfg.ListOpt(
        "auth_schemes",
        default=["none"],
        item_type=cfg.types.String(choices=["none", "vencrypt"]),
        help="How nova-novncproxy may connect to the hypervisor, the best first: vencrypt is TLS "
        "with certificates of both sides, none is no protection. The first that the hypervisor "
        "offers is taken.",
    ),
    cfg.StrOpt(
        "vencrypt_ca_certs",
        default="/etc/pki/nova-novncproxy/ca-cert.pem",
        help="File with the certificates that those of hypervisors must descend from.",
    ),
    cfg.StrOpt(
        "vencrypt_client_cert",
        default="/etc/pki/nova-novncproxy/client-cert.pem",
        help="File with the certificate that nova-novncproxy shows to hypervisors. Empty: none.",
    ),
    cfg.StrOpt(
        "vencrypt_client_key",
        default="/etc/pki/nova-novncproxy/client-key.pem",
        help="File with the key of vencrypt_client_cert.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": DEFAULT_OPTS,
    "console": CONSOLE_OPTS,
    "vnc": VNC_OPTS,
    "spice": _listening("html5proxy", 6082, in_default=False),
    "serial_console": _listening("serialproxy", 6083, in_default=False),
}
