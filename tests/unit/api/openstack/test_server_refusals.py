"""Create requests that are refused, and the sentence that says why; over the real conductor."""

import base64
import itertools
import uuid

import pytest

from nova.context import get_admin_context
from nova.objects.image import Image
from tests.fixtures.conductor import seed_flavor, seed_network
from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.rest_site import IMAGE_ID, RestSite

NONE = "99999999-2222-4333-8444-555555555555"
BIG = "22222222-2222-3333-4444-555555555555"


def _create(cloud: RestSite, version: str = "2.90", admin: bool = False, **server: object):
    body = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "auto", **server}
    if version < "2.37" and "networks" not in server:
        del body["networks"]
    body = {name: value for name, value in body.items() if value is not ...}
    rest = cloud.admin if admin else cloud.rest
    return rest.at(version).post("/servers", {"server": body})


def _text(length: int) -> str:
    return base64.b64encode(bytes(length)).decode()


@pytest.mark.parametrize(
    ("version", "server", "status", "words"),
    [
        # Images and flavors
        ("2.90", {"imageRef": ""}, 400, "image is needed"),
        ("2.90", {"imageRef": ...}, 400, "image is needed"),
        ("2.90", {"imageRef": NONE}, 400, NONE),
        ("2.90", {"imageRef": "cirros"}, 400, "imageRef"),
        ("2.90", {"imageRef": BIG}, 400, "too small"),
        ("2.90", {"flavorRef": "none"}, 400, "Flavor none"),
        ("2.90", {"flavorRef": "small"}, 400, "Flavor small"),
        ("2.90", {"flavorRef": ""}, 400, "flavorRef"),
        ("2.90", {"flavorRef": ...}, 400, "flavorRef"),
        ("2.90", {"flavorRef": "private"}, 400, "Flavor private"),
        # Keys, names, texts
        ("2.90", {"key_name": "none"}, 400, "Keypair none"),
        ("2.90", {"name": ...}, 400, "name"),
        ("2.90", {"name": ""}, 400, "at least 1"),
        ("2.90", {"name": " web"}, 400, "name"),
        ("2.90", {"name": "x" * 256}, 400, "at most 255"),
        ("2.90", {"name": "a\tb"}, 400, "name"),
        ("2.90", {"name": "\U0001f600"}, 400, "name"),
        ("2.90", {"description": "x" * 256}, 400, "at most 255"),
        ("2.90", {"description": "a\nb"}, 400, "printable"),
        ("2.90", {"hostname": "a.b"}, 400, "hostname"),
        ("2.90", {"hostname": "a"}, 400, "hostname"),
        ("2.94", {"hostname": "a b"}, 400, "hostname"),
        ("2.90", {"hostname": "inner", "max_count": 2}, 400, "hostname"),
        ("2.90", {"user_data": "no base64!"}, 400, "user_data"),
        ("2.90", {"user_data": _text(49152)}, 400, "at most 65535"),
        ("2.90", {"user_data": None}, 400, "user_data"),
        # Networks
        ("2.90", {"networks": [{"uuid": NONE}]}, 400, NONE),
        ("2.90", {"networks": [{"uuid": "private"}]}, 400, "uuid"),
        ("2.36", {"networks": [{"uuid": "private"}]}, 400, "private"),
        ("2.90", {"networks": [{}]}, 400, "uuid"),
        ("2.90", {"networks": "some"}, 400, "networks"),
        ("2.90", {"networks": [{"port": NONE}]}, 400, "Port"),
        ("2.90", {"networks": ...}, 400, "networks"),
        # Counts
        ("2.90", {"min_count": 2, "max_count": 1}, 400, "min_count"),
        ("2.90", {"min_count": 0}, 400, "at least 1"),
        ("2.90", {"max_count": "0"}, 400, "max_count"),
        ("2.90", {"min_count": "x"}, 400, "min_count"),
        # Placement
        ("2.90", {"availability_zone": "nova:host1"}, 403, "forced_host"),
        ("2.90", {"availability_zone": "a:b:c:d"}, 400, "zone:host:node"),
        ("2.90", {"availability_zone": ""}, 400, "availability_zone"),
        ("2.90", {"host": "host1"}, 403, "requested_destination"),
        # Limits
        ("2.90", {"tags": [f"t{number}" for number in range(51)]}, 400, "at most 50"),
        ("2.90", {"tags": ["x" * 61]}, 400, "at most 60"),
        ("2.90", {"tags": ["a/b"]}, 400, "tags"),
        ("2.90", {"tags": ["a,b"]}, 400, "tags"),
        ("2.90", {"metadata": {f"k{number}": "" for number in range(129)}}, 403, "128"),
        ("2.90", {"metadata": {"x" * 256: "v"}}, 400, "metadata"),
        ("2.90", {"metadata": {"k": "x" * 256}}, 400, "at most 255"),
        ("2.90", {"metadata": {"k": 1}}, 400, "string"),
        ("2.90", {"metadata": {"a/b": "v"}}, 400, "metadata"),
        ("2.56", {"personality": [{"path": f"/{n}", "contents": ""} for n in range(6)]}, 403, ""),
        ("2.56", {"personality": [{"path": "/a", "contents": _text(10241)}]}, 403, ""),
        ("2.56", {"personality": [{"path": "/" + "a" * 255, "contents": ""}]}, 403, ""),
        ("2.56", {"personality": [{"path": "/" + "ü" * 128, "contents": ""}]}, 403, ""),
        ("2.56", {"personality": [{"path": "/a", "contents": "no base64!"}]}, 400, ""),
        ("2.56", {"personality": [{"path": "/a"}]}, 400, ""),
        ("2.90", {"min_count": 11}, 403, "Quota exceeded for instances"),
        ("2.90", {"flavorRef": "large"}, 403, "Quota exceeded for cores, ram"),
        # Other
        ("2.90", {"security_groups": [{"name": ""}]}, 400, "name"),
        ("2.90", {"accessIPv4": "::1"}, 400, "accessIPv4"),
        ("2.90", {"accessIPv6": "192.0.2.1"}, 400, "accessIPv6"),
        ("2.90", {"config_drive": "maybe"}, 400, "config_drive"),
        ("2.90", {"OS-DCF:diskConfig": "auto"}, 400, "diskConfig"),
        ("2.90", {"adminPass": 1}, 400, "adminPass"),
        ("2.90", {"trusted_image_certificates": []}, 400, "certificates"),
        ("2.90", {"odd": 1}, 400, "odd"),
    ],
)
def test_refusal(
    cloud: RestSite, version: str, server: dict[str, object], status: int, words: str
) -> None:
    seed_flavor(cloud.conductor, flavorid="private", name="private", is_public=False)
    seed_flavor(cloud.conductor, flavorid="large", name="large", vcpus=21, memory_mb=51201)
    cloud.images.add(Image(id=BIG, name="big", visibility="public", min_disk_gb=50), b"x")
    answer = _create(cloud, version, **server)
    assert answer.status_int == status, answer.text
    assert words in answer.text
    assert cloud.rest.get("/servers").json == {"servers": []}
    usage = cloud.rest.get("/limits").json["limits"]["absolute"]
    assert (usage["totalInstancesUsed"], usage["totalRAMUsed"]) == (0, 0)


