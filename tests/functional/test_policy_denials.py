"""AZ-07: each policy rule, denied by the operator's file, stops the request that it is about.

Requests are those of an administrator, whom nothing else stops.
"""

import dataclasses

import pytest
from oslo_config import cfg

from nova.api.openstack import app
from nova.api.openstack.versions import MAXIMUM
from nova.policy import Policy
from tests.fixtures.api_bodies import sample
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import OTHER_PROJECT, make_rest_app
from tests.fixtures.tenants import TwoTenants
from tests.fixtures.time import hold_time

UUID = "99999999-0000-4000-8000-000000000001"
BOOT = {"name": "new", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "auto"}
ACTION = "/servers/{server}/action"

GOOD_BODIES = {
    "PUT /servers/{id}": {"server": {"name": "x"}},
    "PUT /os-volumes_boot/{id}": {"server": {"name": "x"}},
    "PUT /flavors/{flavor_id}/os-extra_specs/{id}": {"x": "w"},
    "PUT /servers/{server_id}/metadata/{id}": {"meta": {"x": "w"}},
    "POST /servers": {"server": BOOT},
    "POST /os-volumes_boot": {"server": BOOT},
    "POST /os-networks": {"network": {"label": "x", "cidr": "192.0.2.0/24"}},
    "POST /os-tenant-networks": {"network": {"label": "x", "cidr": "192.0.2.0/24"}},
    "rebuild": {"imageRef": IMAGE_ID},
    "resize": {"flavorRef": "2"},
    "unshelve": None,
}

# Rules of parts of a request: (method, path, body, version) that only they can stop.
PARTS = {
    "servers:create:forced_host": (
        "POST",
        "/servers",
        {"server": {**BOOT, "availability_zone": "nova:host1"}},
    ),
    "servers:create:attach_network": (
        "POST",
        "/servers",
        {"server": {**BOOT, "networks": [{"uuid": UUID}]}},
    ),
    "servers:create:trusted_certs": (
        "POST",
        "/servers",
        {"server": {**BOOT, "trusted_image_certificates": [UUID]}},
    ),
    "compute:servers:create:requested_destination": (
        "POST",
        "/servers",
        {"server": {**BOOT, "host": "host1"}},
    ),
    "servers:rebuild:trusted_certs": (
        "POST",
        ACTION,
        {"rebuild": {"imageRef": IMAGE_ID, "trusted_image_certificates": [UUID]}},
    ),
    "os-migrate-server:migrate:host": ("POST", ACTION, {"migrate": {"host": "host2"}}),
    "os-migrate-server:migrate_live:host": (
        "POST",
        ACTION,
        {"os-migrateLive": {"host": "host2", "block_migration": "auto"}},
    ),
    "os-shelve:unshelve_to_host": ("POST", ACTION, {"unshelve": {"host": "host2"}}),
    "limits:other_project": ("GET", "/limits?tenant_id=abc", None),
    "os-volumes-attachments:update": (
        "PUT",
        f"/servers/{{server}}/os-volume_attachments/{UUID}",
        {"volumeAttachment": {"volumeId": UUID}},
    ),
    "servers:index:get_all_tenants": ("GET", "/servers?all_tenants=1", None),
    "servers:detail:get_all_tenants": ("GET", "/servers/detail?all_tenants=1", None),
}
# Rules that only decide what an answer shows, how far a list reaches, or whether something that
# the state of an object forbids is allowed after all; their own tests say how.
SHOWN_BY = {
    "servers:allow_all_filters": "test_server_list",
    "servers:create:zero_disk_flavor": "test_zero_disk_flavors",
    "os-extended-server-attributes": "test_servers",
    "servers:show:host_status": "test_servers",
    "servers:show:host_status:unknown-only": "test_servers",
    "servers:show:flavor-extra-specs": "test_servers",
    "servers:migrations:index:host": "test_migrations",
    "os-migrations:index:host": "test_migrations",
    "os-migrations:index:all_projects": "test_migrations",
    "servers:create_image:allow_volume_backed": "test_refusals",
    "os-lock-server:unlock:unlock_override": "test_server_writes",
    "compute:server:topology:host:index": "test_server_parts",
    "os-instance-actions:events": "test_server_parts",
    "os-instance-actions:events:details": "test_server_parts",
    "os-server-groups:index:all_projects": "test_server_groups",
    "os-fping:all_tenants": "test_network_writes",
    "os-volumes-attachments:swap": "test_refusals",
}


