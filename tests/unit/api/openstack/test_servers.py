import hashlib

import pytest

from nova.objects.instance import Fault
from nova.objects.lifecycle import TaskState, VmState
from nova.objects.network import Network, Vif
from tests.fixtures.rest import BASE, OTHER_PROJECT, PROJECT
from tests.unit.api.openstack.conftest import Api

BASIC = {
    "id",
    "name",
    "status",
    "tenant_id",
    "user_id",
    "metadata",
    "hostId",
    "image",
    "flavor",
    "created",
    "updated",
    "addresses",
    "accessIPv4",
    "accessIPv6",
    "links",
    "progress",
    "OS-DCF:diskConfig",
}
EXTENDED = {
    "config_drive",
    "key_name",
    "security_groups",
    "OS-EXT-AZ:availability_zone",
    "OS-EXT-STS:vm_state",
    "OS-EXT-STS:task_state",
    "OS-EXT-STS:power_state",
    "OS-SRV-USG:launched_at",
    "OS-SRV-USG:terminated_at",
    "os-extended-volumes:volumes_attached",
}
ATTRIBUTES_21 = {
    f"OS-EXT-SRV-ATTR:{name}" for name in ("host", "hypervisor_hostname", "instance_name")
}
ATTRIBUTES_23 = {
    f"OS-EXT-SRV-ATTR:{name}"
    for name in (
        "hostname",
        "kernel_id",
        "ramdisk_id",
        "launch_index",
        "reservation_id",
        "root_device_name",
        "user_data",
    )
}
LATER = {
    "2.9": {"locked"},
    "2.19": {"description"},
    "2.26": {"tags"},
    "2.63": {"trusted_image_certificates"},
    "2.71": {"server_groups"},
    "2.73": {"locked_reason"},
    "2.96": {"pinned_availability_zone"},
}


def _until(version: str) -> set[str]:
    number = float(version.partition(".")[2])
    return {
        name
        for since, names in LATER.items()
        if float(since.partition(".")[2]) <= number
        for name in names
    }


@pytest.mark.parametrize("version", ["2.1", "2.3", "2.9", "2.26", "2.63", "2.71", "2.89"])
def test_members_see_the_fields_of_the_version(api: Api, version: str) -> None:
    server = api.instances.add(PROJECT)
    rest = api.rest.at(version)
    shown = rest.get(f"/servers/{server.uuid}").json["server"]
    assert set(shown) == BASIC | EXTENDED | _until(version)
    listed = rest.get("/servers/detail").json["servers"][0]
    assert set(listed) == set(shown) - {"server_groups"}


def test_the_name_of_the_guest_is_for_all_from_2_90(api: Api) -> None:
    server = api.instances.add(PROJECT)
    shown = api.rest.at("2.96").get(f"/servers/{server.uuid}").json["server"]
    assert set(shown) == BASIC | EXTENDED | _until("2.96") | {"OS-EXT-SRV-ATTR:hostname"}


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("2.1", ATTRIBUTES_21),
        ("2.3", ATTRIBUTES_21 | ATTRIBUTES_23),
        ("2.16", ATTRIBUTES_21 | ATTRIBUTES_23 | {"host_status"}),
        ("2.96", ATTRIBUTES_21 | ATTRIBUTES_23 | {"host_status"}),
    ],
)
def test_administrators_see_the_host(api: Api, version: str, more: set[str]) -> None:
    server = api.instances.add(PROJECT)
    api.hosts.add("compute-7")
    shown = api.rest.as_admin().at(version).get(f"/servers/{server.uuid}").json["server"]
    assert set(shown) == BASIC | EXTENDED | more | _until(version)
    assert shown["OS-EXT-SRV-ATTR:host"] == "compute-7"
    assert shown["OS-EXT-SRV-ATTR:hypervisor_hostname"] == "node-7"
    assert shown["OS-EXT-SRV-ATTR:instance_name"] == "instance-00000001"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "UP"),
        ({"is_up": False}, "DOWN"),
        ({"forced_down": True}, "DOWN"),
        ({"disabled": True}, "MAINTENANCE"),
        ({"host": "another"}, "UNKNOWN"),
    ],
)
def test_host_status(api: Api, changes: dict[str, object], state: str) -> None:
    server = api.instances.add(PROJECT)
    api.hosts.add(**{"host": "compute-7", **changes})
    admin = api.rest.as_admin().at("2.16")
    assert admin.get(f"/servers/{server.uuid}").json["server"]["host_status"] == state
    unplaced = api.instances.add(PROJECT, host=None)
    assert admin.get(f"/servers/{unplaced.uuid}").json["server"]["host_status"] == ""


def test_host_states_are_asked_for_once_in_a_while(api: Api) -> None:
    server = api.instances.add(PROJECT)
    admin = api.rest.as_admin().at("2.16")
    for _ in range(5):
        admin.get(f"/servers/{server.uuid}")
    assert [call.method for call in api.bus.calls].count("list_services") == 1


