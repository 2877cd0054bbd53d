"""Tables for a terminal and for Markdown, and how numbers are written in them."""

from __future__ import annotations

from dataclasses import dataclass

from .statistics import Spread
from .workloads import MIB


@dataclass(frozen=True)
class Table:
    """Rows of text below a row of headings; all columns but the first hold figures, unless `left` says otherwise."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    left: frozenset[int] = frozenset({0})

    def text(self) -> str:
        """In columns, for a terminal."""
        lines = [self.headings, *self.rows]
        widths = [max(len(row[column]) for row in lines) for column in range(len(self.headings))]

        def line(row: list[str]) -> str:
            cells = (
                cell.ljust(width) if column in self.left else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            return ("  " + "  ".join(cells)).rstrip()

        return "\n".join([self.title, *map(line, lines)])

    def markdown(self) -> str:
        """As Markdown, with the title as a heading."""
        alignment = ["---" if column in self.left else "---:" for column in range(len(self.headings))]
        lines = [self.headings, alignment, *([cell.replace("|", "\\|") for cell in row] for row in self.rows)]
        return "\n".join([f"#### {self.title}", "", *(f"| {' | '.join(row)} |" for row in lines)])


def thousands(value: float) -> str:
    """Commands in a second: 34, 52.3k, 427k, 1.35M."""
    if value >= 999_500:
        return f"{value / 1e6:.2f}M"
    if value >= 99_950:
        return f"{value / 1000:.0f}k"
    return f"{value / 1000:.1f}k" if value >= 1000 else f"{value:.0f}"


def ratio(value: Spread) -> str:
    """A ratio with its spread: 0.87 (0.81–0.90)."""
    return f"{value.median:.2f} ({value.low:.2f}–{value.high:.2f})"


def microseconds(value: float, signed: bool = False) -> str:
    """A latency: 12.3 µs, 340 µs, 1.25 ms."""
    sign = "+" if signed and value >= 0 else ""
    if abs(value) >= 1000:
        return f"{sign}{value / 1000:.2f} ms"
    return f"{sign}{value:.1f} µs" if abs(value) < 100 else f"{sign}{value:.0f} µs"


def mebibytes(count: float) -> str:
    """Memory in MiB."""
    return f"{count / MIB:.1f}"


def quantity(value: float, unit: str) -> str:
    """A figure of a goal."""
    if unit == "µs":
        return microseconds(value)
    return f"{value:.2f}×" if unit == "×" else f"{value:.1f} {unit}"
