"""Flavors, their extra specs and access lists."""

import pytest

from nova.context import get_admin_context
from nova.exception import (
    FlavorAccessExists,
    FlavorAccessNotFound,
    FlavorDiskTooSmall,
    FlavorExists,
    FlavorExtraSpecNotFound,
    FlavorHasNoAccessList,
    FlavorIsPublic,
    FlavorMemoryTooSmall,
    FlavorNotFound,
    InvalidSortKey,
    KeypairNotFound,
    MarkerNotFound,
)
from nova.objects.flavor import FlavorChange, FlavorQuery
from tests.fixtures.conductor import make_conductor, make_site, seed_flavor

ADMIN = get_admin_context()


@pytest.fixture
def conductor():
    return make_conductor()


def test_flavors_are_paged_in_order_with_their_specs(conductor):
    for number in range(4):
        seed_flavor(conductor, flavorid=str(number), name=f"f{number}", memory_mb=900 - number)
    conductor.flavors.set_extra_specs(ADMIN, "2", {"b": "1", "a": "2"})
    first = conductor.flavors.page(ADMIN, FlavorQuery(limit=2))
    assert [flavor.flavorid for flavor in first] == ["0", "1"]
    second = conductor.flavors.page(ADMIN, FlavorQuery(marker="1"))
    assert second[0].extra_specs == {"a": "2", "b": "1"}
    query = FlavorQuery(sort_key="memory_mb", sort_dir="desc", min_ram_mb=898, marker="0")
    assert [flavor.flavorid for flavor in conductor.flavors.page(ADMIN, query)] == ["1", "2"]
    with pytest.raises(MarkerNotFound):
        conductor.flavors.page(ADMIN, FlavorQuery(marker="x"))
    with pytest.raises(InvalidSortKey):
        conductor.flavors.page(ADMIN, FlavorQuery(sort_key="password"))


def test_names_and_ids_are_taken_once(conductor):
    seed_flavor(conductor)
    with pytest.raises(FlavorExists):
        seed_flavor(conductor, flavorid="2")
    with pytest.raises(FlavorExists):
        seed_flavor(conductor, name="other")
    conductor.flavors.delete(ADMIN, "1")
    assert seed_flavor(conductor).name == "small"


def test_private_flavors_are_for_those_with_access(conductor):
    seed_flavor(conductor, is_public=False)
    with pytest.raises(FlavorNotFound):
        conductor.flavors.get(ADMIN, "1", "p")
    assert conductor.flavors.add_access(ADMIN, "1", "p") == ("p",)
    with pytest.raises(FlavorAccessExists):
        conductor.flavors.add_access(ADMIN, "1", "p")
    assert conductor.flavors.get(ADMIN, "1", "p").flavorid == "1"
    both = FlavorQuery(is_public=None, project_id="p")
    assert len(conductor.flavors.page(ADMIN, both)) == 1
    assert conductor.flavors.remove_access(ADMIN, "1", "p") == ()
    with pytest.raises(FlavorAccessNotFound):
        conductor.flavors.remove_access(ADMIN, "1", "p")
    assert conductor.flavors.page(ADMIN, both) == ()
    seed_flavor(conductor, flavorid="2", name="public")
    with pytest.raises(FlavorHasNoAccessList):
        conductor.flavors.list_access(ADMIN, "2")
    with pytest.raises(FlavorIsPublic):
        conductor.flavors.add_access(ADMIN, "2", "p")
    assert conductor.flavors.add_access(ADMIN, "2", "p", public_too=True) == ("p",)


def test_specs_and_descriptions_change(conductor):
    seed_flavor(conductor)
    conductor.flavors.set_extra_specs(ADMIN, "1", {"a": "1"})
    conductor.flavors.set_extra_specs(ADMIN, "1", {"a": "2"})
    conductor.flavors.update(ADMIN, "1", FlavorChange(description="text"))
    flavor = conductor.flavors.get(ADMIN, "1")
    assert (flavor.extra_specs, flavor.description) == ({"a": "2"}, "text")
    conductor.flavors.delete_extra_spec(ADMIN, "1", "a")
    with pytest.raises(FlavorExtraSpecNotFound):
        conductor.flavors.delete_extra_spec(ADMIN, "1", "a")


def test_servers_need_a_fitting_flavor_and_an_existing_key():
    conductor = make_site().conductor
    with pytest.raises(FlavorNotFound):
        conductor.create(flavorid="x")
    with pytest.raises(FlavorMemoryTooSmall):
        conductor.create(image_min_ram_mb=513)
    with pytest.raises(FlavorDiskTooSmall):
        conductor.create(image_min_disk_gb=3)
    with pytest.raises(FlavorDiskTooSmall):
        conductor.create(image_size_bytes=2 * 1024**3 + 1)
    with pytest.raises(KeypairNotFound):
        conductor.create(key_name="none")
    seed_flavor(conductor, flavorid="p", name="private", is_public=False)
    with pytest.raises(FlavorNotFound):
        conductor.create(flavorid="p")
