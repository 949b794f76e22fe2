"""Filters that look at aggregates, images and hints."""

import json
import random

import pytest

from nova.objects.image_isolation import ImageIsolation
from nova.scheduler.choose import choose
from nova.scheduler.filters.aggregate_core import AggregateCoreFilter
from nova.scheduler.filters.aggregate_disk import AggregateDiskFilter
from nova.scheduler.filters.aggregate_image_properties_isolation import (
    AggregateImagePropertiesIsolation,
)
from nova.scheduler.filters.aggregate_instance_extra_specs import (
    AggregateInstanceExtraSpecsFilter,
)
from nova.scheduler.filters.aggregate_io_ops import AggregateIoOpsFilter
from nova.scheduler.filters.aggregate_multitenancy_isolation import AggregateMultiTenancyIsolation
from nova.scheduler.filters.aggregate_num_instances import AggregateNumInstancesFilter
from nova.scheduler.filters.aggregate_ram import AggregateRamFilter
from nova.scheduler.filters.aggregate_type_affinity import AggregateTypeAffinityFilter
from nova.scheduler.filters.base import FilterSettings
from nova.scheduler.filters.isolated_hosts import IsolatedHostsFilter
from nova.scheduler.filters.json_query import JsonFilter
from nova.scheduler.filters.same_host import SameHostFilter
from nova.scheduler.filters.simple_cidr_affinity import SimpleCIDRAffinityFilter
from nova.scheduler.weights.num_instances import NumInstancesWeigher
from tests.fixtures.hosts import make_host_state, make_spec
from tests.fixtures.scheduling import make_rules


def suits(filter_class, host, spec, **settings):
    return filter_class(FilterSettings(**settings)).refuses(host, spec) is None


def host_in(metadata, **changes):
    values = {key: (value,) if isinstance(value, str) else value for key, value in metadata.items()}
    return make_host_state(aggregate_metadata=values, **changes)


@pytest.mark.parametrize(
    ("metadata", "extra_specs", "expected"),
    [
        ({}, {}, True),
        ({}, {"ssd": "true"}, False),
        ({"ssd": "true"}, {"ssd": "true"}, True),
        ({"ssd": ("false", "true")}, {"ssd": "true"}, True),
        ({"ssd": "false"}, {"aggregate_instance_extra_specs:ssd": "true"}, False),
        ({"speed": "7"}, {"aggregate_instance_extra_specs:speed": ">= 5"}, True),
        ({"speed": "4"}, {"aggregate_instance_extra_specs:speed": ">= 5"}, False),
        ({}, {"hw:cpu_policy": "dedicated"}, True),
    ],
)
def test_extra_specs_are_looked_up_in_aggregates(metadata, extra_specs, expected):
    spec = make_spec(extra_specs=extra_specs)
    assert suits(AggregateInstanceExtraSpecsFilter, host_in(metadata), spec) is expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, True),
        ({"filter_tenant_id": "demo"}, True),
        ({"filter_tenant_id": "other, demo"}, True),
        ({"filter_tenant_id": "other"}, False),
        ({"filter_tenant_id": "other", "filter_tenant_id2": "demo"}, True),
        ({"filter_tenant_id": "demonstration"}, False),
        ({"filter_tenant_identity": "other"}, True),
    ],
)
def test_hosts_are_reserved_for_projects(metadata, expected):
    spec = make_spec(project_id="demo")
    assert suits(AggregateMultiTenancyIsolation, host_in(metadata), spec) is expected


@pytest.mark.parametrize(
    ("metadata", "properties", "namespace", "expected"),
    [
        ({"os_type": "windows"}, {}, None, True),
        ({}, {"os_type": "linux"}, None, True),
        ({"os_type": "windows"}, {"os_type": "linux"}, None, False),
        ({"os_type": ("windows", "linux")}, {"os_type": "linux"}, None, True),
        ({"os_type": "windows"}, {"os_type": "linux"}, "iso", True),
        ({"iso.os": "windows"}, {"iso.os": "linux"}, "iso", False),
    ],
)
def test_images_stay_out_of_aggregates_of_other_properties(
    metadata, properties, namespace, expected
):
    spec = make_spec(image_properties=properties)
    host = host_in(metadata)
    setting = {"image_isolation": ImageIsolation(namespace=namespace)}
    assert suits(AggregateImagePropertiesIsolation, host, spec, **setting) is expected


def test_hosts_are_for_named_flavors():
    spec = make_spec()
    name = spec.flavor.name
    assert suits(AggregateTypeAffinityFilter, host_in({}), spec)
    assert suits(AggregateTypeAffinityFilter, host_in({"instance_type": f"x, {name}"}), spec)
    assert not suits(AggregateTypeAffinityFilter, host_in({"instance_type": "x"}), spec)


@pytest.mark.parametrize(
    ("filter_class", "key", "used", "limit"),
    [
        (AggregateCoreFilter, "cpu_allocation_ratio", {"vcpus_used": 15}, {"vcpu": 16.0}),
        (AggregateRamFilter, "ram_allocation_ratio", {"memory_mb_used": 31744}, None),
        (AggregateDiskFilter, "disk_allocation_ratio", {"local_gb_used": 198}, {"disk_gb": 200.0}),
    ],
)
def test_the_least_ratio_of_aggregates_holds_and_goes_to_the_claim(filter_class, key, used, limit):
    rule = filter_class(FilterSettings())
    spec = make_spec()
    double = host_in({key: ("2.0", "3")}, **used)
    assert rule.refuses(double, spec) is None
    assert rule.limits(double) == (limit or {"memory_mb": 32768.0})
    assert rule.refuses(host_in({key: "1.5"}, **used), spec) is not None
    unusable = host_in({key: ("plenty", "nan")}, **used)
    assert rule.refuses(unusable, spec) is not None
    assert rule.limits(unusable) == {}


