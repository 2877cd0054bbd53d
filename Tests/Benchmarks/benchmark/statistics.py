"""Medians and spreads. Machines are noisy: what is compared was measured in the same round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of some values, the least and the greatest of them."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(median(values), min(values), max(values))


def ratios(values: Sequence[float], references: Sequence[float]) -> Spread:
    """The spread of the quotients of values and references that belong to the same round."""
    return spread([value / reference for value, reference in zip(values, references, strict=True)])


def differences(values: Sequence[float], references: Sequence[float]) -> Spread:
    """The spread of the differences of values and references that belong to the same round."""
    return spread([value - reference for value, reference in zip(values, references, strict=True)])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values, which are in ascending order, that is not below this share of them."""
    if not ordered:
        raise ValueError("no values")
    # -(-a // b) rounds up. The rounding keeps 0.999 * 1000 from being a little more than 999.
    rank = int(-(-round(share * len(ordered), 9) // 1))
    return ordered[min(len(ordered), max(1, rank)) - 1]


@dataclass(frozen=True)
class Growth:
    """How a cost grows along a curve."""

    # The greatest ratio of a point's cost for a unit of work to the least cost at any smaller point.
    factor: float
    # Where that is.
    at: float


def growth(points: Sequence[float], costs: Sequence[float], work: Sequence[float]) -> Growth:
    """Finds where cost grows faster than work does.

    For each point there is what one command costs and how much work it is: the same everywhere for more clients, and
    more for larger values. Dividing one by the other, nothing but noise should be left above 1.
    """
    least, worst = float("inf"), Growth(1.0, points[0])
    for point, cost, amount in zip(points, costs, work, strict=True):
        share = cost / amount
        if share > least and share / least > worst.factor:
            worst = Growth(share / least, point)
        least = min(least, share)
    return worst
