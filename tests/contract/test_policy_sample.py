"""The sample policy file is up to date, and it is what the program would read.

To write the sample anew:
    python -m nova.policy_sample > etc/nova/policy.yaml.sample
"""

import pathlib

import yaml

from nova.api.networking import app as networking
from nova.api.openstack.app import RESOURCES, default_rules
from nova.policy import BASE_RULES
from nova.policy_sample import sample

SAMPLE = pathlib.Path(__file__).parents[2] / "etc" / "nova" / "policy.yaml.sample"


def _uncommented() -> str:
    lines = sample().splitlines()
    return "\n".join(line[1:] for line in lines if line.startswith('#"'))


def test_sample_file_is_up_to_date() -> None:
    assert SAMPLE.read_text() == sample(), "write it anew (see above)"


def test_sample_changes_nothing_as_it_is() -> None:
    assert yaml.safe_load(sample()) is None


def test_sample_has_every_rule_with_its_default() -> None:
    assert yaml.safe_load(_uncommented()) == {
        **BASE_RULES,
        **default_rules(),
        **networking.default_rules(),
    }


def test_sample_names_every_route_that_has_a_rule() -> None:
    lines = set(sample().splitlines())
    for resource in RESOURCES:
        for route in resource.routes:
            action = f" ({route.action})" if route.action else ""
            line = f"# {route.method} {route.path}{action}, {route.versions}"
            assert route.rule is None or line in lines
    for resource in networking.RESOURCES:
        for route in resource.routes:
            assert f"# {route.method} {route.path}, Networking API" in lines
