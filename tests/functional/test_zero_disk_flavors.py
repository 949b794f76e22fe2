"""Flavors without a disk: the image alone would say how much of a host's disk a server takes."""

import dataclasses

import pytest

from nova.api.openstack.app import default_rules
from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.context import get_admin_context
from nova.objects.flavor import NewFlavor
from nova.policy import MEMBER, Policy
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import empty_conf, make_rest_app

BODY = {"server": {"name": "new", "flavorRef": "zero", "imageRef": IMAGE_ID, "networks": "auto"}}
RULE = "os_compute_api:servers:create:zero_disk_flavor"


@pytest.fixture
def zero(cloud):
    """Return a cloud with a public flavor without disk."""
    flavor = NewFlavor(flavorid="zero", name="zero", memory_mb=64, vcpus=1, root_gb=0)
    cloud.bus.client(ConductorFlavors).anyone().create(get_admin_context(), flavor)
    return cloud


def test_in_12_members_need_a_volume_for_a_flavor_without_disk(zero):
    answer = zero.rest.at("2.90").post("/servers", BODY)
    assert answer.status_int == 403
    assert "boot from a volume" in answer.text
    assert zero.rest.get("/servers").json == {"servers": []}
    zero.assert_nothing_left()


def test_in_12_administrators_may_by_default(zero):
    answer = zero.rest.as_admin().at("2.90").post("/servers", BODY)
    assert answer.status_int == 202, answer.text


def test_in_12_the_rule_is_the_operators_to_open(zero):
    policy = Policy(empty_conf(), {**default_rules(), RULE: MEMBER})
    rest = dataclasses.replace(zero.rest, app=make_rest_app(zero.bus, zero.images, policy=policy))
    answer = rest.at("2.90").post("/servers", BODY)
    assert answer.status_int == 202, answer.text


def test_in_12_nobody_resizes_to_a_flavor_without_disk(zero):
    server = zero.boot("tiny")
    body = {"resize": {"flavorRef": "zero"}}
    answer = zero.rest.post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 400
    assert "zero disk" in answer.text