def test_limits_of_aggregates_travel_with_the_destination():
    host = host_in({"cpu_allocation_ratio": "2"}, vcpus_used=8)
    rules = make_rules(("AggregateCoreFilter",))
    report = choose(make_spec(), [host], rules, random.Random(1)).report
    assert report.destinations[0][0].limits == {"vcpu": 16.0}


def test_numbers_per_host_come_from_aggregates_before_the_option():
    for filter_class, key, field in (
        (AggregateIoOpsFilter, "max_io_ops_per_host", "num_io_ops"),
        (AggregateNumInstancesFilter, "max_instances_per_host", "num_instances"),
    ):
        assert suits(filter_class, host_in({key: "3"}, **{field: 2}), make_spec())
        assert not suits(filter_class, host_in({key: ("3", "4")}, **{field: 3}), make_spec())
        assert not suits(filter_class, host_in({}, **{field: 2}), make_spec(), **{key: 2})


@pytest.mark.parametrize(
    ("host", "image_id", "restrict", "expected"),
    [
        ("host1", "secret", True, True),
        ("host2", "secret", True, False),
        ("host1", "plain", True, False),
        ("host1", "plain", False, True),
        ("host2", "plain", True, True),
        ("host1", None, True, False),
    ],
)
def test_isolated_images_and_hosts_go_together(host, image_id, restrict, expected):
    isolation = ImageIsolation(hosts=("host1",), images=("secret",), restrict=restrict)
    settings = {"image_isolation": isolation}
    spec = make_spec(image_id=image_id)
    assert suits(IsolatedHostsFilter, make_host_state(host), spec, **settings) is expected


@pytest.mark.parametrize(
    ("near", "cidr", "expected"),
    [
        ("10.0.0.9", None, True),
        ("10.0.1.9", None, False),
        ("10.0.1.9", "/16", True),
        ("10.0.0.9", "/99", False),
        (None, "/24", True),
    ],
)
def test_hosts_near_an_address(near, cidr, expected):
    hints = {"build_near_host_ip": (near,), "cidr": (cidr,)}
    spec = make_spec(hints={key: value for key, value in hints.items() if value != (None,)})
    assert suits(SimpleCIDRAffinityFilter, make_host_state(host_ip="10.0.0.1"), spec) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([">=", "$free_ram_mb", 16384], True),
        ([">", "$free_ram_mb", 16384], False),
        (["and", ["=", "$hypervisor_hostname", "host1.example"], ["<", "$vcpus_used", 1]], True),
        (["or", ["=", 1, 2], ["in", "$host", "host1", "host2"]], True),
        (["not", ["=", "$host", "host1"]], False),
        (["<=", "$no_such_thing", 5], False),
        ([">=", "$free_ram_mb", "many"], False),
        (["shutdown", 1], False),
        ([], True),
        (["="], False),
        ([["not"]], False),
    ],
)
def test_a_query_is_evaluated(query, expected):
    spec = make_spec(hints={"query": (json.dumps(query),)})
    assert suits(JsonFilter, make_host_state(), spec) is expected


@pytest.mark.parametrize("text", ["{", "[" * 4000, json.dumps(["not"] * 3)[:-1]])
def test_a_query_that_is_no_json_suits_no_host(text):
    assert not suits(JsonFilter, make_host_state(), make_spec(hints={"query": (text,)}))


def test_a_query_that_is_nested_too_deeply_suits_no_host():
    query = ["not", 1]
    for _ in range(30):
        query = ["not", query]
    spec = make_spec(hints={"query": (json.dumps(query),)})
    refusal = JsonFilter(FilterSettings()).refuses(make_host_state(), spec)
    assert "nested too deeply" in refusal


def test_az_06_same_host_with_foreign_servers_only_suits_no_host():
    host = make_host_state(instance_uuids=("foreign",))
    assert not suits(SameHostFilter, host, make_spec(hints={"same_host": ()}))
    assert suits(SameHostFilter, host, make_spec(hints={}))


def test_a_multiplier_of_an_aggregate_holds_for_its_hosts():
    weigher = NumInstancesWeigher(1.0)
    key = "num_instances_weight_multiplier"
    assert weigher.multiplier_for(host_in({key: ("-2", "3", "x")})) == -2.0
    assert weigher.multiplier_for(host_in({})) == 1.0
    rules = make_rules(("AllHostsFilter",), {key: 1.0} | dict.fromkeys(_OTHERS, 0.0))
    full = host_in({key: "-5"}, host="host1", num_instances=9)
    empty = host_in({}, host="host2", num_instances=1)
    report = choose(make_spec(), [full, empty], rules, random.Random(1)).report
    assert [option.host for option in report.destinations[0]] == ["host2", "host1"]


_OTHERS = (
    "ram_weight_multiplier",
    "cpu_weight_multiplier",
    "disk_weight_multiplier",
    "io_ops_weight_multiplier",
    "build_failure_weight_multiplier",
    "soft_affinity_weight_multiplier",
    "soft_anti_affinity_weight_multiplier",
)
