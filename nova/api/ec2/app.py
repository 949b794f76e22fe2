"""The EC2 API as one WSGI application: its actions and its middleware, in order."""

from collections.abc import Iterable

import webob
from oslo_config import cfg

from nova.api.core.bundles import Bundles
from nova.api.core.caller import services_over
from nova.api.ec2 import (
    addresses,
    answers,
    faults,
    instance_actions,
    instance_attributes,
    instance_types,
    instances,
    keypairs,
    run_instances,
    security_groups,
    tags,
    volumes,
    zones,
)
from nova.api.ec2 import images as image_families
from nova.api.ec2.action import Family, table_of
from nova.api.ec2.auth import authentication, signed_of
from nova.api.ec2.dispatch import Ec2Dispatcher
from nova.api.ec2.identity import Identity
from nova.api.ec2.settings import Ec2Settings
from nova.api.openstack import app as compute
from nova.api.openstack.environment import REQUEST_ID_KEY, Environ, StartResponse, WsgiApp
from nova.api.openstack.pipeline import guarded
from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.image.api import ImageService
from nova.policy import Policy
from nova.rpc.bus import Bus

FAMILIES: tuple[Family, ...] = (
    zones.zones,
    keypairs.keypairs,
    security_groups.groups,
    addresses.addresses,
    instances.instances,
    run_instances.run,
    instance_actions.instance_actions,
    instance_attributes.instance_attributes,
    instance_types.instance_types,
    image_families.images,
    tags.tags,
    volumes.volumes,
)
ACTIONS = table_of(FAMILIES)

_READING = ("Describe", "Get")
# What an action costs a project, as routes of the Compute API that do the same.
_COSTS = {"RunInstances": 10, "DescribeInstances": 2}


def make_app(
    settings: Ec2Settings,
    bus: Bus,
    images: ImageService,
    bundles: Bundles,
    conf: cfg.ConfigOpts,
    policy: Policy | None = None,
    identity: Identity | None = None,
) -> WsgiApp:
    """Return the EC2 API; its policy rules are those of the Compute API.

    identity: by default the service that tokens of the Compute API come from.
    Raises: ConfigurationError.
    """
    policy = policy or Policy(conf, compute.default_rules())
    provided = services_over(bus, images, policy, settings.api)
    ec2 = bus.client(ConductorEc2).anyone()
    return guarded(
        Ec2Dispatcher(ACTIONS, provided, ec2, bundles, settings),
        settings.api,
        authentication(settings, policy, conf, identity),
        # Nothing is told without a signature.
        lambda app: app,
        Ec2Faults,
        cost=cost_of,
        may_change=may_change,
    )


def _action_of(environ: Environ) -> str:
    return signed_of(environ).action.get("Action", "")


def cost_of(environ: Environ) -> int:
    """Return the units that a request costs its project."""
    name = _action_of(environ)
    return _COSTS.get(name, 1 if name.startswith(_READING) else 3)


def may_change(environ: Environ) -> bool:
    """Tell whether a request may change something."""
    return not _action_of(environ).startswith(_READING)


class Ec2Faults:
    """Puts the errors of shared middleware into the form of this API."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = webob.Request(environ).get_response(self._app)
        if response.status_int >= 400 and response.content_type != "text/xml":
            fault = faults.of_status(response.status_int)
            headers = {
                name: response.headers[name]
                for name in ("Retry-After",)
                if name in response.headers
            }
            response = answers.of_fault(fault, environ[REQUEST_ID_KEY])
            response.headers.update(headers)
        return response(environ, start_response)
