"""Extra specs over the real conductor."""

import pytest

from nova.api.openstack import extra_spec_rules
from nova.exception import InvalidExtraSpec
from tests.fixtures.rest_site import RestSite

PATH = "/flavors/1/os-extra_specs"


def test_specs_are_added_to_what_is_there(cloud: RestSite) -> None:
    first = {"extra_specs": {"hw:cpu_policy": "shared", "k": 2}}
    answer = cloud.admin.post(PATH, first)
    assert (answer.status_int, answer.json) == (200, first)
    cloud.admin.post(PATH, {"extra_specs": {"k": "3"}})
    assert cloud.rest.get(PATH).json == {"extra_specs": {"hw:cpu_policy": "shared", "k": "3"}}
    shown = cloud.rest.at("2.61").get("/flavors/1").json["flavor"]
    assert shown["extra_specs"] == {"hw:cpu_policy": "shared", "k": "3"}


def test_one_spec_is_a_bare_pair(cloud: RestSite) -> None:
    cloud.admin.post(PATH, {"extra_specs": {"a": "1", "b": "2"}})
    assert cloud.rest.get(f"{PATH}/a").json == {"a": "1"}
    answer = cloud.admin.put(f"{PATH}/a", {"a": "5"})
    assert (answer.status_int, answer.json) == (200, {"a": "5"})
    answer = cloud.admin.delete(f"{PATH}/a")
    assert (answer.status_int, answer.body) == (200, b"")
    assert cloud.rest.get(PATH).json == {"extra_specs": {"b": "2"}}
    assert cloud.rest.get(f"{PATH}/a").status_int == 404
    assert cloud.admin.delete(f"{PATH}/a").status_int == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"b": "1"},
        {"a": "1", "b": "2"},
        {"a": None},
        {"a": "x" * 256},
        {"a": []},
        {"a": 10**300},
    ],
)
def test_bad_updates_are_400(cloud: RestSite, body: object) -> None:
    assert cloud.admin.put(f"{PATH}/a", body).status_int == 400
    assert cloud.rest.get(PATH).json == {"extra_specs": {}}


@pytest.mark.parametrize("key", ["a/b", "ä", "", "x" * 256, "a\n", "a#"])
def test_in_04_bad_keys_are_400(cloud: RestSite, key: str) -> None:
    assert cloud.admin.post(PATH, {"extra_specs": {key: "1"}}).status_int == 400


def test_the_key_of_an_update_has_the_same_form(cloud: RestSite) -> None:
    assert cloud.admin.put(f"{PATH}/%C3%A4", {"ä": "1"}).status_int == 400


def test_unknown_flavors_are_404(cloud: RestSite) -> None:
    path = "/flavors/none/os-extra_specs"
    assert cloud.rest.get(path).status_int == 404
    assert cloud.rest.get(f"{path}/a").status_int == 404
    assert cloud.admin.post(path, {"extra_specs": {"a": "1"}}).status_int == 404
    assert cloud.admin.put(f"{path}/a", {"a": "1"}).status_int == 404
    assert cloud.admin.delete(f"{path}/a").status_int == 404


def test_az_07_writing_is_for_administrators(cloud: RestSite) -> None:
    assert cloud.rest.post(PATH, {"extra_specs": {"a": "1"}}).status_int == 403
    assert cloud.rest.put(f"{PATH}/a", {"a": "1"}).status_int == 403
    assert cloud.rest.delete(f"{PATH}/a").status_int == 403


def test_known_namespaces_are_checked_from_2_86(cloud: RestSite) -> None:
    body = {"extra_specs": {"hw:cpu_polyci": "shared"}}
    assert cloud.admin.at("2.85").post(PATH, body).status_int == 200
    answer = cloud.admin.at("2.86").post(PATH, body)
    assert answer.status_int == 400 and "hw:cpu_polyci" in answer.text
    assert cloud.admin.at("2.86").put(f"{PATH}/hw:x", {"hw:x": "1"}).status_int == 400
    assert cloud.admin.at("2.86").put(f"{PATH}/my:x", {"my:x": "1"}).status_int == 200


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw:mem_page_size", "2MB"),
        ("hw:mem_page_size", "large"),
        ("hw:numa_cpus.0", "0-3,^2"),
        ("hw:numa_mem.1", "512"),
        ("hw:cpu_realtime_mask", "^0-1"),
        ("hw_rng:allowed", "True"),
        ("quota:disk_read_bytes_sec", "1000"),
        ("quota:disk_total_iops_sec_max", "1000"),
        ("quota:vif_inbound_average", "0"),
        ("quota:cpu_quota", "-1"),
        ("quota:memory_limit", "1"),
        ("quota:cpu_shares_share", "1"),
        ("hw:serial_port_count", "2"),
        ("powervm:min_proc_units", "0.25"),
        ("trust:trusted_host", "trusted"),
        ("resources:VCPU", "2"),
        ("resources1:CUSTOM_X", "2"),
        ("resources_NET:NET_BW_EGR_KILOBIT_PER_SEC", "2"),
        ("trait:HW_CPU_X86_AVX", "required"),
        ("trait2:HW_CPU_X86_AVX", "forbidden"),
        ("group_policy", "none"),
        ("pci_passthrough:alias", "gpu:1,nic:2"),
        ("os:secure_boot", "required"),
        ("capabilities:cpu_info", "<in> x"),
        ("aggregate_instance_extra_specs:ssd", "true"),
        ("free", "anything"),
    ],
)
def test_values_that_are_right(key: str, value: str) -> None:
    extra_spec_rules.check(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hw:cpu_policy", "exclusive"),
        ("hw:serial_port_count", "5"),
        ("powervm:min_meme", "1"),
        ("hw:numa_nodes", "0"),
        ("hw:numa_nodes", "x"),
        ("hw:numa_cpus.x", "1"),
        ("hw:", "1"),
        ("hw_rng:rate", "1"),
        ("quota:cpu_quota", "-2"),
        ("quota:cpu_period", "1.5"),
        ("resources:vcpu", "1"),
        ("resources:VCPU", "-1"),
        ("trait:HW_CPU_X86_AVX", "preferred"),
        ("trait1:x", "required"),
        ("group_policy", "some"),
        ("pci_passthrough:alias", "gpu"),
    ],
)
def test_values_that_are_wrong(key: str, value: str) -> None:
    with pytest.raises(InvalidExtraSpec):
        extra_spec_rules.check(key, value)
