"""Settings of the EC2 API as plain values, read once from the configuration."""

import dataclasses

from oslo_config import cfg

from nova.api.ec2.lockout import LockoutSettings
from nova.api.settings import ApiSettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Settings:
    """What actions and middleware of the EC2 API need to know of the configuration.

    regions: names and addresses; none stands for the one region of this cloud.
    lockout None: wrong signatures are refused, however many.
    """

    api: ApiSettings
    timestamp_expiry_s: int = 300
    endpoint: str = "http://127.0.0.1:8773/"
    regions: tuple[tuple[str, str], ...] = ()
    private_dns_shows_ip: bool = False
    strict_validation: bool = True
    lockout: LockoutSettings | None = None
    default_flavor: str = "m1.small"

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, api: ApiSettings) -> "Ec2Settings":
        """Return the settings that a configuration holds."""
        scheme, host, port = conf.ec2_scheme, conf.ec2_host or conf.my_ip, conf.ec2_port
        regions = (entry.partition("=") for entry in conf.region_list)
        return cls(
            api=api,
            timestamp_expiry_s=conf.ec2_timestamp_expiry,
            endpoint=f"{scheme}://{host}:{port}{conf.ec2_path}",
            regions=tuple(
                (name.strip(), f"{scheme}://{at.strip()}:{port}{conf.ec2_path}")
                for name, _, at in regions
            ),
            private_dns_shows_ip=conf.ec2_private_dns_show_ip,
            strict_validation=conf.ec2_strict_validation,
            lockout=_lockout(conf),
        )


def _lockout(conf: cfg.ConfigOpts) -> LockoutSettings | None:
    if not conf.ec2_lockout:
        return None
    return LockoutSettings(
        attempts=conf.lockout_attempts,
        window_minutes=conf.lockout_window,
        minutes=conf.lockout_minutes,
    )
