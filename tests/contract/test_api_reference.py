"""The reference of the Compute API in doc/api is up to date.

To write it anew: tox -e docs
"""

import pathlib

import pytest

from nova.api.openstack.app import RESOURCES
from nova.api_reference import main, read_samples, reference, sample_name

FOLDER = pathlib.Path(__file__).parents[2] / "doc" / "api"
ROUTES = [route for resource in RESOURCES for route in resource.routes]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return reference(read_samples(FOLDER / "samples"))


def test_reference_is_up_to_date(files: dict[str, str]) -> None:
    present = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert present == set(files)
    for name, text in files.items():
        assert (FOLDER / name).read_text() == text, f"{name} differs; write it anew (see above)"


def test_every_sample_belongs_to_a_route() -> None:
    names = {sample_name(route) for route in ROUTES}
    assert set(read_samples(FOLDER / "samples")) <= names


def test_names_of_samples_are_unique() -> None:
    assert len({sample_name(route) for route in ROUTES}) == len(ROUTES)


def test_a_page_that_has_no_routes_any_more_is_removed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "gone.md").write_text("old")
    main(tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "servers.md").exists()
