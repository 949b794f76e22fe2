"""Every route that names an object by somebody else's object, made from the routes themselves.

Each kind of object is there twice: alice asks for bob's and for one that nobody has, and must
not be able to tell the two apart.  A route whose path is not in PLACES fails, so that new
routes must say what they name.
"""

import re

import pytest

from nova.api.openstack import app
from nova.api.openstack.versions import LEGACY, MAXIMUM, MINIMUM
from nova.policy import ADMIN, MANAGER, MEMBER, OWNER, READER, SERVICE
from tests.fixtures.api_bodies import sample
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import OTHER_PROJECT
from tests.fixtures.tenants import FLOATING, UNKNOWN, TwoTenants, told
from tests.fixtures.time import hold_time

# Path -> kinds of the objects that its variable parts name, in order.
PLACES = {
    "/servers/{id}": ["server"],
    "/servers/{id}/action": ["server"],
    "/servers/{server_id}/migrations": ["server"],
    "/servers/{server_id}/migrations/{id}": ["server", "migration"],
    "/servers/{server_id}/migrations/{id}/action": ["server", "migration"],
    "/servers/{server_id}/diagnostics": ["server"],
    "/servers/{server_id}/os-server-password": ["server"],
    "/servers/{server_id}/metadata": ["server"],
    "/servers/{server_id}/metadata/{id}": ["server", "metadata"],
    "/servers/{server_id}/tags": ["server"],
    "/servers/{server_id}/tags/{id}": ["server", "tag"],
    "/servers/{server_id}/ips": ["server"],
    "/servers/{server_id}/ips/{id}": ["server", "label"],
    "/servers/{server_id}/topology": ["server"],
    "/servers/{server_id}/os-interface": ["server"],
    "/servers/{server_id}/os-interface/{id}": ["server", "port"],
    "/servers/{server_id}/os-security-groups": ["server"],
    "/servers/{server_id}/os-virtual-interfaces": ["server"],
    "/servers/{server_id}/os-instance-actions": ["server"],
    "/servers/{server_id}/os-instance-actions/{id}": ["server", "action"],
    "/servers/{server_id}/os-volume_attachments": ["server"],
    "/servers/{server_id}/os-volume_attachments/{id}": ["server", "volume"],
    "/servers/{server_id}/shares": ["server"],
    "/servers/{server_id}/shares/{id}": ["server", "share"],
    "/servers/{server_id}/remote-consoles": ["server"],
    "/servers/{server_id}/consoles": ["server"],
    "/servers/{server_id}/consoles/{id}": ["server", "pooled console"],
    "/os-console-auth-tokens/{id}": ["token"],
    "/os-volumes_boot/{id}": ["server"],
    "/os-volumes_boot/{id}/action": ["server"],
    "/os-keypairs/{id}": ["keypair"],
    "/os-server-groups/{id}": ["group"],
    "/flavors/{id}": ["flavor"],
    "/flavors/{id}/action": ["flavor"],
    "/flavors/{flavor_id}/os-extra_specs": ["flavor"],
    "/flavors/{flavor_id}/os-extra_specs/{id}": ["flavor", "spec"],
    "/flavors/{flavor_id}/os-flavor-access": ["flavor"],
    "/images/{id}": ["image"],
    "/images/{image_id}/metadata": ["image"],
    "/images/{image_id}/metadata/{id}": ["image", "property"],
    "/os-networks/{id}": ["network"],
    "/os-networks/{id}/action": ["network"],
    "/os-tenant-networks/{id}": ["network"],
    "/os-fixed-ips/{id}": ["fixed address"],
    "/os-fixed-ips/{id}/action": ["fixed address"],
    "/os-floating-ips/{id}": ["floating address"],
    "/os-floating-ips-bulk/{id}": ["host"],
    "/os-floating-ip-dns/{id}": ["domain"],
    "/os-floating-ip-dns/{domain_id}/entries/{id}": ["domain", "entry"],
    "/os-security-groups/{id}": ["security group"],
    "/os-security-group-rules/{id}": ["security rule"],
    "/os-security-group-default-rules/{id}": ["default rule"],
    "/os-fping/{id}": ["server"],
    "/os-quota-sets/{id}": ["project"],
    "/os-quota-sets/{id}/detail": ["project"],
    "/os-quota-sets/{id}/defaults": ["project"],
    "/os-simple-tenant-usage/{id}": ["project"],
    "/os-quota-class-sets/{id}": ["class"],
    "/os-services/{id}": ["service"],
    "/os-hypervisors/{id}": ["hypervisor"],
    "/os-hypervisors/{id}/uptime": ["hypervisor"],
    "/os-hypervisors/{id}/search": ["host"],
    "/os-hypervisors/{id}/servers": ["host"],
    "/os-aggregates/{id}": ["aggregate"],
    "/os-aggregates/{id}/action": ["aggregate"],
    "/os-aggregates/{id}/images": ["aggregate"],
    "/os-hosts/{id}": ["host"],
    "/os-hosts/{id}/reboot": ["host"],
    "/os-hosts/{id}/shutdown": ["host"],
    "/os-hosts/{id}/startup": ["host"],
    "/os-agents/{id}": ["agent"],
    "/os-instance_usage_audit_log/{id}": ["time"],
    "/os-assisted-volume-snapshots/{id}": ["snapshot"],
    "/os-volumes/{id}": ["volume"],
    "/os-snapshots/{id}": ["snapshot"],
    "/os-cloudpipe/{id}": ["vpn"],
    "/os-baremetal-nodes/{id}": ["node"],
    "/os-baremetal-nodes/{id}/action": ["node"],
    "/os-cells/{id}": ["cell"],
    "/os-cells/{id}/capacities": ["cell"],
}
# The same for everybody: what the program can do, and the certificate that signs for the caller.
OPEN_TO_ALL = {"/extensions/{id}", "/os-certificates/{id}"}
# Routes whose path names what is done, not what it is done to.
VERBS = {
    ("PUT", "/os-services/{id}", "2.1-2.52"): "verb",
    ("PUT", "/os-floating-ips-bulk/{id}", "2.1-2.35"): "bulk verb",
}
# Kinds that a project or a user owns; those of the others are the cloud's.
OWNED = {
    "server",
    "keypair",
    "group",
    "flavor",
    "image",
    "network",
    "project",
    "security group",
    "security rule",
    "floating address",
    "fixed address",
    "domain",
}
# Owned, but made for their owners by administrators, who alone change them.
GIVEN = {"flavor"}
# Kinds that whoever writes them names.
KEYS = {"metadata", "tag", "spec", "property", "entry"}
# No such objects exist, because the service behind them is missing.
MISSING = {
    "volume",
    "snapshot",
    "node",
    "share",
    "vpn",
    "cell",
    "migration",
    "pooled console",
}

