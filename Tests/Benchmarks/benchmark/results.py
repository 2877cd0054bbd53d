"""All that a run has found, and how targets compare under one load."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from .curves import Curve
from .laboratory import Cell, Series
from .machine import Machine
from .memory import IdleMemory, Soak
from .scrapes import ScrapeCost
from .statistics import Spread, differences, ratios, spread
from .tls import ClientMemory


@dataclass
class Results:
    """Filled while a run goes on, so that what is there can be shown when it is interrupted."""

    command: str
    started: str
    machine: Machine
    layout: str
    versions: dict[str, str]
    rounds: int
    seconds: float
    is_smoke_run: bool
    # Whether --only has chosen some parts.
    is_selection: bool = False
    cells: list[Cell] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    scrapes: list[ScrapeCost] = field(default_factory=list)
    idle: list[IdleMemory] = field(default_factory=list)
    tls_clients: ClientMemory | None = None
    soak: Soak | None = None
    # Loads that were not put on at all, and why.
    left_out: list[str] = field(default_factory=list)
    minutes: float = 0.0
    is_complete: bool = False

    def cell(self, workload: str, part: str = "matrix") -> Cell | None:
        """The measurements under a load of that name, in a part of the run."""
        return next((cell for cell in self.cells if cell.name == f"{part}/{workload}"), None)

    @property
    def problems(self) -> list[str]:
        """Why targets have no figures, in every part of the run."""
        cells = [*self.cells, *(cell for curve in self.curves for cell in curve.cells)]
        pairs = [(cell, each) for cell in cells for each in cell.series]
        found = [f"{cell.title}: {each.title}: {each.problem}" for cell, each in pairs if each.problem]
        found += [f"{cost.name}: {cost.problem}" for cost in self.scrapes if cost.problem]
        return found + ([f"soak: {self.soak.problem}"] if self.soak and self.soak.problem else [])


@dataclass(frozen=True)
class Comparison:
    """One target beside the reference. Latencies are microseconds, processor time seconds for a million commands."""

    target: str
    title: str
    throughput: Spread
    ratio: Spread
    added_p50: Spread
    added_p99: Spread
    added_p999: Spread
    user: float
    system: float
    peak_bytes: float
    others: float


def compare(cell: Cell) -> list[Comparison]:
    """All targets with figures beside the cell's reference; nothing if that has none."""
    reference = cell.find(cell.reference)
    if reference is None:
        return []
    return [_compare(series, reference) for series in cell.series if not series.problem]


def _compare(series: Series, reference: Series) -> Comparison:
    def added(latency: str) -> Spread:
        return differences(
            [getattr(sample, latency) for sample in series.samples],
            [getattr(sample, latency) for sample in reference.samples],
        )

    return Comparison(
        target=series.target,
        title=series.title,
        throughput=spread(series.throughputs),
        ratio=ratios(series.throughputs, reference.throughputs),
        added_p50=added("p50"),
        added_p99=added("p99"),
        added_p999=added("p999"),
        user=median(sample.user / sample.commands * 1e6 for sample in series.samples),
        system=median(sample.system / sample.commands * 1e6 for sample in series.samples),
        peak_bytes=median(sample.peak_bytes for sample in series.samples),
        others=median(sample.others / sample.commands * 1e6 for sample in series.samples),
    )