def test_names_have_up_to_255_characters_of_the_first_plane(cloud: RestSite) -> None:
    for name in ("x" * 255, "Sërvér 名前", "a\u00a0b", "a\u3000b", "'\"<>;--"):
        uuid_ = _create(cloud, name=name).json["server"]["id"]
        assert cloud.rest.get(f"/servers/{uuid_}").json["server"]["name"] == name


def test_limits_may_be_reached(cloud: RestSite) -> None:
    server = {
        "tags": [f"t{number}" for number in range(50)],
        "metadata": {f"k{number}": "x" * 255 for number in range(128)},
        "user_data": _text(49149),
    }
    assert _create(cloud, "2.90", **server).status_int == 202
    files = [{"path": "/" + "a" * 254, "contents": _text(10240)}] * 5
    assert _create(cloud, "2.56", personality=files).status_int == 202


def test_in_09_a_request_for_several_gets_what_fits(cloud: RestSite) -> None:
    answer = _create(cloud, min_count=2, max_count=50)
    assert answer.status_int == 202
    assert len(cloud.rest.get("/servers").json["servers"]) == 10
    answer = _create(cloud)
    assert answer.json["forbidden"]["message"] == (
        "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"
    )


def test_fixed_addresses(cloud: RestSite) -> None:
    network = cloud.site.network.uuid

    def ask(address: str, **more: object) -> int:
        wish = [{"uuid": network, "fixed_ip": address}]
        return int(_create(cloud, networks=wish, **more).status_int)

    assert ask("10.0.0.50", max_count=2) == 400
    assert ask("10.9.0.1") == 400
    assert ask("10.0.0.50") == 202
    cloud.bus.run_until_idle()
    assert ask("10.0.0.50") == 409
    assert ask("10.0.0.0") == 409
    assert ask("nonsense") == 400


def test_the_same_address_twice_is_refused(cloud: RestSite) -> None:
    wish = {"uuid": cloud.site.network.uuid, "fixed_ip": "10.0.0.77"}
    assert _create(cloud, networks=[wish, wish]).status_int == 400
    assert _create(cloud, networks=[wish, {"uuid": wish["uuid"]}]).status_int == 202