# In bodies: the key that the path names, and the floating address of the one who asks.
CHILD, ADDRESS = "CHILD", "ADDRESS"

GOOD_BODIES = {
    "PUT /servers/{id}": {"server": {"name": "x"}},
    "PUT /os-volumes_boot/{id}": {"server": {"name": "x"}},
    "POST /servers/{server_id}/os-interface": {},
    "PUT /servers/{server_id}/metadata/{id}": {"meta": {CHILD: "w"}},
    "PUT /flavors/{flavor_id}/os-extra_specs/{id}": {CHILD: "w"},
    "PUT /images/{image_id}/metadata/{id}": {"meta": {CHILD: "w"}},
    "PUT /os-floating-ip-dns/{id}": {"domain_entry": {"scope": "public"}},
    "PUT /os-services/{id} 2.53-": {"status": "enabled"},
    "rebuild": {"imageRef": IMAGE_ID},
    "rescue": None,
    "resize": {"flavorRef": "2"},
    "createBackup": {"name": "x", "backup_type": "daily", "rotation": 1},
    "changePassword": {"adminPass": "x"},
    "unshelve": None,
    "addTenantAccess": {"tenant": "d" * 32},
    "removeTenantAccess": {"tenant": OTHER_PROJECT},
    "add_host": {"host": "host1"},
    "remove_host": {"host": "nothing"},
    "addSecurityGroup": {"name": "default"},
    "removeSecurityGroup": {"name": "default"},
    "addFixedIp": {"networkId": UNKNOWN["network"]},
    "removeFixedIp": {"address": UNKNOWN["fixed address"]},
    "addFloatingIp": {"address": ADDRESS},
    "removeFloatingIp": {"address": ADDRESS},
}


def _routes():
    return [route for resource in app.RESOURCES for route in resource.routes]


def _name(route):
    return " ".join(filter(None, (route.method, route.path, route.action, str(route.versions))))


ROUTES = [route for route in _routes() if "{" in route.path and route.path not in OPEN_TO_ALL]


def _kinds(route):
    verb = VERBS.get((route.method, route.path, str(route.versions)))
    return [verb] if verb else PLACES[route.path]


def _versions(route):
    last = min(route.versions.until or MAXIMUM, MAXIMUM)
    return sorted({max(route.versions.since, MINIMUM), last} | {LEGACY} & {route.versions.since})


def _body(rest, route, version, words):
    meant = {CHILD: words[-1], ADDRESS: FLOATING.get(rest.user)}
    if route.body is None:
        return None
    place = f"{route.method} {route.path}"
    for name in (place, f"{place} {route.versions}"):
        if name in GOOD_BODIES:
            return _filled(GOOD_BODIES[name], meant)
    if route.action in GOOD_BODIES:
        return {route.action: _filled(GOOD_BODIES[route.action], meant)}
    return sample(route.body.at(version))


