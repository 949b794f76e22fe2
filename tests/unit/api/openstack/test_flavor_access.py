"""Access to private flavors over the real conductor."""

import pytest

from tests.fixtures.conductor import seed_flavor
from tests.fixtures.rest import PROJECT
from tests.fixtures.rest_site import RestSite

ADD = {"addTenantAccess": {"tenant": PROJECT}}
REMOVE = {"removeTenantAccess": {"tenant": PROJECT}}


@pytest.fixture
def private(cloud: RestSite) -> RestSite:
    seed_flavor(cloud.conductor, flavorid="p", name="private", is_public=False)
    return cloud


def test_access_comes_and_goes(private: RestSite) -> None:
    path = "/flavors/p/os-flavor-access"
    assert private.admin.get(path).json == {"flavor_access": []}
    entry = {"flavor_access": [{"flavor_id": "p", "tenant_id": PROJECT}]}
    answer = private.admin.post("/flavors/p/action", ADD)
    assert (answer.status_int, answer.json) == (200, entry)
    assert private.admin.get(path).json == entry
    assert private.admin.post("/flavors/p/action", ADD).status_int == 409
    answer = private.admin.post("/flavors/p/action", REMOVE)
    assert (answer.status_int, answer.json) == (200, {"flavor_access": []})
    assert private.admin.post("/flavors/p/action", REMOVE).status_int == 404


def test_the_creator_of_a_private_flavor_has_no_access(cloud: RestSite) -> None:
    body = {"name": "x", "id": "x", "ram": 1, "vcpus": 1, "disk": 1}
    cloud.admin.post("/flavors", {"flavor": {**body, "os-flavor-access:is_public": "no"}})
    assert cloud.admin.get("/flavors/x/os-flavor-access").json == {"flavor_access": []}


def test_a_public_flavor_has_no_list(cloud: RestSite) -> None:
    assert cloud.admin.get("/flavors/1/os-flavor-access").status_int == 404


def test_a_public_flavor_takes_no_entries_from_2_7(cloud: RestSite) -> None:
    assert cloud.admin.at("2.6").post("/flavors/1/action", ADD).status_int == 200
    assert cloud.admin.at("2.7").post("/flavors/1/action", ADD).status_int == 409
    assert cloud.admin.post("/flavors/1/action", REMOVE).status_int == 200
    assert cloud.admin.post("/flavors/1/action", REMOVE).status_int == 404


def test_unknown_flavors_are_404(cloud: RestSite) -> None:
    assert cloud.admin.get("/flavors/none/os-flavor-access").status_int == 404
    assert cloud.admin.post("/flavors/none/action", ADD).status_int == 404
    assert cloud.admin.post("/flavors/none/action", REMOVE).status_int == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"addTenantAccess": {}},
        {"addTenantAccess": {"tenant": ""}},
        {"addTenantAccess": {"tenant": "x", "y": 1}},
        {"addTenantAccess": None},
        {"addTenantAccess": {"tenant": "x"}, "removeTenantAccess": {"tenant": "x"}},
        {"grant": {"tenant": "x"}},
    ],
)
def test_in_04_bad_bodies_are_400(private: RestSite, body: object) -> None:
    assert private.admin.post("/flavors/p/action", body).status_int == 400


def test_az_07_all_of_it_is_for_administrators(private: RestSite) -> None:
    assert private.rest.get("/flavors/p/os-flavor-access").status_int == 403
    assert private.rest.post("/flavors/p/action", ADD).status_int == 403
    assert private.rest.post("/flavors/p/action", REMOVE).status_int == 403
