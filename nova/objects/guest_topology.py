"""How the virtual processors of a guest are arranged: sockets, cores and threads.  Pure.

Source: virt-driver, sections 2 and 3.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping

from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import Wishes, refuse

_PARTS = ("sockets", "cores", "threads")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CpuTopology:
    """The product of all three is the number of VCPUs."""

    sockets: int
    cores: int
    threads: int


def cpu_topology(flavor: Flavor, image_properties: Mapping[str, str]) -> CpuTopology | None:
    """Return the arrangement that suits best, None when nobody has a wish.

    Limits (cpu_max_*) are kept; the flavor's win over the image's.  Wishes are met as well
    as the number of VCPUs allows, the flavor's before the image's; among equals the one with
    most sockets is taken.
    Raises: Invalid when no arrangement keeps the limits, or when all three are wished for
    and do not make up the VCPUs.
    """
    wishes = Wishes(flavor, image_properties)
    limits = {part: _limit(wishes, part) for part in _PARTS}
    wanted = {part: _wanted(wishes, part, limits[part]) for part in _PARTS}
    if not any(wanted.values()) and not any(limits.values()):
        return None
    sockets, cores, threads = (wanted[part] for part in _PARTS)
    if sockets and cores and threads and sockets * cores * threads != flavor.vcpus:
        refuse(
            f"{sockets} sockets with {cores} cores of {threads} threads each "
            f"do not make up the {flavor.vcpus} VCPUs of the flavor."
        )
    possible = [found for found in _arrangements(flavor.vcpus) if _within(found, limits)]
    if not possible:
        refuse(f"No arrangement of {flavor.vcpus} VCPUs keeps within the limits hw:cpu_max_*.")
    return max(possible, key=lambda found: (_met(found, wanted), found.sockets, found.cores))


def _limit(wishes: Wishes, part: str) -> int | None:
    flavor, image = wishes.count(f"cpu_max_{part}")
    if flavor and image and image > flavor:
        refuse(f"The image's hw_cpu_max_{part} of {image} is above the flavor's limit {flavor}.")
    return image or flavor


def _wanted(wishes: Wishes, part: str, limit: int | None) -> int | None:
    flavor, image = wishes.count(f"cpu_{part}")
    wanted = flavor or image
    if wanted and limit and wanted > limit:
        refuse(f"{wanted} {part} are wished for, but the limit hw:cpu_max_{part} is {limit}.")
    return wanted


def _arrangements(vcpus: int) -> Iterator[CpuTopology]:
    for sockets in _divisors(vcpus):
        rest = vcpus // sockets
        for cores in _divisors(rest):
            yield CpuTopology(sockets=sockets, cores=cores, threads=rest // cores)


def _divisors(number: int) -> set[int]:
    small = [count for count in range(1, math.isqrt(number) + 1) if number % count == 0]
    return {*small, *(number // count for count in small)}


def _within(found: CpuTopology, limits: Mapping[str, int | None]) -> bool:
    return all(limit is None or getattr(found, part) <= limit for part, limit in limits.items())


def _met(found: CpuTopology, wanted: Mapping[str, int | None]) -> int:
    """Return how many wishes an arrangement meets."""
    return sum(1 for part, wish in wanted.items() if wish and getattr(found, part) == wish)
