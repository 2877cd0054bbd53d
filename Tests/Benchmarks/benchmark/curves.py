"""How cost grows: with clients, with pipelines, with values and with instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from . import targets
from .laboratory import Cell, Laboratory
from .statistics import Growth, growth
from .workloads import KIB, MIB, Operation, Workload, bytes_text


@dataclass(frozen=True)
class Axis:
    """What varies along a curve."""

    name: str
    title: str
    # What a command does at a point, as a workload with that many clients, or that pipeline …
    workload: Callable[[int], Workload]
    # How much work one command is at a point, in any unit.
    work: Callable[[int], float]
    points: Sequence[int]
    quick_points: Sequence[int]
    text: Callable[[int], str] = str

    @property
    def has_instances(self) -> bool:
        """Whether the points are numbers of instances, each with a sidecar of its own."""
        return self.name == "instances"


# Clients of the curves along other axes.
CLIENTS = 50
# Clients of each instance, so that all instances do the same however many there are.
INSTANCE_CLIENTS = 12
# Fewer clients than elsewhere: 50 values of 8 MiB would be more than a proxy or a store may hold.
VALUE_CLIENTS = 10

# A command is about as much work as this many bytes of its value: a SET of 16 KiB costs twice as much as one of 16 B.
BYTES_OF_A_COMMAND = 16 * KIB

AXES = [
    Axis(
        "clients",
        "clients",
        lambda clients: Workload(Operation.SET, clients, 1, 16),
        lambda _: 1,
        (1, 10, 100, 1000, 10_000),
        (1, 10, 100),
    ),
    Axis(
        "pipeline",
        "pipeline depth",
        lambda depth: Workload(Operation.SET, CLIENTS, depth, 16),
        lambda _: 1,
        (1, 4, 16, 64, 256, 1000),
        (1, 16, 128),
    ),
    Axis(
        "values",
        "value size",
        lambda size: Workload(Operation.SET, VALUE_CLIENTS, 1, size),
        lambda size: BYTES_OF_A_COMMAND + size,
        (16, KIB, 16 * KIB, 128 * KIB, MIB, 8 * MIB),
        (16, 16 * KIB, MIB),
        bytes_text,
    ),
    Axis(
        "instances",
        "instances",
        lambda instances: Workload(Operation.SET, INSTANCE_CLIENTS * instances, 1, 16),
        lambda _: 1,
        (1, 2, 4, 8),
        (1, 8),
    ),
]

# What the curves show; twemproxy and Envoy have no instances.
SHOWN = (targets.DIRECT, targets.SIDECAR_OFF, targets.SIDECAR_DUAL, targets.TWEMPROXY, targets.ENVOY)
SIDECARS = (targets.SIDECAR_OFF, targets.SIDECAR_DUAL)


@dataclass
class Curve:
    """One axis, with a cell for each point."""

    name: str
    title: str
    points: list[int]
    texts: list[str]
    work: list[float]
    cells: list[Cell]

    def costs(self, target: str) -> list[tuple[int, float]]:
        """Microseconds of processor time for a command, at each point that has figures.

        A load that was too short for a tick of the kernel's clock has none.
        """
        found = [(point, cell.find(target)) for point, cell in zip(self.points, self.cells, strict=False)]
        costs = [(point, median(one.cost for one in series.samples)) for point, series in found if series]
        return [(point, cost) for point, cost in costs if cost > 0]

    def growth(self, target: str) -> Growth | None:
        """Where the cost of a target grows most beyond its work; None with fewer than two points."""
        costs = self.costs(target)
        if len(costs) < 2:
            return None
        work = dict(zip(self.points, self.work, strict=True))
        points = [point for point, _ in costs]
        return growth(points, [cost for _, cost in costs], [work[point] for point in points])


def measure_point(laboratory: Laboratory, axis: Axis, point: int, rounds: int) -> Cell:
    """One point of a curve."""
    workload = axis.workload(point)
    with laboratory.part() as proxies:
        if axis.has_instances:
            shown = [targets.direct(laboratory.old, point)]
            shown += [targets.sidecar(proxies, kind, point) for kind in SIDECARS]
        else:
            shown = targets.start(proxies, laboratory.old, workload.operation, SHOWN)
        name, title = f"curve/{axis.name}/{point}", f"{axis.title}: {axis.text(point)}"
        return laboratory.rounds(name, title, shown, workload, rounds)
