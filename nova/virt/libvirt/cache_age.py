"""Which base images have been unused for so long that they can go: a pure decision."""

import dataclasses
from collections.abc import Iterable, Set

_GRACE_S = 60


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgeRules:
    """When unused bases may be removed; an age counts from the last use, in seconds."""

    remove_unused: bool = True
    original_age_s: int = 86400
    empty_age_s: int = 3600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BaseFile:
    """A base image; last_used_s in seconds since the epoch."""

    name: str
    last_used_s: float


def expired(
    bases: Iterable[BaseFile], in_use: Set[str], now_s: float, rules: AgeRules
) -> list[str]:
    """Return the names of those that can be removed, the longest unused first.

    A base that was asked for within the last minute stays under any rule, because a disk
    may be about to be laid over it.
    """
    if not rules.remove_unused:
        return []
    idle = [base for base in bases if base.name not in in_use]
    old = [base for base in idle if now_s - base.last_used_s >= _minimum_age(base, rules)]
    return [base.name for base in sorted(old, key=lambda base: base.last_used_s)]


def _minimum_age(base: BaseFile, rules: AgeRules) -> int:
    made_here = base.name.startswith(("ephemeral_", "swap_"))
    return max(_GRACE_S, rules.empty_age_s if made_here else rules.original_age_s)
