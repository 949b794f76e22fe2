"""Which guest is asking: by its address, or named by a signed proxy.

Source: ec2-api, sections 8.1 and 8.2.
"""

import dataclasses
import hashlib
import hmac
import ipaddress

from nova import exception
from nova.api.metadata.request import MetadataRequest, Refused


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """Whom to believe about the guest behind a request.

    shared_secret: None when signed proxies are not in use.
    """

    shared_secret: str | None = None
    trusted_proxies: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A guest, by fixed address or by uuid; project_id is what a proxy claims for it."""

    address: str | None = None
    instance_uuid: str | None = None
    project_id: str | None = None


def proxy_settings(
    *,
    service_metadata_proxy: bool,
    shared_secret: str,
    use_forwarded_for: bool,
    trusted_proxies: tuple[str, ...],
) -> ProxySettings:
    """Return checked settings.  Raises: ConfigurationError."""
    if service_metadata_proxy and not shared_secret:
        raise exception.ConfigurationError(
            reason="[neutron] metadata_proxy_shared_secret is empty although "
            "service_metadata_proxy is on; set the proxy's secret."
        )
    if use_forwarded_for and not trusted_proxies:
        raise exception.ConfigurationError(
            reason="[api] use_forwarded_for is on but metadata_trusted_proxies is empty; "
            "list the proxies' addresses."
        )
    return ProxySettings(
        shared_secret=shared_secret if service_metadata_proxy else None,
        trusted_proxies=frozenset(trusted_proxies) if use_forwarded_for else frozenset(),
    )


def identify(request: MetadataRequest, settings: ProxySettings) -> Identity:
    """Return who asks.  Raises: Refused."""
    if settings.shared_secret is not None:
        return _signed(request, settings.shared_secret)
    return Identity(address=_canonical(_source(request, settings)))


def _source(request: MetadataRequest, settings: ProxySettings) -> str:
    forwarded = request.headers.get("x-forwarded-for")
    if forwarded and request.peer in settings.trusted_proxies:
        return forwarded.split(",")[-1].strip()
    return request.peer


def _canonical(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise Refused(404) from error
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(parsed)


def _signed(request: MetadataRequest, secret: str) -> Identity:
    instance_uuid = _only(request, "x-instance-id")
    project_id = _only(request, "x-tenant-id")
    signature = _only(request, "x-instance-id-signature")
    expected = hmac.new(secret.encode(), instance_uuid.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Refused(403, "Invalid proxy request signature.")
    return Identity(instance_uuid=instance_uuid, project_id=project_id)


def _only(request: MetadataRequest, name: str) -> str:
    value = request.headers.get(name)
    if not value:
        raise Refused(400, f"The header {name} is missing.")
    if "," in value:
        raise Refused(400, f"The header {name} was sent more than once.")
    return value
