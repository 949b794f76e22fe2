"""What nova-consoleauth takes from the options."""

import dataclasses
from collections.abc import Mapping

from oslo_config import cfg

from nova.objects.console import ConsoleType

# Group and name of the option with the address of each type.
_URL_OPTIONS: dict[ConsoleType, tuple[str, str]] = {
    ConsoleType.NOVNC: ("vnc", "novncproxy_base_url"),
    ConsoleType.XVPVNC: ("vnc", "xvpvncproxy_base_url"),
    ConsoleType.SPICE_HTML5: ("spice", "html5proxy_base_url"),
    ConsoleType.SPICE_DIRECT: ("spice", "spice_direct_proxy_base_url"),
    ConsoleType.RDP_HTML5: ("rdp", "html5_proxy_base_url"),
    ConsoleType.SERIAL: ("serial_console", "base_url"),
    ConsoleType.WEBMKS: ("mks", "mksproxy_base_url"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleAuthSettings:
    """Life of tokens, and the addresses that they are added to."""

    token_ttl_s: int = 600
    base_urls: Mapping[ConsoleType, str]


def consoleauth_settings(conf: cfg.ConfigOpts) -> ConsoleAuthSettings:
    """Return the settings that the options name."""
    return ConsoleAuthSettings(
        token_ttl_s=conf.consoleauth.token_ttl,
        base_urls={kind: conf[group][name] for kind, (group, name) in _URL_OPTIONS.items()},
    )