def test_az_06_networks_keys_and_images_of_others_do_not_exist(cloud: RestSite) -> None:
    theirs = seed_network(
        cloud.conductor, label="theirs", cidr="10.1.0.0/24", project_id=OTHER_PROJECT
    )
    bob = cloud.rest.as_user("bob", OTHER_PROJECT)
    bob.post("/os-keypairs", {"keypair": {"name": "bobs"}})
    cloud.images.add(Image(id=BIG, name="x", owner=OTHER_PROJECT, visibility="private"), b"x")
    for server in (
        {"networks": [{"uuid": theirs.uuid}]},
        {"key_name": "bobs"},
        {"imageRef": BIG},
    ):
        foreign = _create(cloud, **server)
        assert foreign.status_int == 400
        text = foreign.text.replace(theirs.uuid, NONE).replace("bobs", "none").replace(BIG, NONE)
        unknown = {
            "networks": [{"uuid": NONE}],
            "key_name": "none",
            "imageRef": NONE,
        }
        (name,) = server
        assert text == _create(cloud, **{name: unknown[name]}).text


def test_administrators_may_name_the_host(cloud: RestSite) -> None:
    for server in (
        {"availability_zone": "nova:host2"},
        {"availability_zone": ":host2"},
        {"availability_zone": "nova:host2:host2.example"},
        {"host": "host2"},
        {"hypervisor_hostname": "host2.example"},
    ):
        assert _create(cloud, admin=True, **server).status_int == 202
    answer = _create(cloud, admin=True, availability_zone="nova:host2", host="host2")
    assert answer.status_int == 400


def test_networks_empty_or_left_out_are_those_of_the_project(cloud: RestSite) -> None:
    for version, networks in itertools.product(("2.1", "2.36"), (..., [])):
        server = {} if networks is ... else {"networks": networks}
        assert _create(cloud, version, **server).status_int == 202
    assert _create(cloud, "2.37", networks=[]).status_int == 202


def test_no_network_at_all_is_refused(cloud: RestSite) -> None:
    cloud.conductor.networks.delete(get_admin_context(), cloud.site.network.uuid)
    answer = _create(cloud, networks=[{"uuid": cloud.site.network.uuid}])
    assert answer.status_int == 400
    assert _create(cloud, networks="none").status_int == 202


def test_a_marker_of_a_deleted_server_is_unknown(cloud: RestSite) -> None:
    server = cloud.boot()
    cloud.clock.advance(100)
    assert cloud.rest.delete(f"/servers/{server}").status_int == 204
    cloud.bus.run_until_idle()
    for marker in (server, str(uuid.uuid4())):
        answer = cloud.rest.get(f"/servers?marker={marker}")
        assert answer.status_int == 400
        assert answer.json["badRequest"]["message"] == f"Marker {marker} could not be found."
    path = "/servers?changes-since=2000-01-01T00:00:00Z"
    assert cloud.rest.get(f"{path}&marker={server}").json == {"servers": []}


def test_servers_are_found_by_the_times_that_they_show(cloud: RestSite) -> None:
    cloud.clock.advance(0.25)
    uuid_ = cloud.boot()
    shown = cloud.rest.get(f"/servers/{uuid_}").json["server"]
    rest = cloud.rest.at("2.83")
    for query in (
        f"created_at={shown['created']}",
        f"created_at={shown['created'][:10]}",
        f"launched_at=^{shown['OS-SRV-USG:launched_at']}",
    ):
        found = rest.get(f"/servers?{query}").json["servers"]
        assert [server["id"] for server in found] == [uuid_], query
    assert rest.get("/servers?created_at=^1999").json["servers"] == []
    assert rest.get("/servers?terminated_at=20").json["servers"] == []


def test_deleted_servers_in_lists(cloud: RestSite) -> None:
    alive, gone = cloud.boot(name="alive"), cloud.boot(name="gone")
    cloud.clock.advance(100)
    assert cloud.rest.delete(f"/servers/{gone}").status_int == 204
    cloud.bus.run_until_idle()

    def ids(rest, query: str) -> set[str]:
        answer = rest.at("2.96").get(f"/servers/detail?{query}")
        assert answer.status_int == 200, answer.text
        return {server["id"] for server in answer.json["servers"]}

    since = "changes-since=2000-01-01T00:00:00Z"
    assert ids(cloud.rest, since) == {alive, gone}
    assert ids(cloud.rest, f"{since}&name=gone") == {gone}
    later = cloud.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids(cloud.rest, f"changes-since={later}") == {gone}
    assert ids(cloud.rest, "changes-before=2000-01-01T00:00:00Z") == set()
    assert ids(cloud.admin, f"all_tenants=1&project_id={PROJECT}&deleted=True") == {gone}
    assert ids(cloud.admin, "all_tenants=1&deleted=False") == {alive}
    assert ids(cloud.admin, "all_tenants=1&status=deleted") == {gone}
    assert ids(cloud.rest, "deleted=True") == {alive}
    assert cloud.rest.get("/servers?status=deleted").status_int == 403
    (found,) = cloud.rest.get(f"/servers/detail?{since}&name=gone").json["servers"]
    assert (found["status"], found["OS-EXT-STS:vm_state"]) == ("DELETED", "deleted")
    assert found["OS-SRV-USG:terminated_at"] is not None and found["addresses"] == {}
