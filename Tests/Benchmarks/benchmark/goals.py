"""What the sidecar is to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import tls
from .laboratory import Series
from .memory import GROWTH_LIMIT_BYTES, IDLE_CLIENTS
from .results import Results
from .statistics import Spread, differences, ratios, spread
from .targets import (
    DIRECT,
    DIRECT_TLS,
    ENVOY,
    ENVOY_MIRROR,
    SIDECAR_DUAL,
    SIDECAR_DUAL_DEFAULT_STORE,
    SIDECAR_OFF,
    SIDECAR_TLS_STORE,
    TWEMPROXY,
)
from .workloads import KIB, MIB, Operation, Workload

SOAK_MINUTES = 10.0
SCRAPE_LIMIT_MICROSECONDS = 1000.0

_OPERATIONS = (Operation.SET, Operation.GET)
_PLAIN = tuple(Workload(operation, 50, 1, 16) for operation in _OPERATIONS)
_PIPELINED = tuple(Workload(operation, 50, 16, 16) for operation in _OPERATIONS)
_ONE_CLIENT = tuple(Workload(operation, 1, 1, 16) for operation in _OPERATIONS)


@dataclass(frozen=True)
class Goal:
    """One figure that is wanted. The median decides."""

    what: str
    where: str
    is_least: bool
    limit: float
    # "×" for ratios, else a unit.
    unit: str
    measured: Spread | None
    # Why the figure, if there is one, can't decide; None if it can.
    reservation: str | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it was reached; None if that was not measured."""
        if self.measured is None or self.reservation:
            return None
        return self.measured.median >= self.limit if self.is_least else self.measured.median <= self.limit


def goals(results: Results) -> list[Goal]:
    """All of them, in the order in which they are shown."""
    return [
        *_throughput(results),
        *_latency(results),
        *_processor_time(results),
        *_memory(results),
        *_scrapes(results),
        *_tls(results),
    ]


def _pair(
    results: Results,
    load: Workload,
    names: tuple[str, str],
    compute: Callable[[Series, Series], Spread | None],
    part: str = "matrix",
) -> Spread | None:
    cell = results.cell(load.name, part)
    if cell is None:
        return None
    first, second = cell.find(names[0]), cell.find(names[1])
    return compute(first, second) if first and second else None


def _throughputs(first: Series, second: Series) -> Spread:
    return ratios(first.throughputs, second.throughputs)


def _costs(first: Series, second: Series) -> Spread | None:
    costs, others = ([sample.cost for sample in series.samples] for series in (first, second))
    # The kernel counts in ticks: a load too short for one of them says nothing.
    return ratios(costs, others) if all(costs) and all(others) else None


def _medians(first: Series, second: Series) -> list[tuple[float, float]]:
    return [(one.p50, other.p50) for one, other in zip(first.samples, second.samples, strict=True)]


def _throughput(results: Results) -> Iterator[Goal]:
    wanted = [
        ("flags off, against twemproxy", _PLAIN, SIDECAR_OFF, TWEMPROXY, 1.1),
        ("flags off, against Envoy", _PLAIN, SIDECAR_OFF, ENVOY, 1.7),
        ("flags off, against twemproxy", _PIPELINED, SIDECAR_OFF, TWEMPROXY, 1.8),
        ("flags off, against Envoy", _PIPELINED, SIDECAR_OFF, ENVOY, 2.0),
        ("flags off, against direct", _PIPELINED, SIDECAR_OFF, DIRECT, 0.75),
        ("dual write, against Envoy's mirror", _PIPELINED[:1], SIDECAR_DUAL, ENVOY_MIRROR, 2.5),
        ("dual write, against Envoy's mirror", _PLAIN[:1], SIDECAR_DUAL, ENVOY_MIRROR, 1.5),
    ]
    for what, loads, first, second, limit in wanted:
        for load in loads:
            measured = _pair(results, load, (first, second), _throughputs)
            yield Goal(f"throughput, {what}", load.title, True, limit, "×", measured)


def _latency(results: Results) -> Iterator[Goal]:
    def beyond(first: Series, second: Series) -> Spread:
        pairs = _medians(first, second)
        return differences([one for one, _ in pairs], [other for _, other in pairs])

    def quotient(first: Series, second: Series) -> Spread:
        pairs = _medians(first, second)
        return ratios([one for one, _ in pairs], [other for _, other in pairs])

    for load in _ONE_CLIENT:
        measured = _pair(results, load, (SIDECAR_OFF, TWEMPROXY), beyond)
        yield Goal("p50 latency, flags off, beyond what twemproxy adds", load.title, False, 0, "µs", measured)
    measured = _pair(results, _ONE_CLIENT[0], (SIDECAR_DUAL_DEFAULT_STORE, SIDECAR_OFF), quotient)
    what = "p50 latency, dual write acknowledged by default_store, against flags off"
    yield Goal(what, _ONE_CLIENT[0].title, False, 1.1, "×", measured)


def _processor_time(results: Results) -> Iterator[Goal]:
    for other, name, limit in ((TWEMPROXY, "twemproxy", 1.0), (ENVOY, "Envoy", 0.5)):
        for load in (*_PLAIN, *_PIPELINED):
            measured = _pair(results, load, (SIDECAR_OFF, other), _costs)
            what = f"processor time for a command, flags off, against {name}"
            yield Goal(what, load.title, False, limit, "×", measured)


def _memory(results: Results) -> Iterator[Goal]:
    sidecars = [idle for idle in results.idle if idle.target in (SIDECAR_OFF, SIDECAR_DUAL)]
    idle = spread([each.idle_bytes / MIB for each in sidecars]) if sidecars else None
    yield Goal("memory, idle", "both states", False, 20, "MiB", idle)
    clients = min((each.clients for each in sidecars), default=IDLE_CLIENTS)
    reservation = None if clients >= IDLE_CLIENTS else f"only {clients} clients"
    connected = spread([each.client_bytes / KIB for each in sidecars]) if sidecars else None
    yield Goal("memory for an idle client", f"{clients:,} connected", False, 8, "KiB", connected, reservation)
    soak = results.soak
    grown, minutes, reservation = None, SOAK_MINUTES, None
    if soak and not soak.problem and len(soak.samples) > 5:
        grown = spread([soak.grown_bytes / MIB])
        minutes = soak.minutes
        reservation = None if minutes >= SOAK_MINUTES else f"only {minutes:g} minutes"
    where = f"{minutes:g} minutes under load"
    yield Goal("growth of memory", where, False, GROWTH_LIMIT_BYTES / MIB, "MiB", grown, reservation)


def _scrapes(results: Results) -> Iterator[Goal]:
    for cost in results.scrapes:
        where = f"{cost.series} series" if cost.series else cost.name
        measured = None if cost.problem else cost.added
        what = "p99 latency that a scrape every second adds"
        yield Goal(what, where, False, SCRAPE_LIMIT_MICROSECONDS, "µs", measured)


def _tls(results: Results) -> Iterator[Goal]:
    for load in _PIPELINED:
        measured = _pair(results, load, (SIDECAR_TLS_STORE, DIRECT_TLS), _throughputs, "tls")
        yield Goal("throughput, TLS to the store, against direct with TLS", load.title, True, 0.9, "×", measured)
    memory = results.tls_clients
    clients = memory.clients if memory else tls.CLIENTS
    reservation = None if clients >= tls.CLIENTS else f"only {clients} clients"
    added = memory.added_kib if memory else None
    what = "memory for an idle client with TLS, beyond one without"
    yield Goal(what, f"{clients:,} connected", False, 16, "KiB", added, reservation)
