"""What a host translates: rules as text, and what must be cut when they change."""

from nova.netfilter import render_difference
from nova.network.floating import (
    NO_TRANSLATIONS,
    FloatingPlan,
    begun,
    ended,
    present_translations,
    wanted_translations,
)
from nova.network.iptables import PREFIX
from nova.network.plan import make_plan
from nova.objects.floating_ip import HostFloatingIp
from nova.privileged.rule_text import checked_rules
from tests.fixtures.networks import make_served, make_settings

F, G = "203.0.113.5", "203.0.113.6"
X, Y = "10.0.1.5", "10.0.1.6"


def served(*floating_ips, **changes):
    return make_served(floating_ips=floating_ips, **changes)


def leading(address=F, fixed_ip=X, interface="eth0"):
    return HostFloatingIp(address=address, fixed_ip=fixed_ip, interface=interface)


def rules_of(*floating_ips, **settings):
    plan = make_plan([served(*floating_ips)], make_settings(**settings))
    text = render_difference(plan.rules, "", PREFIX)
    assert checked_rules(text) == text
    return text


def test_rules_of_a_floating_address_are_those_of_the_reference():
    lines = rules_of(leading(), public_interface="eth9").splitlines()
    for line in (
        f"-A nova-network-PREROUTING -d {F}/32 -j DNAT --to-destination {X}",
        f"-A nova-network-OUTPUT -d {F}/32 -j DNAT --to-destination {X}",
        f"-A nova-network-POSTROUTING -s {X}/32 -m conntrack --ctstate DNAT "
        f"-j SNAT --to-source {F}",
        f"-A nova-network-float-snat -s {X}/32 -d {X}/32 -j SNAT --to-source {F}",
        f"-A nova-network-float-snat -s {X}/32 -o eth9 -j SNAT --to-source {F}",
    ):
        assert line in lines


def test_net_12_what_belongs_to_a_connection_of_the_former_owner_is_not_led_to_the_next():
    lines = rules_of(leading()).splitlines()
    for chain in ("PREROUTING", "OUTPUT"):
        middle = (
            f"-A nova-network-{chain} -d {F}/32 "
            "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j RETURN"
        )
        lead = f"-A nova-network-{chain} -d {F}/32 -j DNAT --to-destination {X}"
        assert lines.index(middle) < lines.index(lead)


def test_guest_reaches_metadata_with_its_own_address():
    lines = rules_of(leading(), metadata_host="192.0.2.1").splitlines()
    untranslated = lines.index(
        "-A nova-network-POSTROUTING -s 10.0.1.0/24 -d 192.0.2.1/32 -j ACCEPT"
    )
    translated = next(one for one in lines if "POSTROUTING" in one and "SNAT" in one)
    assert untranslated < lines.index(translated)


def test_address_without_device_is_translated_on_every_one():
    lines = rules_of(leading(interface=None), public_interface=None).splitlines()
    assert f"-A nova-network-float-snat -s {X}/32 -j SNAT --to-source {F}" in lines


def test_option_counts_more_than_the_interface_of_the_address():
    own = wanted_translations([served(leading())], make_settings(public_interface=None))
    option = wanted_translations([served(leading())], make_settings(public_interface="eth9"))
    assert (own.devices, option.devices) == ({F: "eth0"}, {F: "eth9"})


def test_what_must_be_forgotten_has_no_rules():
    gone = HostFloatingIp(address=F)
    assert rules_of(gone) == rules_of()
    assert wanted_translations([served(gone)], make_settings()).forgotten == (F,)


def test_rules_that_are_in_force_are_read_back():
    text = rules_of(leading(), leading(G, Y))
    assert present_translations(text) == {F: X, G: Y}
    assert present_translations(rules_of()) == {}
    assert present_translations("") == {}


def test_what_was_sent_before_is_looked_at_anew_where_an_address_leads_somewhere_now():
    plan = FloatingPlan(translations=(leading(), leading(G, Y)))
    assert begun({F: X}, plan) == (G,)


def test_connections_are_cut_where_an_address_leads_elsewhere_or_must_be_forgotten():
    plan = FloatingPlan(translations=(leading(),))
    assert ended({F: X}, plan) == ()
    assert ended({}, plan) == ()
    assert ended({F: Y}, plan) == (F,)
    assert ended({F: X}, NO_TRANSLATIONS) == (F,)
    assert ended({}, FloatingPlan(forgotten=(G,))) == (G,)


def test_net_09_hostile_interface_of_an_address_reaches_no_rule():
    hostile = leading(interface="eth0 -j ACCEPT\n-A INPUT")
    assert rules_of(hostile, public_interface=None) == rules_of(
        leading(interface=None), public_interface=None
    )
