"""Options of the Compute API."""

from oslo_config import cfg

LISTEN_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "fping_path",
        default="/usr/sbin/fping",
        help="Program that tells which servers answer (os-fping); without it the answer is 503.",
    ),
    cfg.HostAddressOpt(
        "osapi_compute_listen",
        default="0.0.0.0",
        help="Address on which nova-api listens.",
    ),
    cfg.PortOpt(
        "osapi_compute_listen_port",
        default=8774,
        help="Port on which nova-api listens.",
    ),
    cfg.IntOpt(
        "osapi_compute_workers",
        default=1,
        min=1,
        help="Number of nova-api worker processes.",
    ),
    cfg.ListOpt(
        "enabled_apis",
        default=["osapi_compute"],
        item_type=cfg.types.String(choices=["osapi_compute", "network", "ec2"]),
        help="What nova-api serves: osapi_compute is the Compute API, network the Networking API "
        "v2.0 before nova-network, ec2 the EC2 API; each on its own address and in its own "
        "processes.",
    ),
    cfg.HostAddressOpt(
        "networking_listen",
        default="0.0.0.0",
        help="Address on which nova-api serves the Networking API.",
    ),
    cfg.PortOpt(
        "networking_listen_port",
        default=9696,
        help="Port on which nova-api serves the Networking API.",
    ),
    cfg.IntOpt(
        "networking_workers",
        default=1,
        min=1,
        help="Number of worker processes for the Networking API.",
    ),
    cfg.ListOpt(
        "non_inheritable_image_properties",
        default=["cache_in_nova", "bittorrent"],
        help="Properties of a server's image that images made of the server do not get.",
    ),
    cfg.IntOpt(
        "password_length",
        default=12,
        min=8,
        max=255,
        help="Number of characters of a generated administrator password of a server.",
    ),
    cfg.StrOpt(
        "rescue_image_id",
        help="Image that servers are rescued with when the request names none. Every project "
        "must be able to see it. Unset: the image of the server.",
    ),
]

API_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            ("keystone", "tokens are validated by the identity service"),
            ("noauth2", "a token user:project is believed; for tests on one machine only"),
        ],
        help="How callers of the API are identified.",
    ),
    cfg.BoolOpt(
        "allow_noauth_off_loopback",
        default=False,
        help="Start with auth_strategy = noauth2 on an address that others can reach. Whoever "
        "reaches it is an administrator if he says so.",
    ),
    cfg.IntOpt(
        "max_limit",
        default=1000,
        min=1,
        max=1000,
        help="Largest number of objects in one page of a list.",
    ),
    cfg.StrOpt(
        "audit_log_file",
        help="File that takes a record of each request by which an administrator may have "
        "changed something, beside the log of the program: one JSON object on each line.",
    ),
    cfg.IntOpt(
        "rate_limit_per_project",
        default=30000,
        min=0,
        help="Units that a project may spend in a minute, for each nova-api process: reading "
        "costs 1, a detailed list 2, a change 3, an action 5, new servers 10. Beyond that the "
        "answer is 429 with Retry-After. 0: no limit.",
    ),
    cfg.IntOpt(
        "rate_limit_per_source",
        default=60000,
        min=0,
        help="Requests that one address may send in a minute, for each nova-api process, with "
        "a valid token or without. 0: no limit, for a proxy in front that takes care of it.",
    ),
    cfg.URIOpt(
        "compute_link_prefix",
        schemes=["http", "https"],
        help="URL that stands for scheme, host and mount point in the links of answers. "
        "Unset: the links name the host that the request was sent to.",
    ),
    cfg.BoolOpt(
        "enable_instance_password",
        default=True,
        help="Return the administrator password of a server in the answer to its creation.",
    ),
]

PROXY_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "max_request_body_size",
        default=114688,
        min=1024,
        help="Largest request body, in bytes.",
    ),
    cfg.BoolOpt(
        "enable_proxy_headers_parsing",
        default=False,
        help="Believe X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix when links "
        "are built. Set it only where a proxy in front replaces what clients send.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": LISTEN_OPTS,
    "api": API_OPTS,
    "oslo_middleware": PROXY_OPTS,
}
