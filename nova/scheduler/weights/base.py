"""What a weigher is, and how weights are put on one scale."""

from collections.abc import Sequence
from typing import ClassVar

from nova.objects.request_spec import RequestSpec
from nova.objects.server_group import GroupPolicy
from nova.scheduler.host_state import HostState


class HostWeigher:
    """Gives each host a number; higher is better for a positive multiplier.

    option: name of the option in [filter_scheduler] that multiplies the normalised number; an
    aggregate's metadata of the same name holds for its hosts.
    group_policy: the policy of server groups that the weigher looks after.
    """

    option: ClassVar[str]
    group_policy: ClassVar[GroupPolicy | None] = None

    def __init__(self, multiplier: float) -> None:
        self.multiplier = multiplier

    def multiplier_for(self, host: HostState) -> float:
        """Return the multiplier of a host: the least of its aggregates', else the option's."""
        given = host.aggregate_numbers(self.option)
        return min(given) if given else self.multiplier

    def value(self, host: HostState, spec: RequestSpec) -> float:
        """Return the host's number."""
        raise NotImplementedError


def normalised(values: Sequence[float]) -> list[float]:
    """Return values on a scale from 0 (least) to 1 (most); all equal gives 0."""
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [0.0] * len(values)
    return [(value - low) / (high - low) for value in values]
