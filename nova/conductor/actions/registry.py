"""The rules of every action of lifecycle.ACTIONS; most have none of their own."""

from nova.conductor.actions.base import ActionRules

_PLAIN = ActionRules()

_RULES: dict[str, ActionRules] = {}


def rules_of(action: str) -> ActionRules:
    """Return the rules of an action."""
    return _RULES.get(action, _PLAIN)
