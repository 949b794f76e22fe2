"""The Compute API as one WSGI application: its resources and its middleware, in order."""

from oslo_config import cfg

from nova.api.core.caller import services_over
from nova.api.core.projects import AnyProject, Projects, keystone_projects
from nova.api.openstack import (
    admin_actions,
    admin_password,
    agents,
    aggregates,
    assisted_volume_snapshots,
    attach_interfaces,
    availability_zones,
    certificates,
    console_auth_tokens,
    consoles,
    crash_dump,
    create_image,
    deferred_delete,
    extensions,
    external_events,
    fixed_ips,
    flavor_access,
    flavor_extra_specs,
    flavors,
    floating_ip_dns,
    floating_ip_pools,
    floating_ips,
    floating_ips_bulk,
    fping,
    hosts,
    hypervisors,
    image_metadata,
    images,
    instance_actions,
    keypairs,
    limits,
    lock_server,
    migrations,
    moves,
    multinic,
    networks,
    pause,
    quota_class_sets,
    quota_sets,
    rebuild,
    refusals,
    remote_consoles,
    rescue,
    resize,
    security_group_default_rules,
    security_groups,
    server_actions,
    server_diagnostics,
    server_floating_ips,
    server_groups,
    server_ips,
    server_metadata,
    server_migrations,
    server_password,
    server_security_groups,
    server_shares,
    server_tags,
    server_topology,
    servers,
    services,
    shelve,
    suspend,
    tenant_networks,
    tenant_usage,
    usage_audit_log,
    virtual_interfaces,
    volume_attachments,
    volumes_boot,
)
from nova.api.openstack.auth import authentication
from nova.api.openstack.dispatch import Dispatcher
from nova.api.openstack.environment import WsgiApp
from nova.api.openstack.middleware import VersionDocuments
from nova.api.openstack.pipeline import guarded
from nova.api.openstack.resource import Resource
from nova.api.settings import ApiSettings
from nova.image.api import ImageService
from nova.policy import Policy
from nova.rpc.bus import Bus

RESOURCES: tuple[Resource, ...] = (
    extensions.extensions,
    servers.servers,
    server_actions.server_actions,
    server_security_groups.server_security_groups,
    pause.pause_server,
    suspend.suspend_server,
    rebuild.rebuild,
    rescue.rescue_server,
    rescue.unrescue_server,
    resize.resize,
    moves.migrate_server,
    moves.evacuate_server,
    server_migrations.server_migrations,
    migrations.migrations,
    create_image.create_image,
    create_image.create_backup,
    shelve.shelve_server,
    lock_server.lock_server,
    admin_actions.admin_actions,
    admin_password.admin_password,
    deferred_delete.deferred_delete,
    crash_dump.crash_dump,
    remote_consoles.remote_consoles,
    console_auth_tokens.console_auth_tokens,
    consoles.consoles,
    server_diagnostics.server_diagnostics,
    server_password.server_password,
    server_metadata.server_metadata,
    server_tags.server_tags,
    server_ips.server_ips,
    server_topology.server_topology,
    attach_interfaces.attach_interfaces,
    instance_actions.instance_actions,
    keypairs.keypairs,
    flavors.flavors,
    flavor_extra_specs.extra_specs,
    flavor_access.flavor_access,
    limits.limits,
    quota_sets.quota_sets,
    quota_class_sets.quota_class_sets,
    services.services,
    hypervisors.hypervisors,
    availability_zones.availability_zones,
    aggregates.aggregates,
    server_groups.server_groups,
    security_groups.security_groups,
    security_group_default_rules.default_rules,
    images.images,
    image_metadata.image_metadata,
    networks.networks,
    floating_ips.floating_ips,
    floating_ip_pools.floating_ip_pools,
    floating_ips_bulk.floating_ips_bulk,
    floating_ip_dns.floating_ip_dns,
    server_floating_ips.server_floating_ips,
    networks.networks_associate,
    tenant_networks.tenant_networks,
    fixed_ips.fixed_ips,
    fping.fping,
    multinic.multinic,
    virtual_interfaces.virtual_interfaces,
    tenant_usage.tenant_usage,
    volume_attachments.volume_attachments,
    server_shares.server_shares,
    hosts.hosts,
    agents.agents,
    certificates.certificates,
    usage_audit_log.usage_audit_log,
    external_events.external_events,
    assisted_volume_snapshots.assisted_volume_snapshots,
    *refusals.REFUSED,
    *refusals.ABSENT,
)
# Last, because it repeats routes of the others.
RESOURCES = (*RESOURCES, volumes_boot.alias_of(RESOURCES))


def default_rules() -> dict[str, str]:
    """Return the default of every policy rule of the Compute API."""
    return {name: check for resource in RESOURCES for name, check in resource.rules.items()}


def _projects(settings: ApiSettings, conf: cfg.ConfigOpts) -> Projects:
    return AnyProject() if settings.auth_strategy == "noauth2" else keystone_projects(conf)


def make_app(
    settings: ApiSettings,
    bus: Bus,
    images: ImageService,
    conf: cfg.ConfigOpts,
    policy: Policy | None = None,
    projects: Projects | None = None,
) -> WsgiApp:
    """Return the Compute API.

    projects: by default those of the service that tokens come from.
    conf is read by the policy engine, the token middleware and for that service only.
    Raises: ConfigurationError.
    """
    policy = policy or Policy(conf, default_rules())
    provided = services_over(bus, images, policy, settings, projects or _projects(settings, conf))
    return guarded(
        Dispatcher(RESOURCES, provided),
        settings,
        authentication(settings, policy, conf),
        lambda app: VersionDocuments(app, settings),
    )
