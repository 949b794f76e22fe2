import base64
import json
import uuid

import pytest

from nova.api.core.boot import split_zone
from nova.exception import InvalidInput
from nova.objects.block_device import BlockDevice
from nova.objects.image import Image
from nova.objects.instance import NewServers
from nova.objects.network import NetworkMode, RequestedNetwork
from tests.fixtures.rest import OTHER_PROJECT, PROJECT, Rest
from tests.unit.api.openstack.conftest import IMAGE_ID, Api

NET = "99999999-2222-3333-4444-555555555555"
HINTS = "os:scheduler_hints"


def _body(**changes: object) -> dict[str, object]:
    return {"name": "web", "imageRef": IMAGE_ID, "flavorRef": "1", **changes}


def _status(rest: Rest, top: dict[str, object] | None = None, **changes: object) -> int:
    status: int = rest.post("/servers", {"server": _body(**changes), **(top or {})}).status_int
    return status


def _new(
    api: Api, version: str = "2.1", top: dict[str, object] | None = None, **changes: object
) -> NewServers:
    answer = api.rest.at(version).post("/servers", {"server": _body(**changes), **(top or {})})
    assert answer.status_int == 202, answer.text
    return api.instances.created[-1]


def test_the_answer(api: Api) -> None:
    answer = api.rest.post("/servers", {"server": _body()})
    assert answer.status_int == 202
    server = answer.json["server"]
    assert set(server) == {"id", "links", "OS-DCF:diskConfig", "adminPass", "security_groups"}
    assert answer.headers["Location"] == server["links"][0]["href"]
    assert server["links"][0]["href"].endswith(f"/v2.1/servers/{server['id']}")
    assert server["security_groups"] == [{"name": "default"}]
    assert len(server["adminPass"]) == 12
    assert api.instances.created[0].admin_password == server["adminPass"]


@pytest.mark.parametrize(
    ("property_value", "wish", "expected"),
    [
        ("mandatory", {}, True),
        ("mandatory", {"config_drive": False}, True),
        ("optional", {}, False),
        ("optional", {"config_drive": True}, True),
    ],
)
def test_image_that_needs_a_config_drive_gets_one(
    api: Api, property_value: str, wish: dict[str, object], expected: bool
) -> None:
    properties = {"img_config_drive": property_value}
    api.images.add(Image(id=NET, visibility="public", properties=properties), b"12345")
    assert _new(api, imageRef=NET, **wish).config_drive is expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, True),
        ({"auto_disk_config": "False"}, False),
        ({"hw_auto_disk_config": "no"}, False),
        ({"auto_disk_config": "0"}, False),
        ({"hw_auto_disk_config": "yes"}, True),
    ],
)
def test_image_says_how_disks_are_configured_under_both_names(
    api: Api, properties: dict[str, str], expected: bool
) -> None:
    api.images.add(Image(id=NET, visibility="public", properties=properties), b"12345")
    assert _new(api, imageRef=NET).auto_disk_config is expected


def test_what_the_conductor_gets(api: Api) -> None:
    api.images.add(
        Image(
            id=NET,
            visibility="public",
            min_ram_mb=128,
            min_disk_gb=2,
            properties={"kernel_id": "k", "hw_disk_bus": "scsi"},
        ),
        b"12345",
    )
    new = _new(
        api,
        "2.74",
        imageRef=NET,
        networks="auto",
        key_name="k1",
        user_data=base64.b64encode(b"#!").decode(),
        metadata={"a": "b"},
        config_drive="True",
        tags=["x", "y", "x"],
        description="hello",
        accessIPv4="192.0.2.1",
        availability_zone="east",
        security_groups=[{"name": "web"}, {"name": "db"}, {"name": "web"}],
        **{"OS-DCF:diskConfig": "MANUAL"},
    )
    assert (new.project_id, new.user_id, new.flavorid) == (PROJECT, "alice", "1")
    assert (new.image_ref, new.kernel_id, new.image_size_bytes) == (NET, "k", 5)
    assert (new.image_min_ram_mb, new.image_min_disk_gb) == (128, 2)
    assert new.image_properties["hw_disk_bus"] == "scsi"
    assert (new.key_name, new.user_data, new.metadata) == ("k1", "IyE=", {"a": "b"})
    assert (new.config_drive, new.tags, new.display_description) == (True, ("x", "y"), "hello")
    assert (new.access_ip_v4, new.availability_zone) == ("192.0.2.1", "east")
    assert (new.security_groups, new.auto_disk_config) == (("web", "db"), False)
    assert new.network_mode is NetworkMode.AUTO
    assert new.block_devices == (BlockDevice(source_type="image", boot_index=0, image_id=NET),)