def _routes():
    return [route for resource in app.RESOURCES for route in resource.routes]


def _rules():
    return sorted({route.rule for route in _routes() if route.rule is not None})


def _whole(name):
    return name if name.startswith("compute:") else f"os_compute_api:{name}"


@pytest.fixture(scope="module")
def site():
    """Return one cloud for all cases; each leaves it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        made = TwoTenants(hold_time(patch))
        yield made
        made.cloud.close()


@pytest.fixture
def deny(site, tmp_path):
    """Return the function that makes an administrator's client while a file denies a rule."""

    def client(rule):
        file = tmp_path / "policy.yaml"
        file.write_text(f'"{rule}": "!"\n')
        made = make_rest_app(site.cloud.bus, site.cloud.images, policy=_policy(file))
        return dataclasses.replace(site.admin, app=made)

    yield client
    site.restore()


def _policy(file):
    conf = cfg.ConfigOpts()
    conf(
        ["--config-file", _config(file)],
        project="nova",
        default_config_files=[],
        default_config_dirs=[],
    )
    return Policy(conf, app.default_rules())


def _config(file):
    config = file.with_name("nova.conf")
    config.write_text(f"[oslo_policy]\npolicy_file = {file}\n")
    return str(config)


def _body(route, version):
    if route.body is None:
        return None
    name = f"{route.method} {route.path}"
    if name in GOOD_BODIES:
        return GOOD_BODIES[name]
    if route.action in GOOD_BODIES:
        return {route.action: GOOD_BODIES[route.action]}
    return sample(route.body.at(version))


def _replay(rest, route):
    version = min(route.versions.until or MAXIMUM, MAXIMUM)
    words = {"{server_id}": UUID, "{flavor_id}": "x", "{image_id}": UUID}
    path = route.path
    for word, value in words.items():
        path = path.replace(word, value)
    # Some words of paths are checked for their form before anything else.
    path = path.replace("{id}", UUID if path.startswith("/servers/{id}") else "x")
    return rest.at(str(version)).request(route.method, path, _body(route, version))


@pytest.mark.parametrize("rule", _rules())
def test_az_07_a_denied_rule_stops_all_its_routes(site, deny, rule):
    before = site.content()
    rest = deny(rule)
    for route in _routes():
        if route.rule == rule:
            answer = _replay(rest, route)
            assert answer.status_int == 403, (route, answer.text)
            assert f"Policy does not allow {rule} to be performed." in answer.text
            assert f"Policy does not allow {rule} " not in _replay(site.admin, route).text
    site.restore()
    assert site.content() == before


@pytest.mark.parametrize("part", PARTS)
def test_az_07_a_denied_rule_stops_the_part_that_it_is_about(site, deny, part):
    method, path, body = PARTS[part]
    path = path.replace("{server}", site.bob.ids["server"])
    rest = deny(_whole(part)).as_user("admin", OTHER_PROJECT).at("2.96")
    answer = rest.request(method, path, body)
    assert answer.status_int == 403, answer.text
    assert f"Policy does not allow {_whole(part)} to be performed." in answer.text


def test_az_07_every_rule_is_replayed_or_has_tests_of_its_own():
    replayed = {*_rules(), *map(_whole, PARTS)}
    assert set(app.default_rules()) - replayed == set(map(_whole, SHOWN_BY))


def test_az_07_routes_without_a_rule_are_known():
    free = {route.path for route in _routes() if route.rule is None}
    assert free <= {
        "/flavors",
        "/flavors/detail",
        "/flavors/{id}",
        "/images",
        "/images/detail",
        "/images/{id}",
        "/images/{image_id}/metadata",
        "/images/{image_id}/metadata/{id}",
        "/os-baremetal-nodes",
        "/os-baremetal-nodes/{id}",
        "/os-baremetal-nodes/{id}/action",
        "/servers/{server_id}/os-volume_attachments/{id}",
    }
