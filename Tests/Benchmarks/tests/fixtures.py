"""Made-up measurements."""

from __future__ import annotations

from benchmark import targets
from benchmark.curves import AXES, Curve
from benchmark.laboratory import Cell, Series
from benchmark.machine import Machine
from benchmark.measure import Sample
from benchmark.memory import IdleMemory, Soak
from benchmark.results import Results
from benchmark.scrapes import ScrapeCost
from benchmark.tls import ClientMemory
from benchmark.workloads import KIB, MIB, Operation, Workload

MACHINE = Machine("A processor <fast>", 2, 4096, "6.1", 0.1, 20_000)


def sample(throughput: float, p50: float = 100, user: float = 0.01, commands: int = 10_000) -> Sample:
    """A measurement with this throughput."""
    return Sample(commands, commands / throughput, p50, p50 * 2, p50 * 3, user, user / 2, 10 * MIB, user * 3)


def cell(workload: Workload, throughputs: dict[str, list[float]], part: str = "matrix") -> Cell:
    """Measurements of some targets, by round; one without figures has none."""
    series = []
    for target, values in throughputs.items():
        samples = [sample(value, p50=1e6 / value) for value in values]
        problem = None if values else "the new store executed 9 SET instead of 10"
        series.append(Series(target, f"the {target}", samples, problem))
    if part == "tls":
        return Cell(f"tls/{workload.name}", f"TLS: {workload.title}", series, targets.DIRECT_TLS)
    return Cell(f"{part}/{workload.name}", workload.title, series)


def results(cells: list[Cell]) -> Results:
    """A complete run."""
    return Results(
        command="Tests/Benchmarks/run.sh --only 'a|b'",
        started="2026-01-01 00:00 UTC",
        machine=MACHINE,
        layout="Everything shares cores 0, 1.",
        versions={"Redis": "7.0.15"},
        rounds=2,
        seconds=0.5,
        is_smoke_run=False,
        cells=cells,
        is_complete=True,
    )


def complete_results() -> Results:
    """A run with something in each of its parts."""
    throughputs = {
        targets.DIRECT: [100_000.0, 50_000.0],
        targets.SIDECAR_OFF: [80_000.0, 42_000.0],
        targets.SIDECAR_DUAL: [],
        targets.TWEMPROXY: [40_000.0, 20_000.0],
    }
    found = results(
        [cell(Workload(operation, 50, 16, 16), throughputs) for operation in (Operation.SET, Operation.GET)]
    )
    with_tls = {targets.DIRECT_TLS: [50_000.0], targets.SIDECAR_TLS_STORE: [49_000.0]}
    found.cells.append(cell(Workload(Operation.SET, 50, 16, 16), with_tls, "tls"))
    axis = AXES[0]
    cells = [cell(axis.workload(point), throughputs) for point in (1, 100)]
    found.curves = [Curve(axis.name, axis.title, [1, 100], ["1", "100"], [1, 1], cells)]
    found.scrapes = [ScrapeCost("curve/scrapes/1", 1, 267, 30_000, [0.002], [900.0], [950.0], [100.0], [130.0])]
    found.idle = [IdleMemory(targets.SIDECAR_OFF, "sidecar, flags off", 15 * MIB, 10_000, 15 * MIB + 10_000 * 2 * KIB)]
    plain, tls = (IdleMemory("", "", 15 * MIB, 1000, 15 * MIB + 1000 * kib * KIB) for kib in (1, 13))
    found.tls_clients = ClientMemory(1000, [plain], [tls])
    found.soak = Soak(10, [(float(second), 20 * MIB) for second in range(100)], 1_000_000)
    return found