def test_tokens_do_not_travel_to_the_conductor(api: Api) -> None:
    rest = Rest(api.app, user="secretuser", project=PROJECT)
    rest.post("/servers", {"server": _body()})
    assert "secretuser:" not in repr(api.instances.created)


def test_budget_one_conductor_call(api: Api) -> None:
    _new(api)
    assert [call.method for call in api.bus.calls] == ["create_servers"]


def test_description_is_the_name_before_2_19(api: Api) -> None:
    assert _new(api).display_description == "web"
    assert _new(api, "2.19").display_description is None


def test_a_password_may_be_given_or_hidden(api: Api) -> None:
    assert _new(api, adminPass="mine").admin_password == "mine"
    hidden = api.with_settings(enable_instance_password=False)
    assert "adminPass" not in hidden.post("/servers", {"server": _body()}).json["server"]


def test_any_text_is_a_password(api: Api) -> None:
    long = "\u00fc " * 200
    assert _new(api, adminPass=long).admin_password == long


def test_several_servers(api: Api) -> None:
    new = _new(api, min_count="2", max_count=3)
    assert (new.min_count, new.max_count) == (2, 3)
    assert (_new(api, min_count=2).max_count, _new(api, max_count=2).min_count) == (2, 1)
    assert _status(api.rest, min_count=3, max_count=2) == 400
    assert _status(api.rest, min_count=0) == 400
    assert _status(api.rest.at("2.90"), networks="none", max_count=2, hostname="h1") == 400
    assert _status(api.rest, max_count=2, networks=[{"uuid": NET, "fixed_ip": "10.0.0.5"}]) == 400


def test_reservation_id(api: Api) -> None:
    answer = api.rest.post("/servers", {"server": _body(return_reservation_id=True, min_count=2)})
    assert answer.status_int == 202
    assert answer.json == {"reservation_id": "r-12345678"}
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("version", "networks", "mode"),
    [
        ("2.1", None, NetworkMode.AUTO),
        ("2.36", [], NetworkMode.AUTO),
        ("2.37", "auto", NetworkMode.AUTO),
        ("2.37", "none", NetworkMode.NONE),
        ("2.37", [], NetworkMode.AUTO),
    ],
)
def test_network_modes(api: Api, version: str, networks: object, mode: NetworkMode) -> None:
    given = {} if networks is None else {"networks": networks}
    new = _new(api, version, **given)
    assert (new.network_mode, new.networks) == (mode, ())


def test_networks_by_uuid(api: Api) -> None:
    new = _new(api, "2.42", networks=[{"uuid": NET, "fixed_ip": "10.0.0.5", "tag": "nic"}])
    assert new.network_mode is NetworkMode.EXPLICIT
    assert new.networks == (RequestedNetwork(network_uuid=NET, fixed_ip="10.0.0.5", tag="nic"),)


def test_ports_and_one_network_twice(api: Api) -> None:
    new = _new(api, "2.42", networks=[{"port": NET}, {"uuid": NET}, {"uuid": NET}])
    assert new.networks == (
        RequestedNetwork(network_uuid="", port_id=NET),
        RequestedNetwork(network_uuid=NET),
        RequestedNetwork(network_uuid=NET),
    )


@pytest.mark.parametrize(
    ("version", "networks"),
    [
        ("2.36", "auto"),
        ("2.37", None),
        ("2.37", "some"),
        ("2.37", [{"uuid": "x"}]),
        ("2.37", [{"uuid": NET, "tag": "nic"}]),
        ("2.42", [{"uuid": NET, "fixed_ip": "10.0.0"}]),
        ("2.42", [{"fixed_ip": "10.0.0.5"}]),
        ("2.42", [{"port": "x"}]),
        ("2.42", [{"uuid": NET, "tag": "a,b"}]),
        ("2.42", [{"uuid": NET, "colour": 1}]),
    ],
)
def test_networks_that_are_refused(api: Api, version: str, networks: object) -> None:
    given = {} if networks is None else {"networks": networks}
    assert _status(api.rest.at(version), **given) == 400


