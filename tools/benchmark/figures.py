"""Figures from samples."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Milliseconds of some equal pieces of work; p50 is the median."""

    n: int
    p50: float
    p95: float
    least: float
    most: float


def spread(samples_ms: Sequence[float]) -> Spread:
    """Return the figures of at least one sample."""
    ordered = sorted(samples_ms)
    rank = max(0, math.ceil(0.95 * len(ordered)) - 1)
    return Spread(
        n=len(ordered),
        p50=round(statistics.median(ordered), 2),
        p95=round(ordered[rank], 2),
        least=round(ordered[0], 2),
        most=round(ordered[-1], 2),
    )
