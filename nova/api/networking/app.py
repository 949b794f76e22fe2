"""The Networking API as one WSGI application: its resources and its middleware, in order."""

from oslo_config import cfg

from nova.api.core.caller import services_over
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
from nova.api.openstack.auth import authentication
from nova.api.openstack.environment import WsgiApp
from nova.api.openstack.pipeline import guarded
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
    provided = services_over(bus, images, policy, settings)
    return guarded(
        NetworkingDispatcher(RESOURCES, provided),
        settings,
        authentication(settings, policy, conf),
        lambda app: NetworkingVersions(app, RESOURCES, settings.trust_proxy_headers),
        NetworkingFaults,
    )
