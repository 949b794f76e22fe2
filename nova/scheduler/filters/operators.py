"""The operator language of extra specs: ``<op> value``.

Source: scheduler-and-placement, extra-spec operators.
"""

import itertools
import operator
from collections.abc import Callable

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
_TEXTUAL: dict[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s>=": operator.ge,
    "s>": operator.gt,
    "s<=": operator.le,
    "s<": operator.lt,
}


def matches(value: str, requirement: str) -> bool:
    """Tell whether a value meets a requirement; without operator they must be equal."""
    words = requirement.split()
    if not words:
        return value == requirement
    symbol, operands = words[0], words[1:]
    if symbol in _NUMERIC:
        return _matches_number(value, symbol, operands)
    if symbol in _TEXTUAL:
        return bool(operands) and _TEXTUAL[symbol](value, operands[0])
    if symbol == "<in>":
        return bool(operands) and operands[0] in value
    if symbol == "<all-in>":
        return all(operand in value for operand in operands)
    if symbol == "<or>":
        return value in _alternatives(words)
    return value == requirement


def _matches_number(value: str, symbol: str, operands: list[str]) -> bool:
    try:
        return bool(operands) and _NUMERIC[symbol](float(value), float(operands[0]))
    except ValueError:
        return False


def _alternatives(words: list[str]) -> list[str]:
    """Return the words that each follow an ``<or>``."""
    return [word for mark, word in itertools.pairwise(words) if mark == "<or>"]
