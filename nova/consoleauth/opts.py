"""Options of nova-consoleauth, and where browsers find the consoles."""

from oslo_config import cfg

CONSOLEAUTH_OPTS: list[cfg.Opt] = [
    cfg.IntOpt(
        "token_ttl",
        default=600,
        min=1,
        max=86400,
        deprecated_name="console_token_ttl",
        deprecated_group="DEFAULT",
        help="Seconds for which a console's address can be opened.",
    ),
    cfg.BoolOpt(
        "enforce_session_timeout",
        default=False,
        help="Whether a proxy ends a session when its token expires.",
    ),
    cfg.BoolOpt(
        "check_identity",
        default=True,
        help="Whether Keystone is asked, each time a console is opened, if the user who asked for "
        "it is still enabled and still has a role in the project. Asked with the credentials of "
        "[service_user], which need a role that may read users and role assignments; never asked "
        "when [api] auth_strategy is noauth2.",
    ),
    cfg.IntOpt("workers", min=1, help="Number of nova-consoleauth worker processes. Unset: one."),
]


def _url(name: str, default: str, what: str) -> cfg.URIOpt:
    return cfg.URIOpt(
        name,
        default=default,
        schemes=["http", "https", "ws", "wss"],
        help=f"Address under which browsers and clients reach {what}; a token is added to it.",
    )


OPTS: dict[str, list[cfg.Opt]] = {
    "consoleauth": CONSOLEAUTH_OPTS,
    "vnc": [
        _url(
            "novncproxy_base_url",
            "http://127.0.0.1:6080/vnc_auto.html",
            "the viewer page of nova-novncproxy",
        ),
        _url("xvpvncproxy_base_url", "http://127.0.0.1:6081/console", "nova-xvpvncproxy"),
    ],
    "spice": [
        _url(
            "html5proxy_base_url",
            "http://127.0.0.1:6082/spice_auto.html",
            "the viewer page of nova-spicehtml5proxy",
        ),
        _url(
            "spice_direct_proxy_base_url",
            "http://127.0.0.1:13002/nova",
            "a proxy of the SPICE protocol itself, which is not part of this project",
        ),
    ],
    "rdp": [
        _url(
            "html5_proxy_base_url",
            "http://127.0.0.1:6083/",
            "a proxy for RDP, which is not part of this project",
        )
    ],
    "serial_console": [_url("base_url", "ws://127.0.0.1:6083/", "nova-serialproxy")],
    "mks": [
        _url(
            "mksproxy_base_url",
            "http://127.0.0.1:6090/",
            "a proxy for MKS, which is not part of this project",
        )
    ],
}
