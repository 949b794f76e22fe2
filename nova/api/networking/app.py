"""The Networking API as one WSGI application: its resources and its middleware, in order."""

from collections.abc import Callable

from oslo_config import cfg

from nova.api.core.clients import compute_client, conductor_clients
from nova.api.core.hosts import HostStates
from nova.api.networking import (
    agents,
    availability_zones,
    extensions,
    floatingips,
    ip_availabilities,
    networks,
    ports,
    quotas,
    routers,
    security_group_rules,
    security_groups,
    subnets,
)
from nova.api.networking.dispatch import NetworkingDispatcher
from nova.api.networking.faults import NetworkingFaults
from nova.api.networking.versions import NetworkingVersions
from nova.api.openstack.audit import AuditLog
from nova.api.openstack.auth import authentication
from nova.api.openstack.call import Services
from nova.api.openstack.environment import WsgiApp
from nova.api.openstack.middleware import FaultGuard, RequestIds, SizeLimit, StripIdentity
from nova.api.openstack.rate_limits import Buckets, ProjectLimit, SourceLimit
from nova.api.openstack.resource import Resource
from nova.api.settings import ApiSettings
from nova.image.api import ImageService
from nova.policy import Policy
from nova.rpc.bus import Bus

RESOURCES: tuple[Resource, ...] = (
    extensions.extensions,
    networks.networks,
    subnets.subnets,
    ports.ports,
    floatingips.floatingips,
    security_groups.security_groups,
    security_group_rules.rules,
    routers.routers,
    ip_availabilities.availabilities,
    quotas.quotas,
    agents.agents,
    availability_zones.availability_zones,
)


def default_rules() -> dict[str, str]:
    """Return the default of every policy rule of the Networking API."""
    return {name: check for resource in RESOURCES for name, check in resource.rules.items()}


def make_app(
    settings: ApiSettings,
    bus: Bus,
    images: ImageService,
    conf: cfg.ConfigOpts,
    policy: Policy | None = None,
) -> WsgiApp:
    """Return the Networking API.

    conf is read by the policy engine and the token middleware only.
    Raises: ConfigurationError.
    """
    policy = policy or Policy(conf, default_rules())
    conductor = conductor_clients(bus)
    provided = Services(
        conductor=conductor,
        compute=compute_client(bus),
        images=images,
        policy=policy,
        settings=settings,
        host_states=HostStates(conductor.hosts),
    )
    # The order, and the reasons, are those of the Compute API.
    middleware: list[Callable[[WsgiApp], WsgiApp]] = [
        RequestIds,
        # Outside of all that answers errors in the form of the Compute API.
        NetworkingFaults,
        FaultGuard,
        StripIdentity,
        lambda app: SizeLimit(app, settings.max_body_bytes),
        lambda app: NetworkingVersions(app, RESOURCES, settings.trust_proxy_headers),
        lambda app: SourceLimit(app, Buckets(settings.rate_limit_per_source)),
        authentication(settings, policy, conf),
        lambda app: AuditLog(app, settings.audit_log_file),
        lambda app: ProjectLimit(app, Buckets(settings.rate_limit_per_project)),
    ]
    app: WsgiApp = NetworkingDispatcher(RESOURCES, provided)
    for wrap in reversed(middleware):
        app = wrap(app)
    return app
