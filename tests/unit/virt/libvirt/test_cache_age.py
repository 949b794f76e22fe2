"""The decision which base images go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.virt.libvirt.cache_age import AgeRules, BaseFile, expired

RULES = AgeRules(original_age_s=86400, empty_age_s=3600)
IMAGE = "0" * 40


def ages(**by_name):
    return [BaseFile(name=name, last_used_s=1e9 - age) for name, age in by_name.items()]


@pytest.mark.parametrize(
    ("name", "age_s", "goes"),
    [
        (IMAGE, 86399, False),
        (IMAGE, 86400, True),
        ("ephemeral_1", 3599, False),
        ("ephemeral_1", 3600, True),
        ("swap_64", 3600, True),
    ],
)
def test_img_11_age_decides(name, age_s, goes):
    assert expired(ages(**{name: age_s}), set(), 1e9, RULES) == ([name] if goes else [])


def test_used_bases_stay():
    assert expired(ages(swap_1=99999), {"swap_1"}, 1e9, RULES) == []


def test_removal_can_be_switched_off():
    assert expired(ages(swap_1=99999), set(), 1e9, AgeRules(remove_unused=False)) == []


def test_longest_unused_goes_first():
    bases = ages(swap_1=4000, swap_2=9000, swap_3=5000)
    assert expired(bases, set(), 1e9, RULES) == ["swap_2", "swap_3", "swap_1"]


@given(age_s=st.floats(0, 59.9))
def test_base_asked_for_just_now_stays_under_any_rule(age_s):
    rules = AgeRules(original_age_s=0, empty_age_s=0)
    assert expired(ages(swap_1=age_s), set(), 1e9, rules) == []
