"""Which rules of a host concern one guest."""

from nova.objects.path_reading import parse_counted
from nova.virt.libvirt.path import relevant_chains

SAVED = """\
*filter
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
:nova-filter-top - [0:0]
:nova-compute-local - [0:0]
:nova-compute-inst-18 - [0:0]
:nova-compute-inst-19 - [0:0]
:nova-compute-sg-3 - [0:0]
:nova-compute-sg-4 - [0:0]
[9:900] -A FORWARD -j nova-filter-top
[0:0] -A FORWARD -j DOCKER
[9:900] -A nova-filter-top -j nova-compute-local
[5:500] -A nova-compute-local -d 10.0.0.3/32 -j nova-compute-inst-18
[4:400] -A nova-compute-local -d 10.0.0.4/32 -j nova-compute-inst-19
[5:500] -A nova-compute-inst-18 -j nova-compute-sg-3
[4:400] -A nova-compute-inst-19 -j nova-compute-sg-4
[1:60] -A nova-compute-sg-3 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""


def test_path_has_the_chains_of_one_guest_and_the_way_to_them():
    found = relevant_chains(parse_counted(SAVED), "nova-compute-inst-18")
    rules = {one.name: [rule.rule for rule in one.rules] for one in found}
    assert rules == {
        "FORWARD": ["-j nova-filter-top"],
        "nova-filter-top": ["-j nova-compute-local"],
        "nova-compute-local": ["-d 10.0.0.3/32 -j nova-compute-inst-18"],
        "nova-compute-inst-18": ["-j nova-compute-sg-3"],
        "nova-compute-sg-3": ["-p tcp -m tcp --dport 22 -j ACCEPT"],
    }


def test_path_of_a_guest_without_rules_has_only_the_way():
    names = [one.name for one in relevant_chains(parse_counted(SAVED), "nova-compute-inst-7")]
    assert names == ["FORWARD", "nova-filter-top", "nova-compute-local"]


def test_chains_that_lead_in_circles_end():
    text = "*filter\n:a - [0:0]\n:b - [0:0]\n-A a -j b\n-A b -j a\nCOMMIT\n"
    assert len(relevant_chains(parse_counted(text), "a")) == 2
