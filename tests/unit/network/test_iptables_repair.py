"""What iptables-restore is told, against a small model of iptables."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from nova.netfilter import RuleSet, SavedTable, parse_saved, render_difference
from nova.network.iptables import NO_RULES, PREFIX, wanted_rules
from nova.privileged.rule_text import checked_rules
from tests.fixtures.networks import make_network, make_served, make_settings

BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}
State = dict[str, SavedTable]


def empty() -> State:
    return {
        table: SavedTable(chains={name: [] for name in names}) for table, names in BUILT_IN.items()
    }


def save(state: State) -> str:
    lines = []
    for name, table in state.items():
        lines.append(f"*{name}")
        lines += [f":{chain} - [0:0]" for chain in table.chains]
        lines += [f"-A {chain} {rule}" for chain, rules in table.chains.items() for rule in rules]
        lines.append("COMMIT")
    return "\n".join(lines)


def restore(state: State, text: str) -> State:
    """Apply a text as iptables-restore --noflush does; refuse what it would refuse."""
    state = copy.deepcopy(state)
    chains: dict[str, list[str]] = {}
    for line in checked_rules(text).splitlines():
        command, _, rest = line.partition(" ")
        chain, _, rule = rest.partition(" ")
        if command.startswith("*"):
            chains = state[command[1:]].chains
        elif command.startswith(":"):
            chains[command[1:]] = []
        elif command == "-N":
            assert chain not in chains
            chains[chain] = []
        elif command == "-A":
            chains[chain].append(rule)
        elif command == "-I":
            chains[chain].insert(0, rule.removeprefix("1 "))
        elif command == "-D":
            chains[chain].remove(rule)
        elif command == "-F":
            chains[chain].clear()
        elif command == "-X":
            assert not chains.pop(chain)
            assert not any(f"-j {chain}" in rules for rules in chains.values())
        else:
            assert command == "COMMIT"
    return state


def foreign(state: State) -> dict[str, dict[str, list[str]]]:
    return {
        name: {
            chain: [rule for rule in rules if "nova-" not in rule]
            for chain, rules in table.chains.items()
            if not chain.startswith("nova-")
        }
        for name, table in state.items()
    }


def is_reached(state: State, wanted: RuleSet) -> bool:
    for table in wanted:
        chains = state[table.name].chains
        own = {name: tuple(rules) for name, rules in chains.items() if name.startswith(PREFIX)}
        if own != dict(table.chains):
            return False
        for chain in {hook.chain for hook in table.hooks}:
            rules = [hook.rule for hook in table.hooks if hook.chain == chain]
            if [rule for rule in chains[chain] if rule in rules] != rules:
                return False
    return True


ANY_WANTED = st.builds(
    lambda numbers, metadata: wanted_rules(
        [make_served(make_network(number)) for number in sorted(numbers)],
        make_settings(metadata_host=metadata),
    ),
    st.sets(st.integers(1, 4)),
    st.sampled_from(["127.0.0.1", "192.0.2.1"]),
)
FOREIGN_RULE = st.sampled_from(
    ["-s 203.0.113.0/24 -j DROP", "-i eth7 -j ACCEPT", "-j LOG", "-p tcp -m tcp --dport 1 -j DROP"]
)
JUMP = st.sampled_from(
    ["-j nova-filter-top", f"-j {PREFIX}FORWARD", f"-j {PREFIX}INPUT", "-j nova-compute-FORWARD"]
)


@st.composite
def damaged(draw: st.DrawFn) -> State:
    """Draw rules of a host on which we and others have been, and somebody made a mess."""
    state = empty()
    for chain in BUILT_IN["filter"]:
        state["filter"].chains[chain] += draw(st.lists(FOREIGN_RULE, max_size=3))
    if draw(st.booleans()):
        state = restore(state, render_difference(draw(ANY_WANTED), save(state), PREFIX))
        for chain in draw(st.sets(st.sampled_from(BUILT_IN["filter"]))):
            rules = state["filter"].chains[chain]
            extra = [
                rule
                for rule in draw(st.lists(JUMP | FOREIGN_RULE, max_size=3))
                if rule.removeprefix("-j ") in state["filter"].chains or "nova" not in rule
            ]
            state["filter"].chains[chain] = draw(st.permutations(rules + extra))
        for chain in draw(st.sets(st.sampled_from(list(state["nat"].chains)))):
            state["nat"].chains[chain] = state["nat"].chains[chain][:1]
    return state


@settings(max_examples=60, deadline=None)
@given(damaged(), ANY_WANTED)
def test_any_host_is_repaired_in_one_step(state: State, wanted: RuleSet) -> None:
    after = restore(state, render_difference(wanted, save(state), PREFIX))
    assert is_reached(after, wanted)
    assert render_difference(wanted, save(after), PREFIX) == ""
    assert foreign(after) == foreign(state)


@settings(max_examples=40, deadline=None)
@given(damaged())
def test_clearing_leaves_only_foreign_rules(state: State) -> None:
    after = restore(state, render_difference(NO_RULES, save(state), PREFIX))
    ours = [chain for table in after.values() for chain in table.chains if "nova" in chain]
    assert ours == []
    assert foreign(after) == foreign(state)


def test_guards_of_other_daemons_stay_before_our_accepts() -> None:
    wanted = wanted_rules([make_served()], make_settings())
    state = empty()
    state["filter"].chains["nova-filter-top"] = ["-j nova-compute-local"]
    state["filter"].chains["nova-compute-local"] = []
    state["filter"].chains["FORWARD"] = ["-j LOG", "-j nova-filter-top"]
    after = restore(state, render_difference(wanted, save(state), PREFIX))
    assert after["filter"].chains["FORWARD"] == [
        "-j nova-filter-top",
        f"-j {PREFIX}FORWARD",
        "-j LOG",
    ]
    assert after["filter"].chains["nova-filter-top"] == [
        f"-j {PREFIX}local",
        "-j nova-compute-local",
    ]


def test_only_changed_chains_are_written() -> None:
    before = wanted_rules([make_served()], make_settings())
    state = restore(empty(), render_difference(before, save(empty()), PREFIX))
    after = wanted_rules([make_served()], make_settings(metadata_port=9000))
    lines = render_difference(after, save(state), PREFIX).splitlines()
    assert [line for line in lines if line.startswith(":")] == [
        f":{PREFIX}INPUT - [0:0]",
        f":{PREFIX}PREROUTING - [0:0]",
    ]


def test_saved_text_is_read() -> None:
    text = "# by somebody\n*nat\n:OUTPUT ACCEPT [5:300]\n:x - [0:0]\n-A OUTPUT -j x\nCOMMIT\n"
    assert parse_saved(text)["nat"].chains == {"OUTPUT": ["-j x"], "x": []}