def test_values(api: Api) -> None:
    server = api.instances.add(
        PROJECT, metadata={"a": "b"}, access_ip_v4="192.0.2.9", config_drive=True, tags=("x",)
    )
    shown = api.rest.at("2.26").get(f"/servers/{server.uuid}").json["server"]
    assert shown["created"] == "2026-01-02T03:04:05Z"
    assert shown["OS-SRV-USG:launched_at"] == "2026-01-02T03:04:05.678901"
    assert shown["OS-SRV-USG:terminated_at"] is None
    assert shown["hostId"] == hashlib.sha224(f"{PROJECT}compute-7".encode()).hexdigest()
    assert shown["image"] == {
        "id": server.image_ref,
        "links": [{"rel": "bookmark", "href": f"{BASE}/images/{server.image_ref}"}],
    }
    assert shown["flavor"] == {
        "id": "1",
        "links": [{"rel": "bookmark", "href": f"{BASE}/flavors/1"}],
    }
    assert (shown["accessIPv4"], shown["accessIPv6"]) == ("192.0.2.9", "")
    assert (shown["config_drive"], shown["OS-EXT-STS:power_state"]) == ("True", 1)
    assert shown["security_groups"] == [{"name": "default"}]
    assert (shown["locked"], shown["tags"]) == (False, ["x"])
    assert shown["OS-DCF:diskConfig"] == "AUTO"
    assert shown["links"] == [
        {"rel": "self", "href": f"{BASE}/v2.1/servers/{server.uuid}"},
        {"rel": "bookmark", "href": f"{BASE}/servers/{server.uuid}"},
    ]


def test_the_flavor_is_embedded_from_2_47(api: Api) -> None:
    server = api.instances.add(PROJECT)
    shown = api.rest.at("2.47").get(f"/servers/{server.uuid}").json["server"]
    assert shown["flavor"] == {
        "vcpus": 1,
        "ram": 512,
        "disk": 1,
        "ephemeral": 0,
        "swap": 0,
        "original_name": "m1.tiny",
        "extra_specs": {"hw:cpu_policy": "shared"},
    }


def _vif() -> Vif:
    return Vif(
        id="v",
        address="fa:16:3e:00:00:01",
        network=Network(id=1, uuid="n", label="private"),
        fixed_ip="10.0.0.5",
        fixed_ip_v6="fd00::5",
        floating_ips=("203.0.113.5",),
    )


def test_addresses(api: Api) -> None:
    server = api.instances.add(PROJECT, vifs=(_vif(),))
    shown = api.rest.get(f"/servers/{server.uuid}").json["server"]["addresses"]
    mac = {"OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01"}
    assert shown == {
        "private": [
            {"addr": "10.0.0.5", "version": 4, "OS-EXT-IPS:type": "fixed", **mac},
            {"addr": "fd00::5", "version": 6, "OS-EXT-IPS:type": "fixed", **mac},
            {"addr": "203.0.113.5", "version": 4, "OS-EXT-IPS:type": "floating", **mac},
        ]
    }
    assert api.rest.get(f"/servers/{server.uuid}/ips").json == {
        "addresses": {
            "private": [
                {"addr": "10.0.0.5", "version": 4},
                {"addr": "fd00::5", "version": 6},
                {"addr": "203.0.113.5", "version": 4},
            ]
        }
    }
    assert list(api.rest.get(f"/servers/{server.uuid}/ips/private").json) == ["private"]
    assert api.rest.get(f"/servers/{server.uuid}/ips/other").status_int == 404


def test_a_server_that_is_built_shows_no_addresses(api: Api) -> None:
    server = api.instances.add(
        PROJECT, vifs=(_vif(),), vm_state=VmState.BUILDING, task_state=TaskState.SPAWNING
    )
    shown = api.rest.get(f"/servers/{server.uuid}").json["server"]
    assert (shown["status"], shown["addresses"], shown["progress"]) == ("BUILD", {}, 0)


def test_progress_is_left_out_where_nothing_proceeds(api: Api) -> None:
    server = api.instances.add(PROJECT, vm_state=VmState.STOPPED)
    shown = api.rest.get(f"/servers/{server.uuid}").json["server"]
    assert shown["status"] == "SHUTOFF"
    assert "progress" not in shown


def test_in_13_details_of_a_fault_are_for_administrators(api: Api) -> None:
    fault = Fault(
        code=500, message="No valid host was found. 3 hosts", details="CANARY", created_at=None
    )
    server = api.instances.add(PROJECT, vm_state=VmState.ERROR, fault=fault)
    path = f"/servers/{server.uuid}"
    assert api.rest.get(path).json["server"]["fault"] == {
        "code": 500,
        "created": "2026-01-02T03:04:05Z",
        "message": "No valid host was found. 3 hosts",
    }
    assert api.rest.as_admin().get(path).json["server"]["fault"]["details"] == "CANARY"
    active = api.instances.add(PROJECT, fault=fault)
    assert "fault" not in api.rest.get(f"/servers/{active.uuid}").json["server"]