def _filled(value, meant):
    if isinstance(value, dict):
        return {meant.get(key, key): _filled(part, meant) for key, part in value.items()}
    return meant.get(value, value) if isinstance(value, str) else value


def _ask(rest, route, version, words):
    """Return the answer to a request with these words in the variable parts of its path."""
    rest_of_words = iter(words)
    path = re.sub(r"{\w+}", lambda found: next(rest_of_words), route.path)
    body = _body(rest, route, version, words)
    if version == LEGACY:
        return rest.request(route.method, f"//v2{path}", body)
    return rest.at(str(version)).request(route.method, path, body)


@pytest.fixture(scope="module")
def site():
    """Return one cloud for all cases, because none of them changes anything."""
    with pytest.MonkeyPatch.context() as patch:
        made = TwoTenants(hold_time(patch))
        yield made
        made.cloud.close()


def _compare(site, rest, route, version, theirs, nobodys):
    """Ask for two objects; both answers must tell the same and cost the same."""
    before = site.content()
    _ask(rest, route, version, nobodys)  # Whatever is kept from now on is kept for both.
    site.cost()
    found = []
    for words in (theirs, nobodys):
        answer = _ask(rest, route, version, words)
        found.append((told(answer, words), site.cost()))
    assert found[0] == found[1]
    assert site.content() == before
    return found[0][0]


def _theirs(site, kinds):
    return [{**site.shared, **site.bob.ids}[kind] for kind in kinds]


def _nobodys(kinds):
    return [UNKNOWN[kind] for kind in kinds]


def _rule_check(route):
    return app.default_rules().get(route.rule)


def test_az_02_every_route_says_what_it_names():
    known = {*PLACES, *OPEN_TO_ALL}
    assert {route.path for route in _routes() if "{" in route.path} == known


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_az_02_somebody_elses_is_like_nobodys(site, route):
    kinds = _kinds(route)
    for version in _versions(route):
        status, text, _headers = _compare(
            site, site.alice.rest, route, version, _theirs(site, kinds), _nobodys(kinds)
        )
        if _rule_check(route) in (ADMIN, MANAGER, SERVICE):
            assert status == 403
            assert route.rule in text
        elif kinds[0] in OWNED - {"project"}:
            assert status == 404
        elif kinds[0] == "project":
            assert status == (200 if route.path.endswith("/defaults") else 403)


def _owned_routes():
    """Return the routes of what a project owns, but those that change what it was given."""
    owned = [route for route in ROUTES if _kinds(route)[0] in OWNED - {"project"}]
    return [r for r in owned if _kinds(r)[0] not in GIVEN or _rule_check(r) != ADMIN]


@pytest.mark.parametrize("route", _owned_routes(), ids=_name)
def test_az_02_a_rule_that_is_opened_to_members_opens_no_other_project(site, route):
    kinds = _kinds(route)
    opened = {name: _opened(check) for name, check in app.default_rules().items()}
    rest = site.with_policy(opened)
    for version in _versions(route):
        status, text, _headers = _compare(
            site, rest, route, version, _theirs(site, kinds), _nobodys(kinds)
        )
        # Whoever makes a domain names it: one that is not there can not be told from others'.
        makes = (route.method, kinds) == ("PUT", ["domain"])
        assert status == (403 if makes else 404), text


def _opened(check):
    return MEMBER if check in (ADMIN, MANAGER, READER) else check


@pytest.mark.parametrize("route", [r for r in ROUTES if len(_kinds(r)) == 2], ids=_name)
def test_az_03_a_foreign_child_of_ones_own_parent_is_like_nobodys(site, route):
    parent, child = _kinds(route)
    mine = site.alice.ids[parent]
    opened = {name: _opened(check) for name, check in app.default_rules().items()}
    # Keys and values of one's own are for oneself to write, whoever else has them too.
    writes = route.method == "PUT" and child in KEYS
    for version in _versions(route):
        for rest in (site.alice.rest, site.with_policy(opened)):
            words = [mine, site.bob.ids[child]], [mine, UNKNOWN[child]]
            if writes or child == "label":
                continue
            status, text, _headers = _compare(site, rest, route, version, *words)
            assert status in (403, 404, 409), text


@pytest.fixture
def restored(site):
    yield site
    site.restore()
    site.cloud.bus.calls.clear()


@pytest.mark.parametrize("route", [r for r in ROUTES if not MISSING & {*_kinds(r)}], ids=_name)
def test_what_the_matrix_asks_for_is_there_for_its_owner(restored, route):
    kinds = _kinds(route)
    version = _versions(route)[-1]
    owned = _rule_check(route) in (MEMBER, READER, OWNER, None)
    rest = restored.bob.rest if owned else restored.admin
    theirs, nobodys = _theirs(restored, kinds), _nobodys(kinds)
    answer = _ask(rest, route, version, theirs)
    if answer.status_int not in route.ok:
        other = _ask(rest, route, version, nobodys)
        assert told(answer, theirs) != told(other, nobodys)
