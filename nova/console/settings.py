"""What the proxies' configuration says, as plain values."""

import dataclasses
import ssl

from oslo_config import cfg

from nova.console.limits import Caps
from nova.exception import ConfigurationError

_VERSIONS = {
    "tlsv1_1": ssl.TLSVersion.TLSv1_1,
    "tlsv1_2": ssl.TLSVersion.TLSv1_2,
    "tlsv1_3": ssl.TLSVersion.TLSv1_3,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """Who may open sessions and how long they last.

    allowed_origins: hosts, besides the link's own, whose pages may open consoles.
    """

    allowed_origins: tuple[str, ...] = ()
    idle_timeout_s: float = 0
    ends_at_expiry: bool = False

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> "SessionRules":
        """Return the rules of the configuration."""
        return cls(
            allowed_origins=tuple(one.lower() for one in conf.console.allowed_origins),
            idle_timeout_s=conf.console.idle_timeout,
            ends_at_expiry=conf.consoleauth.enforce_session_timeout,
        )


def caps_from(conf: cfg.ConfigOpts) -> Caps:
    """Return the greatest numbers of connections and sessions."""
    return Caps(
        connections=conf.console.max_connections,
        per_source=conf.console.max_connections_per_source,
        sessions=conf.console.max_sessions,
        per_instance=conf.console.max_sessions_per_instance,
        per_token=conf.console.max_sessions_per_token,
    )


def tls_from(conf: cfg.ConfigOpts) -> ssl.SSLContext | None:
    """Return TLS for browsers; None without a certificate.  Raises: ConfigurationError."""
    if not conf.cert:
        if conf.ssl_only:
            raise ConfigurationError(reason="ssl_only needs cert, the file of a certificate")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if conf.console.ssl_minimum_version != "default":
        context.minimum_version = _VERSIONS[conf.console.ssl_minimum_version]
    try:
        if conf.console.ssl_ciphers:
            context.set_ciphers(conf.console.ssl_ciphers)
        context.load_cert_chain(conf.cert, conf.key or None)
    except OSError as error:
        raise ConfigurationError(
            reason=f"the certificate {conf.cert} with the key {conf.key or conf.cert} and the "
            f"ciphers {conf.console.ssl_ciphers or 'of the default'} can not be used: {error}"
        ) from error
    return context