def test_a_server_without_image_or_groups(api: Api) -> None:
    server = api.instances.add(PROJECT, image_ref=None, security_groups=())
    shown = api.rest.get(f"/servers/{server.uuid}").json["server"]
    assert shown["image"] == ""
    assert "security_groups" not in shown


def test_names_where_ids_are_expected_are_404_without_a_call(api: Api) -> None:
    api.bus.calls.clear()
    assert api.rest.get("/servers/web").status_int == 404
    assert api.bus.calls == []


@pytest.mark.parametrize("version", ["2.1", "2.19", "2.74"])
def test_update_returns_the_basic_fields_until_2_74(api: Api, version: str) -> None:
    server = api.instances.add(PROJECT, vifs=(_vif(),))
    answer = api.rest.at(version).put(f"/servers/{server.uuid}", {"server": {"name": "new"}})
    assert answer.status_int == 200
    body = answer.json["server"]
    assert body["name"] == "new"
    assert set(body) == BASIC | _until(version)
    assert set(body["addresses"]["private"][0]) == {"addr", "version"}


def test_update_returns_everything_from_2_75(api: Api) -> None:
    server = api.instances.add(PROJECT, vifs=(_vif(),))
    rest = api.rest.at("2.75")
    body = rest.put(f"/servers/{server.uuid}", {"server": {"name": "new"}}).json["server"]
    assert set(body) == BASIC | EXTENDED | _until("2.75")
    assert "OS-EXT-IPS:type" in body["addresses"]["private"][0]
    body = rest.as_admin().put(f"/servers/{server.uuid}", {"server": {"name": "n"}}).json["server"]
    assert "OS-EXT-SRV-ATTR:user_data" not in body
    assert "OS-EXT-SRV-ATTR:hostname" in body and "host_status" in body


def test_update_changes_only_what_is_given(api: Api) -> None:
    server = api.instances.add(PROJECT, access_ip_v4="192.0.2.1", display_description="old")
    body = {"server": {"accessIPv4": "", "OS-DCF:diskConfig": "MANUAL"}}
    shown = api.rest.at("2.19").put(f"/servers/{server.uuid}", body).json["server"]
    assert (shown["accessIPv4"], shown["OS-DCF:diskConfig"]) == ("", "MANUAL")
    assert (shown["name"], shown["description"]) == ("web", "old")
    body = {"server": {"description": None}}
    shown = api.rest.at("2.19").put(f"/servers/{server.uuid}", body).json["server"]
    assert shown["description"] is None


@pytest.mark.parametrize(
    ("version", "change", "status"),
    [
        ("2.18", {"description": "x"}, 400),
        ("2.19", {"description": "x"}, 200),
        ("2.89", {"hostname": "web"}, 400),
        ("2.90", {"hostname": "web"}, 200),
        ("2.90", {"hostname": "web.example"}, 400),
        ("2.94", {"hostname": "web.example"}, 200),
        ("2.96", {"metadata": {}}, 400),
        ("2.96", {"accessIPv4": "fd00::1"}, 400),
        ("2.96", {"name": ""}, 400),
    ],
)
def test_update_by_version(api: Api, version: str, change: dict[str, object], status: int) -> None:
    server = api.instances.add(PROJECT)
    answer = api.rest.at(version).put(f"/servers/{server.uuid}", {"server": change})
    assert answer.status_int == status


def test_delete_begins_the_operation(api: Api) -> None:
    server = api.instances.add(PROJECT)
    assert api.rest.delete(f"/servers/{server.uuid}").status_int == 204
    assert api.instances.begun == [(server.uuid, "soft_delete")]


def test_each_request_is_one_conductor_call(api: Api) -> None:
    server = api.instances.add(PROJECT)
    api.bus.calls.clear()
    api.rest.get("/servers")
    api.rest.get("/servers/detail")
    api.rest.get(f"/servers/{server.uuid}")
    api.rest.put(f"/servers/{server.uuid}", {"server": {"name": "x"}})
    api.rest.post(f"/servers/{server.uuid}/action", {"os-stop": None})
    api.rest.delete(f"/servers/{server.uuid}")
    assert [call.method for call in api.bus.calls] == [
        "page_summaries",
        "page",
        "get",
        "update",
        "begin_action",
        "begin_action",
    ]


def test_az_02_administrators_reach_servers_of_any_project(api: Api) -> None:
    server = api.instances.add(OTHER_PROJECT)
    assert api.rest.get(f"/servers/{server.uuid}").status_int == 404
    assert api.rest.as_admin().get(f"/servers/{server.uuid}").status_int == 200
