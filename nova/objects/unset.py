"""The value of a field that was not given, in change objects and requests."""

import enum
from typing import Final


class UnsetType(enum.Enum):
    """Type of the one value UNSET; the codec leaves such fields out."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = UnsetType.UNSET
