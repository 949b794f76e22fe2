"""os-assisted-volume-snapshots: no server uses a volume."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.fixtures.rest_site import RestSite

PATH = "/os-assisted-volume-snapshots"
INFO = {"snapshot_id": "s", "type": "qcow2", "new_file": "f"}
WRONG = quote('{"volume_id": 5}')
RIGHT = quote('{"volume_id": "v"}')
BODY = {"snapshot": {"volume_id": "v", "create_info": INFO}}


def test_a_volume_that_no_server_uses_has_no_snapshots(cloud: RestSite) -> None:
    answer = cloud.admin.post(PATH, BODY)
    assert answer.status_int == 400
    assert "No server uses the volume v" in answer.json["badRequest"]["message"]


@pytest.mark.parametrize(
    "info",
    [{**INFO, "type": "raw"}, {"type": "qcow2"}, {**INFO, "odd": 1}, None, {**INFO, "id": ""}],
)
def test_in_04_bad_bodies_are_refused(cloud: RestSite, info: Any) -> None:
    answer = cloud.admin.post(PATH, {"snapshot": {"volume_id": "v", "create_info": info}})
    assert answer.status_int == 400
    assert "No server" not in answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?delete_info=", 400),
        ("?delete_info=x", 400),
        ("?delete_info=[]", 400),
        ("?delete_info={}", 400),
        (f"?delete_info={WRONG}", 400),
        (f"?delete_info={RIGHT}", 404),
    ],
)
def test_deletion_needs_to_know_the_volume(cloud: RestSite, query: str, status: int) -> None:
    assert cloud.admin.delete(f"{PATH}/s{query}").status_int == status


def test_az_07_snapshots_are_for_services(cloud: RestSite) -> None:
    assert cloud.rest.post(PATH, BODY).status_int == 403
    assert cloud.rest.delete(f"{PATH}/s").status_int == 403


def test_unknown_parameters_are_refused_from_2_75(cloud: RestSite) -> None:
    query = f"?odd=1&delete_info={RIGHT}"
    assert cloud.admin.at("2.74").delete(f"{PATH}/s{query}").status_int == 404
    assert cloud.admin.at("2.75").delete(f"{PATH}/s{query}").status_int == 400
