"""Single wishes of flavors (hw:name) and images (hw_name), read and compared.  Pure."""

import re
from collections.abc import Mapping
from typing import NoReturn

from nova import exception
from nova.objects.flavor import Flavor

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
MAX_CPUS = 4096


class Wishes:
    """What a flavor and an image say about the same thing.

    A name such as cpu_policy stands for the flavor's hw:cpu_policy and the image's
    hw_cpu_policy.
    """

    def __init__(self, flavor: Flavor, image_properties: Mapping[str, str]) -> None:
        self.flavor = flavor
        self._image = image_properties

    def of_flavor(self, name: str) -> str | None:
        """Return the flavor's wish."""
        return (self.flavor.extra_specs.get(f"hw:{name}") or "").strip() or None

    def of_image(self, name: str) -> str | None:
        """Return the image's wish."""
        return (self._image.get(f"hw_{name}") or "").strip() or None

    def agreed(self, name: str) -> str | None:
        """Return the wish of whoever has one.  Raises: Invalid when both differ."""
        flavor, image = self.of_flavor(name), self.of_image(name)
        if flavor and image and flavor != image:
            refuse(f"The flavor's hw:{name} is {flavor}, but the image's hw_{name} is {image}.")
        return flavor or image

    def choice(self, name: str, words: tuple[str, ...]) -> tuple[str | None, str | None]:
        """Return both wishes, each one of words.  Raises: Invalid."""
        for sign, value in ((":", self.of_flavor(name)), ("_", self.of_image(name))):
            if value is not None and value not in words:
                refuse(f"hw{sign}{name} must be one of {', '.join(words)}.")
        return self.of_flavor(name), self.of_image(name)

    def count(self, name: str) -> tuple[int | None, int | None]:
        """Return both wishes as numbers from 1.  Raises: Invalid."""
        flavor = number(f"hw:{name}", self.of_flavor(name))
        return flavor, number(f"hw_{name}", self.of_image(name))

    def flag(self, name: str) -> bool:
        """Tell whether the flavor, or else the image, says yes.  Raises: Invalid."""
        value = self.of_flavor(name) or self.of_image(name)
        return value is not None and truth(f"hw:{name}", value)


def refuse(reason: str) -> NoReturn:
    """Refuse what flavor and image ask for."""
    raise exception.Invalid(reason=reason)


def number(name: str, value: str | None, minimum: int = 1) -> int | None:
    """Return a whole number, None for none.  Raises: Invalid."""
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < minimum:
        refuse(f"{name} must be a whole number from {minimum}.")
    return int(value)


def truth(name: str, value: str) -> bool:
    """Return what a word for yes or no says.  Raises: Invalid."""
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        refuse(f"{name} must be yes or no.")
    return word in _TRUE


def cpu_set(name: str, value: str) -> frozenset[int]:
    """Return the processors of a list such as 0-3,^1.  Raises: Invalid."""
    chosen: set[int] = set()
    excluded: set[int] = set()
    for part in filter(None, (part.strip() for part in value.split(","))):
        match = re.fullmatch(r"(\^?)\s*([0-9]{1,4})(?:\s*-\s*([0-9]{1,4}))?", part)
        if match is None:
            refuse(f"{name} must be a list of processors such as 0-3,^1.")
        first, last = int(match[2]), int(match[3] or match[2])
        if last < first or last >= MAX_CPUS:
            refuse(f"{name} must be a list of processors such as 0-3,^1.")
        (excluded if match[1] else chosen).update(range(first, last + 1))
    return frozenset(chosen - excluded)


def cpu_mask(name: str, value: str, vcpus: int) -> frozenset[int]:
    """Return virtual processors; a list of nothing but exclusions begins with all of them.

    Raises: Invalid when one lies beyond vcpus.
    """
    everything = f"0-{vcpus - 1}"
    only_excluded = all(part.strip().startswith("^") for part in value.split(",") if part.strip())
    found = cpu_set(name, f"{everything},{value}" if only_excluded else value)
    if any(cpu >= vcpus for cpu in found):
        refuse(f"{name} names processors that a server of {vcpus} VCPUs does not have.")
    return found
