"""Options of every service: identity, reports, periodic work, shutdown, concurrency."""

from oslo_config import cfg

SERVICE_OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "my_ip",
        sample_default="<address of the interface with the default route>",
        help="Address of this host on the management network. Unset: the address that the "
        "default route leaves from, else 127.0.0.1.",
    ),
    cfg.StrOpt(
        "host",
        max_length=255,
        regex=r"^[A-Za-z0-9._-]+$",
        sample_default="<name of this host>",
        help="Name of this host in messages, reports and the database. It need not be a name "
        "that resolves, but must be unique and stay the same. Unset: the host's name.",
    ),
    cfg.StrOpt(
        "state_path",
        default="/var/lib/nova",
        help="Folder for all state that outlives a restart. Other paths are below it unless "
        "they are set.",
    ),
    cfg.StrOpt(
        "lock_path",
        default="$state_path/lock",
        help="Folder for lock files that the processes of a host share.",
    ),
    cfg.StrOpt(
        "bindir",
        default="/usr/bin",
        sample_default="<folder of the installed programs>",
        help="Folder of the project's programs. Unset: where they were installed.",
    ),
    cfg.StrOpt(
        "tempdir",
        help="Folder for temporary files. Unset: the system's.",
    ),
]

LIFE_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "concurrency",
        default="eventlet",
        choices=[
            ("eventlet", "green threads in one native thread"),
            ("threads", "native threads"),
        ],
        help="What daemons run their work on. Read before anything else, from configuration "
        "files and the environment (OS_DEFAULT__CONCURRENCY) only.",
    ),
    cfg.IntOpt(
        "report_interval",
        default=10,
        min=1,
        help="Seconds between two reports of a service to the conductor.",
    ),
    cfg.IntOpt(
        "service_down_time",
        default=60,
        min=1,
        help="Seconds without a report after which a service counts as down. A value not "
        "above report_interval is raised to two and a half times of it.",
    ),
    cfg.BoolOpt(
        "periodic_enable",
        default=True,
        help="Whether periodic tasks run in this service.",
    ),
    cfg.IntOpt(
        "periodic_fuzzy_delay",
        default=60,
        min=0,
        help="Each periodic task first runs after a random delay of up to this many seconds, "
        "so that services that start together do not work together.",
    ),
    cfg.IntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a service which is told to stop gives to work in progress.",
    ),
    cfg.IntOpt(
        "self_check_interval",
        default=60,
        min=0,
        help="Seconds between two messages that a service sends to itself, to see that its "
        "queues still reach it; it connects anew when they do not. 0 means never.",
    ),
]

HTTP_OPTS: list[cfg.Opt] = [
    cfg.ListOpt(
        "enabled_ssl_apis",
        default=[],
        help="APIs that are served over TLS: osapi_compute, network, metadata, objectstore.",
    ),
]

WSGI_OPTS: list[cfg.Opt] = [
    cfg.StrOpt("ssl_cert_file", help="File with the server's certificate and its chain."),
    cfg.StrOpt("ssl_key_file", help="File with the private key of the certificate."),
    cfg.StrOpt(
        "ssl_ca_file",
        help="File with the authorities that clients' certificates must come from. Unset: "
        "clients need none.",
    ),
    cfg.IntOpt(
        "default_pool_size",
        default=1000,
        min=1,
        help="Largest number of connections that are served at once by a process.",
    ),
    cfg.IntOpt(
        "client_socket_timeout",
        default=900,
        min=1,
        help="Seconds after which a connection on which nothing happens is closed.",
    ),
    cfg.IntOpt(
        "header_timeout",
        default=30,
        min=1,
        help="Seconds within which all headers of a request must have arrived.",
    ),
    cfg.IntOpt(
        "body_timeout",
        default=60,
        min=1,
        help="Seconds within which the whole body of a request must have arrived.",
    ),
    cfg.IntOpt(
        "max_slow_connections_per_source",
        default=100,
        min=0,
        help="Connections of one address on which bytes are waited for at once, for more than a "
        "moment; beyond that the oldest are cut off. 0: no limit, for a proxy in front that "
        "takes care of it.",
    ),
    cfg.BoolOpt(
        "keep_alive",
        default=True,
        help="Whether a connection may carry several requests.",
    ),
    cfg.IntOpt(
        "tcp_keepidle",
        default=600,
        min=1,
        help="Seconds of silence after which the system probes whether a client still exists.",
    ),
    cfg.IntOpt(
        "max_header_line",
        default=16384,
        min=1024,
        help="Largest size in bytes of one header line; tokens with a large catalogue need much.",
    ),
    cfg.IntOpt(
        "max_url_length",
        default=8192,
        min=1024,
        help="Largest size in bytes of the line that names method and URL.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": [*SERVICE_OPTS, *LIFE_OPTS, *HTTP_OPTS],
    "wsgi": WSGI_OPTS,
}
