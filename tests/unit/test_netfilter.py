"""Changing rules beside another daemon that changes what is shared."""

import pytest

from nova.netfilter import Outcome, change_until_equal

OWN, JUMP = "-A nova-network-local -j DROP\n", "-I FORWARD 1 -j nova-filter-top\n"
GOOD, BAD = (0, "", ""), (1, "", "Chain already exists")


class Kernel:
    """Differs as told, once after the other, and answers to changes as told."""

    def __init__(self, differences: list[str], outcomes: list[Outcome]) -> None:
        self._differences, self._outcomes = differences, outcomes

    def change(self) -> Outcome | None:
        """Change what differs."""
        return change_until_equal(lambda: self._differences.pop(0), self._restore)

    def _restore(self, text: str) -> Outcome:
        assert text
        return self._outcomes.pop(0)

    @property
    def left(self) -> int:
        """How many differences nobody looked at."""
        return len(self._differences)


@pytest.mark.parametrize(
    ("differences", "outcomes", "ended"),
    [
        ([""], [], None),
        ([OWN], [GOOD], GOOD),
        ([OWN, OWN], [BAD, GOOD], GOOD),
        ([OWN, ""], [BAD], GOOD),
        ([JUMP, ""], [GOOD], GOOD),
        ([JUMP, JUMP, ""], [GOOD, GOOD], GOOD),
        ([OWN] * 4, [BAD] * 4, BAD),
    ],
)
def test_net_09_rules_are_changed_until_nothing_differs(
    differences: list[str], outcomes: list[Outcome], ended: Outcome | None
) -> None:
    kernel = Kernel(differences, outcomes)
    assert kernel.change() == ended
    assert kernel.left == 0


def test_change_ends_although_another_undoes_it_each_time() -> None:
    kernel = Kernel([JUMP] * 9, [GOOD] * 9)
    assert kernel.change() == GOOD
    assert kernel.left == 5
