"""How the addresses of a device are brought into order."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AddressPlan:
    """Addresses to remove, then addresses to add, each in this order."""

    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()


def plan_addresses(
    present: Sequence[str], wanted: Sequence[str], former: Sequence[str] = ()
) -> AddressPlan:
    """Return the changes after which wanted comes first, then foreign addresses.

    former: addresses that were wanted once and go when they are no longer.
    """
    foreign = [one for one in present if one not in wanted and one not in former]
    aim = [*wanted, *foreign]
    kept = 0
    while kept < min(len(present), len(aim)) and present[kept] == aim[kept]:
        kept += 1
    return AddressPlan(remove=tuple(present[kept:]), add=tuple(aim[kept:]))
