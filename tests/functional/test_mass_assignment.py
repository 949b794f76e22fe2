"""IN-04: no body may hold a key that its schema does not know, at any depth, on any route."""

import pytest

from nova.api.openstack import app
from nova.api.openstack.versions import MAXIMUM, MINIMUM
from tests.fixtures.api_bodies import sample
from tests.fixtures.tenants import UNKNOWN

STRANGE = "is_admin\u00e9"
_HINTS = "free words, bounded in number and length"
_IGNORED = "read for known names only; the reference lets other keys be there"
# Objects that take any key, by route and place, and why that gives nothing to write to.
FREE = {
    **{
        f"POST {path} {key}{rest}": _HINTS
        for path in ("/servers", "/os-volumes_boot")
        for key in ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")
        for rest in ("", " query")
    },
    "POST /servers/{id}/action addSecurityGroup addSecurityGroup": _IGNORED,
    "POST /servers/{id}/action removeSecurityGroup removeSecurityGroup": _IGNORED,
    "POST /os-floating-ips": _IGNORED,
    "POST /os-certificates": _IGNORED,
    **{
        f"{route}{place}": _IGNORED
        for route, key in (
            ("POST /os-security-groups", "security_group"),
            ("PUT /os-security-groups/{id}", "security_group"),
            ("POST /os-security-group-rules", "security_group_rule"),
            ("POST /os-security-group-default-rules", "security_group_default_rule"),
        )
        for place in ("", f" {key}")
    },
    "PUT /flavors/{flavor_id}/os-extra_specs/{id}": "one key, checked as an extra spec",
    "POST /os-baremetal-nodes": "refused whatever it says",
    "POST /os-volumes volume metadata": "refused whatever it says",
}


def _routes():
    return [route for resource in app.RESOURCES for route in resource.routes if route.body]


def _name(route):
    return " ".join(filter(None, (route.method, route.path, route.action, str(route.versions))))


def _polluted(schema, value, path=()):
    """Give copies of a sample with one unknown key, one for each object that is in it."""
    kinds = schema.get("type")
    if "anyOf" in schema:
        schema = {**schema["anyOf"][0]}
        kinds = schema.get("type")
    if isinstance(value, dict) and "object" in (kinds, *(kinds if isinstance(kinds, list) else ())):
        if schema.get("additionalProperties") is False:
            yield path, {**value, STRANGE: 1}
        for key, part in value.items():
            inner = schema.get("properties", {}).get(key)
            if inner is not None:
                for found, changed in _polluted(inner, part, (*path, key)):
                    yield found, {**value, key: changed}
    if isinstance(value, list) and value:
        for found, changed in _polluted(schema["items"], value[0], (*path, 0)):
            yield found, [changed, *value[1:]]


def _loose(schema, path=()):
    """Give the places of objects that take any key."""
    for entry in schema.get("anyOf", ()):
        yield from _loose(entry, path)
    if schema.get("type") == "object" and schema.get("additionalProperties", True) is not False:
        yield path
    for key, part in schema.get("properties", {}).items():
        yield from _loose(part, (*path, key))
    if isinstance(schema.get("items"), dict):
        yield from _loose(schema["items"], path)


def _versions(route):
    last = min(route.versions.until or MAXIMUM, MAXIMUM)
    return sorted({max(route.versions.since, MINIMUM), last})


@pytest.mark.parametrize("route", _routes(), ids=_name)
def test_in_04_unknown_keys_are_400_at_every_depth(cloud, route):
    admin = cloud.rest.as_admin()
    path = route.path.replace("{server_id}", UNKNOWN["server"]).replace("{id}", UNKNOWN["server"])
    path = path.replace("{flavor_id}", "1").replace("{image_id}", UNKNOWN["image"])
    for version in _versions(route):
        schema = route.body.at(version)
        for place, body in _polluted(schema, sample(schema)):
            answer = admin.at(str(version)).request(route.method, path, body)
            assert answer.status_int == 400, (place, answer.text)


def test_in_04_objects_that_take_any_key_are_known():
    found = set()
    for route in _routes():
        for version in _versions(route):
            for place in _loose(route.body.at(version)):
                found.add(" ".join(filter(None, (route.method, route.path, route.action, *place))))
    assert found == set(FREE)
