"""What must be told to iptables-restore so that the kernel agrees with wanted rules.

Only chains of our own are rewritten; of other chains only our jumps are touched.
"""

import dataclasses

from nova.network.iptables import PREFIX, SHARED_CHAINS, Hook, RuleSet, Table

IPTABLES_CHAIN = "- [0:0]"
EBTABLES_CHAIN = "RETURN"


@dataclasses.dataclass(slots=True)
class SavedTable:
    """One table as iptables-save shows it: rules by chain, without counters."""

    chains: dict[str, list[str]] = dataclasses.field(default_factory=dict)


def parse_saved(text: str) -> dict[str, SavedTable]:
    """Return the tables of an iptables-save output by name."""
    tables: dict[str, SavedTable] = {}
    table = SavedTable()
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:].strip(), SavedTable())
        elif line.startswith(":"):
            table.chains.setdefault(line[1:].split(" ", 1)[0], [])
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            table.chains.setdefault(chain, []).append(rule.strip())
    return tables


def render_difference(wanted: RuleSet, saved: str, new_chain: str = IPTABLES_CHAIN) -> str:
    """Return the input for iptables-restore --noflush; empty when nothing differs.

    new_chain: what follows the name of a chain that is made or emptied.
    """
    present = parse_saved(saved)
    parts = [_table_lines(one, present.get(one.name, SavedTable()), new_chain) for one in wanted]
    lines = [
        line
        for table, body in zip(wanted, parts, strict=True)
        if body
        for line in (f"*{table.name}", *body, "COMMIT")
    ]
    return "".join(f"{line}\n" for line in lines)


def _table_lines(table: Table, present: SavedTable, new_chain: str) -> list[str]:
    """Return commands in an order in which each refers only to chains that exist."""
    rewritten = [
        name for name, rules in table.chains.items() if present.chains.get(name) != list(rules)
    ]
    made = [name for name in table.shared if name not in present.chains]
    lines = [f":{name} {new_chain}" for name in (*rewritten, *made)]
    lines += _hook_lines(table, present)
    lines += [f"-A {name} {rule}" for name in rewritten for rule in table.chains[name]]
    return lines + _removal_lines(table, present)


def _hook_lines(table: Table, present: SavedTable) -> list[str]:
    chains = dict.fromkeys(name for name in present.chains if not name.startswith(PREFIX))
    chains.update(dict.fromkeys(hook.chain for hook in table.hooks))
    unused = _unused_shared(table, present)
    return [
        line
        for chain in chains
        for line in _chain_hook_lines(chain, table, present.chains.get(chain, []), unused)
    ]


def _chain_hook_lines(chain: str, table: Table, present: list[str], unused: list[str]) -> list[str]:
    """Return how the jumps of one chain are made complete, single and in order.

    Jumps are moved all together, because one that came before another by accident would
    skip what the other guards.
    """
    wanted = [hook for hook in table.hooks if hook.chain == chain]
    wanted_rules = [hook.rule for hook in wanted]
    ours = [
        rule
        for rule in present
        if rule in wanted_rules or _is_own_jump(rule) or rule in {f"-j {name}" for name in unused}
    ]
    if ours == wanted_rules:
        return []
    return [f"-D {chain} {rule}" for rule in ours] + _insertions(chain, wanted)


def _insertions(chain: str, wanted: list[Hook]) -> list[str]:
    first = [hook.rule for hook in wanted if not hook.at_end]
    last = [hook.rule for hook in wanted if hook.at_end]
    return [f"-I {chain} 1 {rule}" for rule in reversed(first)] + [
        f"-A {chain} {rule}" for rule in last
    ]


def _is_own_jump(rule: str) -> bool:
    return rule.startswith(f"-j {PREFIX}") and " " not in rule[3:]


def _unused_shared(table: Table, present: SavedTable) -> list[str]:
    return [
        name
        for name in SHARED_CHAINS
        if name in present.chains
        and name not in table.shared
        and all(_is_own_jump(rule) for rule in present.chains[name])
    ]


def _removal_lines(table: Table, present: SavedTable) -> list[str]:
    stale = [
        name for name in present.chains if name.startswith(PREFIX) and name not in table.chains
    ]
    unused = _unused_shared(table, present)
    return [f"-F {name}" for name in stale] + [f"-X {name}" for name in (*stale, *unused)]
