"""Drawings in SVG: shapes, text and scales. Nothing here knows what is drawn.

A drawing has no background, and greys and colours of middling lightness, so that it can be read on light and on dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

GREY = "#7d8590"
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
MARKERS = ("circle", "square", "diamond", "triangle")


class Drawing:
    """Shapes in the order in which they are painted; the origin is at the top left."""

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        self.width = width
        self.height = height
        self._title = title
        self._description = description
        self._shapes: list[str] = []

    def text(self, x: float, y: float, text: str, size: float = 12, anchor: str = "start", **style: str) -> None:
        """Text on a base line. The anchor is start, middle or end."""
        extra = "".join(f" {name.replace('_', '-')}={quoteattr(value)}" for name, value in style.items())
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{GREY}"'
        self._shapes.append(f"<text {place}{extra}>{escape(text)}</text>")

    def line(self, x1: float, y1: float, x2: float, y2: float, width: float = 1, opacity: float = 1) -> None:
        """A straight grey line."""
        self._shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{GREY}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"/>'
        )

    def bar(self, x: float, y: float, width: float, height: float, color: str, opacity: float = 1) -> None:
        """A filled rectangle."""
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" '
            f'fill="{color}" fill-opacity="{opacity:g}"/>'
        )

    def polyline(self, points: Sequence[tuple[float, float]], color: str) -> None:
        """Straight lines from point to point."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')

    def marker(self, x: float, y: float, kind: str, color: str) -> None:
        """A small sign: one of MARKERS, so that lines are told apart without their colours."""
        paths = {
            "square": "M-3.5,-3.5h7v7h-7z",
            "diamond": "M0,-5L5,0L0,5L-5,0z",
            "triangle": "M0,-5L4.5,3.5h-9z",
        }
        if kind == "circle":
            self._shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>')
            return
        self._shapes.append(f'<path transform="translate({x:.1f},{y:.1f})" d="{paths[kind]}" fill="{color}"/>')

    def render(self) -> str:
        """The whole file."""
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
                f'width="{self.width:g}" height="{self.height:g}" font-family="{FONT}" role="img">',
                f"<title>{escape(self._title)}</title>",
                f"<desc>{escape(self._description)}</desc>",
                *self._shapes,
                "</svg>",
                "",
            ]
        )


@dataclass(frozen=True)
class Scale:
    """Maps values to places along an axis."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value is."""
        low, high = self._measure(self.low), self._measure(self.high)
        return self.start + (self._measure(value) - low) / (high - low) * (self.end - self.start)

    def _measure(self, value: float) -> float:
        return math.log10(value) if self.is_logarithmic else value


def linear_ticks(high: float, count: int = 5) -> list[float]:
    """Round values from 0 to at least `high`, about as many as asked for."""
    if high <= 0:
        return [0.0, 1.0]
    step = _round_up(high / count)
    return [step * number for number in range(math.ceil(round(high / step, 6)) + 1)]


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten around some positive values; fewer where there are many powers."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in steps]
    below = [value for value in values if value <= low] or values[:1]
    above = [value for value in values if value >= high] or values[-1:]
    return [value for value in values if below[-1] <= value <= above[0]]


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= value * (1 - 1e-9))
