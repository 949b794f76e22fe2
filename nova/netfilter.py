"""Rules of the kernel's packet filter as values, and how to get there from what is there.

Each daemon owns the chains whose names begin with its prefix.  Only these are rewritten; of
other chains only jumps of its own are touched.  Rules are written in the form in which
iptables-save prints them, so that equal rules are equal texts.  Pure, but for what
change_until_equal() is told to call.
"""

import dataclasses
from collections.abc import Callable, Mapping

FILTER_TOP = "nova-filter-top"
POSTROUTING_BOTTOM = "nova-postrouting-bottom"
SHARED_CHAINS = (FILTER_TOP, POSTROUTING_BOTTOM)
IPTABLES_CHAIN = "- [0:0]"
EBTABLES_CHAIN = "RETURN"

Outcome = tuple[int, str, str]
_ATTEMPTS = 4
_DONE: Outcome = (0, "", "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A jump out of a chain that is not ours alone."""

    chain: str
    rule: str
    at_end: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What we want in one table: chains of our own by full name, and jumps to them."""

    name: str
    chains: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    hooks: tuple[Hook, ...] = ()
    shared: tuple[str, ...] = ()


RuleSet = tuple[Table, ...]


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


def render_difference(
    wanted: RuleSet, saved: str, prefix: str, new_chain: str = IPTABLES_CHAIN
) -> str:
    """Return the input for iptables-restore --noflush; empty when nothing differs.

    prefix: what the names of all own chains begin with.
    new_chain: what follows the name of a chain that is made or emptied.
    """
    present = parse_saved(saved)
    parts = [
        _Difference(one, present.get(one.name, SavedTable()), prefix).lines(new_chain)
        for one in wanted
    ]
    lines = [
        line
        for table, body in zip(wanted, parts, strict=True)
        if body
        for line in (f"*{table.name}", *body, "COMMIT")
    ]
    return "".join(f"{line}\n" for line in lines)


@dataclasses.dataclass(frozen=True, slots=True)
class _Difference:
    """How one table comes from what is present to what a daemon wants."""

    table: Table
    present: SavedTable
    prefix: str

    def lines(self, new_chain: str) -> list[str]:
        """Return commands in an order in which each refers only to chains that exist.

        A shared chain is made with -N: when another daemon has made it in the meantime the
        whole table fails, where :NAME would empty it.
        """
        table, present = self.table, self.present.chains
        rewritten = [name for name, rules in table.chains.items() if present.get(name) != [*rules]]
        lines = [f":{name} {new_chain}" for name in rewritten]
        lines += [f"-N {name}" for name in table.shared if name not in present]
        lines += self._hook_lines()
        lines += [f"-A {name} {rule}" for name in rewritten for rule in table.chains[name]]
        return lines + self._removal_lines()

    def _hook_lines(self) -> list[str]:
        chains = dict.fromkeys(
            name for name in self.present.chains if not name.startswith(self.prefix)
        )
        chains.update(dict.fromkeys(hook.chain for hook in self.table.hooks))
        unused = self._unused_shared()
        return [line for chain in chains for line in self._chain_hook_lines(chain, unused)]

    def _chain_hook_lines(self, chain: str, unused: list[str]) -> list[str]:
        """Return how the jumps of one chain are made complete, single and in order.

        Jumps are moved all together, because one that came before another by accident would
        skip what the other guards.
        """
        wanted = [hook for hook in self.table.hooks if hook.chain == chain]
        wanted_rules = [hook.rule for hook in wanted]
        ours = [
            rule
            for rule in self.present.chains.get(chain, [])
            if rule in wanted_rules
            or self._is_own_jump(rule)
            or rule in {f"-j {name}" for name in unused}
        ]
        if ours == wanted_rules:
            return []
        return [f"-D {chain} {rule}" for rule in ours] + _insertions(chain, wanted)

    def _is_own_jump(self, rule: str) -> bool:
        return rule.startswith(f"-j {self.prefix}") and " " not in rule[3:]

    def _unused_shared(self) -> list[str]:
        present = self.present.chains
        return [
            name
            for name in SHARED_CHAINS
            if name in present
            and name not in self.table.shared
            and all(self._is_own_jump(rule) for rule in present[name])
        ]

    def _removal_lines(self) -> list[str]:
        stale = [
            name
            for name in self.present.chains
            if name.startswith(self.prefix) and name not in self.table.chains
        ]
        unused = self._unused_shared()
        return [f"-F {name}" for name in stale] + [f"-X {name}" for name in (*stale, *unused)]


def change_until_equal(
    difference: Callable[[], str], restore: Callable[[str], Outcome]
) -> Outcome | None:
    """Change what differs; return how that ended, None when nothing differed.

    Another daemon may change what is shared between our reading and writing.  Then a step may
    fail as a whole; it is computed anew.  Or nftables does the step once more by itself, and
    jumps that both daemons made are there twice; so a step with jumps is looked at again.
    """
    outcome = None
    for _ in range(_ATTEMPTS):
        text = difference()
        if not text:
            return outcome and _DONE
        outcome = restore(text)
        if outcome[0] == 0 and not _has_insertions(text):
            break
    return outcome


def _has_insertions(difference: str) -> bool:
    return any(line.startswith("-I ") for line in difference.splitlines())


def _insertions(chain: str, wanted: list[Hook]) -> list[str]:
    first = [hook.rule for hook in wanted if not hook.at_end]
    last = [hook.rule for hook in wanted if hook.at_end]
    return [f"-I {chain} 1 {rule}" for rule in reversed(first)] + [
        f"-A {chain} {rule}" for rule in last
    ]