OSC_MAPPING = {
    "uuid": IMAGE_ID,
    "source_type": "image",
    "destination_type": "local",
    "boot_index": 0,
    "delete_on_termination": True,
}


def test_the_mapping_that_the_openstack_client_sends(api: Api) -> None:
    new = _new(api, block_device_mapping_v2=[OSC_MAPPING])
    assert new.block_devices == (
        BlockDevice(
            source_type="image", boot_index=0, image_id=IMAGE_ID, delete_on_termination=True
        ),
    )


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ({**OSC_MAPPING, "destination_type": "volume", "volume_size": 1}, "volume service"),
        ({"uuid": NET, "source_type": "volume", "destination_type": "volume"}, "volume service"),
        ({"uuid": NET, "source_type": "snapshot", "destination_type": "volume"}, "volume service"),
        ({**OSC_MAPPING, "uuid": NET}, "imageRef"),
        ({**OSC_MAPPING, "boot_index": 1}, "boot index"),
        ({**OSC_MAPPING, "boot_index": None}, "boot index"),
        ({"source_type": "blank", "destination_type": "local", "volume_size": 1}, "image"),
    ],
)
def test_mappings_that_need_what_is_not_there_are_400(
    api: Api, mapping: dict[str, object], word: str
) -> None:
    answer = api.rest.post("/servers", {"server": _body(block_device_mapping_v2=[mapping])})
    assert answer.status_int == 400
    assert word in answer.json["badRequest"]["message"]


def test_old_mappings_and_missing_images_are_400(api: Api) -> None:
    assert _status(api.rest, block_device_mapping=[{"volume_id": NET, "device_name": "vda"}]) == 400
    assert (
        _status(api.rest, block_device_mapping=[{}], block_device_mapping_v2=[OSC_MAPPING]) == 400
    )
    assert _status(api.rest, imageRef="") == 400
    assert _status(api.rest, imageRef="cirros") == 400


def test_images_that_can_not_be_used_are_400(api: Api) -> None:
    assert _status(api.rest, imageRef=str(uuid.uuid4())) == 400
    api.images.add(Image(id=NET, status="queued", visibility="public"), b"")
    answer = api.rest.post("/servers", {"server": _body(imageRef=NET)})
    assert answer.status_int == 400
    assert "queued" in answer.text


def test_az_06_a_private_image_of_another_project_does_not_exist(api: Api) -> None:
    api.images.add(Image(id=NET, visibility="private", owner=OTHER_PROJECT), b"")
    foreign = api.rest.post("/servers", {"server": _body(imageRef=NET)})
    missing_id = str(uuid.uuid4())
    missing = api.rest.post("/servers", {"server": _body(imageRef=missing_id)})
    assert foreign.text.replace(NET, "") == missing.text.replace(missing_id, "")


@pytest.mark.parametrize(
    ("ref", "status"),
    [("1", 202), (1, 202), ("http://x/v2.1/flavors/1", 202), ("no-such", 400), ("", 400)],
)
def test_flavors_by_id_or_address(api: Api, ref: object, status: int) -> None:
    assert _status(api.rest, flavorRef=ref) == status


def test_forced_hosts_are_for_administrators(api: Api) -> None:
    assert _status(api.rest, availability_zone="nova:h1") == 403
    assert _status(api.rest, availability_zone="nova::n1") == 403
    assert _status(api.rest, availability_zone="a:b:c:d") == 400
    admin = api.rest.as_admin()
    assert _status(admin, availability_zone="nova:h1:n1") == 202
    new = api.instances.created[-1]
    assert (new.availability_zone, new.force_host, new.force_node) == ("nova", "h1", "n1")


def test_requested_hosts_are_for_administrators_from_2_74(api: Api) -> None:
    assert _status(api.rest.at("2.73"), networks="none", host="h1") == 400
    assert _status(api.rest.at("2.74"), networks="none", host="h1") == 403
    admin = api.rest.as_admin().at("2.74")
    assert _status(admin, networks="none", host="h1", hypervisor_hostname="n1") == 202
    new = api.instances.created[-1]
    assert (new.requested_host, new.requested_node) == ("h1", "n1")
    assert _status(admin, networks="none", host="h1", availability_zone="nova:h2") == 400


