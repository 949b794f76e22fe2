import pytest

from nova.exception import ConfigurationError
from nova.scheduler.filters.base import FilterSettings, HostFilter
from nova.scheduler.loading import ALL_FILTERS, load_filters, load_weighers
from nova.scheduler.settings import rules_from
from nova.scheduler.weights.ram import RAMWeigher


class OwnFilter(HostFilter):
    """A filter from outside the project."""


def test_default_options_give_the_default_filters_and_all_weighers_in_use(conf):
    rules = rules_from(conf)
    assert [type(rule).__name__ for rule in rules.filters] == conf.filter_scheduler.enabled_filters
    assert {type(weigher).__name__: weigher.multiplier for weigher in rules.weighers} == {
        "BuildFailureWeigher": 1000000.0,
        "CPUWeigher": 1.0,
        "DiskWeigher": 1.0,
        "IoOpsWeigher": -1.0,
        "RAMWeigher": 1.0,
        "ServerGroupSoftAffinityWeigher": 1.0,
        "ServerGroupSoftAntiAffinityWeigher": 1.0,
    }
    assert rules.host_subset_size == 1


def test_options_reach_the_filters(conf):
    conf.set_override("enabled_filters", ["IoOpsFilter"], "filter_scheduler")
    conf.set_override("max_io_ops_per_host", 3, "filter_scheduler")
    rules = rules_from(conf)
    assert rules.filters[0].settings.max_io_ops_per_host == 3


def test_unknown_filter_is_named():
    with pytest.raises(ConfigurationError, match="NoSuchFilter"):
        load_filters([ALL_FILTERS], ["NoSuchFilter"], FilterSettings())


def test_class_from_elsewhere_is_loaded_by_its_path():
    path = f"{__name__}.OwnFilter"
    (found,) = load_filters([path], ["OwnFilter"], FilterSettings())
    assert type(found) is OwnFilter


@pytest.mark.parametrize("path", ["no.such.module.Filter", "json.dumps", "Plain", "json.NoSuch"])
def test_unusable_path_is_a_configuration_error(path):
    with pytest.raises(ConfigurationError):
        load_filters([path], [], FilterSettings())


def test_weigher_with_multiplier_zero_is_left_out():
    path = "nova.scheduler.weights.ram.RAMWeigher"
    assert load_weighers([path], {"ram_weight_multiplier": 0.0}) == ()
    (found,) = load_weighers([path], {"ram_weight_multiplier": 2.5})
    assert isinstance(found, RAMWeigher)
    assert found.multiplier == 2.5
