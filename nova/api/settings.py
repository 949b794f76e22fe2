"""Settings of the API as plain values, read once from the configuration."""

import dataclasses

from oslo_config import cfg


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What handlers and middleware need to know of the configuration; rates of 0 are no limit."""

    listen: str = "127.0.0.1"
    listen_port: int = 8774
    auth_strategy: str = "keystone"
    allow_noauth_off_loopback: bool = False
    max_limit: int = 1000
    max_body_bytes: int = 114688
    compute_link_prefix: str | None = None
    trust_proxy_headers: bool = False
    enable_instance_password: bool = True
    password_length: int = 12
    rescue_image_id: str | None = None
    internal_zone: str = "internal"
    non_inheritable_image_properties: tuple[str, ...] = ("cache_in_nova", "bittorrent")
    rate_limit_per_project: int = 0
    rate_limit_per_source: int = 0
    audit_log_file: str | None = None
    default_floating_pool: str = "nova"
    public_interface: str | None = "eth0"
    multi_host: bool = False
    share_dhcp_address: bool = False
    fping_path: str = "/usr/sbin/fping"

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> "ApiSettings":
        """Return the settings that a configuration holds."""
        return cls(
            listen=conf.osapi_compute_listen,
            listen_port=conf.osapi_compute_listen_port,
            auth_strategy=conf.api.auth_strategy,
            allow_noauth_off_loopback=conf.api.allow_noauth_off_loopback,
            max_limit=conf.api.max_limit,
            max_body_bytes=conf.oslo_middleware.max_request_body_size,
            compute_link_prefix=conf.api.compute_link_prefix,
            trust_proxy_headers=conf.oslo_middleware.enable_proxy_headers_parsing,
            enable_instance_password=conf.api.enable_instance_password,
            password_length=conf.password_length,
            rescue_image_id=conf.rescue_image_id,
            internal_zone=conf.internal_service_availability_zone,
            non_inheritable_image_properties=tuple(conf.non_inheritable_image_properties),
            rate_limit_per_project=conf.api.rate_limit_per_project,
            rate_limit_per_source=conf.api.rate_limit_per_source,
            audit_log_file=conf.api.audit_log_file,
            default_floating_pool=conf.default_floating_pool,
            public_interface=conf.public_interface or None,
            multi_host=conf.multi_host,
            share_dhcp_address=conf.share_dhcp_address,
            fping_path=conf.fping_path,
        )