def test_hints_become_lists_of_texts(api: Api) -> None:
    hints = {"same_host": [NET], "query": ["=", "$ram", 1], "custom": 5, "different_host": NET}
    assert _status(api.rest, {HINTS: hints}) == 400
    hints["query"] = {"a": 1}
    assert _status(api.rest, {HINTS: hints}) == 202
    assert api.instances.created[-1].hints == {
        "same_host": (NET,),
        "query": ('{"a": 1}',),
        "custom": ("5",),
        "different_host": (NET,),
    }
    assert _status(api.rest, {"OS-SCH-HNT:scheduler_hints": {"custom": "x"}}) == 202
    assert api.instances.created[-1].hints == {"custom": ("x",)}


@pytest.mark.parametrize(
    "hints",
    [
        {"different_host": [NET] * 1000},
        {"different_host": ["not-a-uuid"]},
        {"group": "not-a-uuid"},
        {"custom": ["x"] * 1000},
        {f"k{number}": "v" for number in range(65)},
        {"k" * 256: "v"},
        {"custom": {"deep": {}}},
        [],
    ],
)
def test_in_05_hints_are_bounded(api: Api, hints: object) -> None:
    assert _status(api.rest, {HINTS: hints}) == 400


def test_in_05_a_hundred_hosts_pass(api: Api) -> None:
    uuids = [str(uuid.uuid4()) for _ in range(100)]
    assert _status(api.rest, {HINTS: {"different_host": uuids}}) == 202


@pytest.mark.parametrize(
    ("version", "changes", "status"),
    [
        ("2.18", {"description": "x"}, 400),
        ("2.51", {"networks": "none", "tags": ["a"]}, 400),
        ("2.52", {"networks": "none", "tags": ["a"]}, 202),
        ("2.52", {"networks": "none", "tags": ["a,b"]}, 400),
        ("2.52", {"networks": "none", "tags": [str(n) for n in range(51)]}, 400),
        ("2.56", {"networks": "none", "personality": [{"path": "/x", "contents": "eA=="}]}, 202),
        ("2.57", {"networks": "none", "personality": [{"path": "/x", "contents": "eA=="}]}, 400),
        ("2.1", {"personality": [{"path": "/x", "contents": "???"}]}, 400),
        ("2.1", {"personality": [{"path": "/x"}]}, 400),
        ("2.63", {"networks": "none", "trusted_image_certificates": None}, 202),
        ("2.63", {"networks": "none", "trusted_image_certificates": ["c"]}, 400),
        ("2.90", {"networks": "none", "hostname": "web"}, 202),
        ("2.90", {"networks": "none", "hostname": "a.b"}, 400),
        ("2.94", {"networks": "none", "hostname": "a.b"}, 202),
        ("2.1", {"user_data": "not base64!"}, 400),
        ("2.1", {"user_data": "A" * 65536}, 400),
        ("2.1", {"key_name": ""}, 400),
        ("2.1", {"config_drive": "maybe"}, 400),
        ("2.1", {"metadata": {"a": None}}, 400),
        ("2.1", {"metadata": {"": "x"}}, 400),
        ("2.1", {"accessIPv4": "x"}, 400),
        ("2.1", {"name": " x"}, 400),
        ("2.1", {"name": "x" * 256}, 400),
        ("2.1", {"name": "ünïcödé"}, 202),
    ],
)
def test_in_04_keys_and_values_by_version(
    api: Api, version: str, changes: dict[str, object], status: int
) -> None:
    assert _status(api.rest.at(version), **changes) == status


def test_in_04_unknown_keys_are_refused_everywhere(api: Api) -> None:
    assert _status(api.rest, colour="red") == 400
    assert _status(api.rest, {"colour": "red"}) == 400
    assert _status(api.rest, security_groups=[{"name": "x", "colour": "red"}]) == 400


def test_in_03_a_huge_name_is_not_echoed(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"server": _body(name="x" * 100_000)}).encode()
    answer = api.rest.post("/servers", body)
    assert answer.status_int == 400
    assert len(answer.body) < 400
    assert len(caplog.text) < 2048


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (None, (None, None, None)),
        ("nova", ("nova", None, None)),
        ("nova:h", ("nova", "h", None)),
        ("nova:h:n", ("nova", "h", "n")),
        (":h", (None, "h", None)),
        ("nova::n", ("nova", None, "n")),
    ],
)
def test_zones(text: str | None, parts: tuple[str | None, ...]) -> None:
    assert split_zone(text) == parts


def test_zones_of_too_many_parts() -> None:
    with pytest.raises(InvalidInput):
        split_zone("a:b:c:d")
