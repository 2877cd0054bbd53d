"""What every part of a run needs: the stores, the cores, the folder, and how to measure in rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from .certificates import make_certificates
from .load import whole_commands
from .machine import Layout
from .measure import Refused, Sample, measure
from .processes import Processes, free_port
from .progress import Progress
from .proxies import Proxies
from .stores import Data, Store
from .targets import DIRECT, Target
from .workloads import Workload

# The first look at a target's speed, before the load is chosen: this much of a measurement's time is enough.
WARM_UP_SHARE = 0.25

Value = TypeVar("Value")


@dataclass
class Series:
    """All measurements of one target under one load, a sample for each round."""

    target: str
    title: str
    samples: list[Sample] = field(default_factory=list)
    # Why the target has no figures here; None if it has.
    problem: str | None = None

    @property
    def throughputs(self) -> list[float]:
        """Commands in a second, by round."""
        return [sample.throughput for sample in self.samples]


@dataclass
class Cell:
    """One load on all targets."""

    name: str
    title: str
    series: list[Series]
    # The target that the others are compared with.
    reference: str = DIRECT

    def find(self, target: str) -> Series | None:
        """A target's measurements, if there are any to be shown."""
        return next((each for each in self.series if each.target == target and not each.problem), None)


class Laboratory:
    """Two stores, and everything that is started before them; see laboratory()."""

    def __init__(self, layout: Layout, sidecar: Path, seconds: float, processes: Processes, progress: Progress) -> None:
        self.layout = layout
        self.seconds = seconds
        self.progress = progress
        self._folder = processes.folder
        certificates = make_certificates(processes.folder)
        self.old = Store("old", free_port(), processes, layout.stores, certificates)
        self.new = Store("new", free_port(), processes, layout.stores, certificates)
        self.proxies = Proxies(self.old, self.new, processes, layout.proxy, [str(sidecar)])
        self._data = Data(self.old, self.new)

    @contextmanager
    def part(self) -> Iterator[Proxies]:
        """Proxies that end with a part of the run."""
        with Processes(self._folder) as processes:
            yield self.proxies.with_processes(processes)

    def prepare(self, workload: Workload) -> None:
        """Makes the stores hold what the load asks for."""
        self._data.prepare(workload.keys, workload.value_bytes)

    def rounds(
        self,
        name: str,
        title: str,
        targets: list[Target],
        workload: Workload,
        count: int,
        seconds: float | None = None,
    ) -> Cell:
        """Measures all targets in turn, again and again (A B C A B C …), after a warm-up of each.

        Each measurement takes the laboratory's time unless another is given.
        """
        self.prepare(workload)
        cell = Cell(name, title, [Series(target.name, target.title_for(workload.operation)) for target in targets])
        every = list(zip(cell.series, targets, strict=True))
        commands: dict[str, int] = {}
        for series, target in every:
            self.progress.step(title, "warm-up", target.title)
            commands[target.name] = self._guarded(series, lambda: self.commands_for(target, workload, seconds)) or 0
        for number in range(count):
            for series, target in every:
                if series.problem is None:
                    self.progress.step(title, f"round {number + 1}/{count}", target.title)
                    sample = self._guarded(series, lambda: self.measure(target, workload, commands[target.name]))
                    if sample is not None:
                        series.samples.append(sample)
        return cell

    def measure(self, target: Target, workload: Workload, commands: int) -> Sample:
        """One measurement."""
        return measure(target, workload, commands, (self.old, self.new), self.layout.load)

    def commands_for(self, target: Target, workload: Workload, seconds: float | None = None) -> int:
        """How many commands take a measurement's time. Finding that out warms the target up."""
        wanted = self.seconds if seconds is None else seconds
        commands = whole_commands(0, target.ports, workload)
        while True:
            first = self.measure(target, workload, commands)
            if first.seconds >= wanted * WARM_UP_SHARE:
                return whole_commands(first.throughput * wanted, target.ports, workload)
            # No more than tenfold at once, since what was seen so far was too short to be trusted.
            factor = min(10.0, max(1.5, 1.2 * wanted * WARM_UP_SHARE / first.seconds))
            commands = whole_commands(commands * factor, target.ports, workload)

    @staticmethod
    def _guarded(series: Series, action: Callable[[], Value]) -> Value | None:
        """A target that did not do what was asked has no figures under this load; the others have."""
        try:
            return action()
        except Refused as refused:
            series.problem = str(refused)
            series.samples.clear()
            return None


@contextmanager
def laboratory(layout: Layout, sidecar: Path, seconds: float, progress: Progress) -> Iterator[Laboratory]:
    """A laboratory in a temporary folder, gone at the end with all its processes."""
    with TemporaryDirectory(prefix="multistore-benchmark-") as folder, Processes(Path(folder)) as processes:
        found = Laboratory(layout, sidecar, seconds, processes, progress)
        try:
            yield found
        finally:
            found.old.close()
            found.new.close()
