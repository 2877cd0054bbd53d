"""TLS: throughput with TLS to the store and from clients, and the memory of clients with TLS."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import targets
from .laboratory import Cell, Laboratory
from .memory import IdleMemory, measure_target
from .statistics import Spread, differences
from .workloads import KIB, Operation, Workload

LOADS = [Workload(operation, 50, pipeline, 16) for pipeline in (16, 1) for operation in (Operation.SET, Operation.GET)]

# Measurements take so many times as long as without TLS. redis-benchmark's clients shake hands after its clock has
# begun, which 50 of them do in some tens of milliseconds; a client of the application does so once in its life.
DURATION_FACTOR = 5

CLIENTS = 1000
QUICK_CLIENTS = 100


@dataclass
class ClientMemory:
    """The memory of idle clients without TLS and with it, each time of a sidecar that has just started."""

    clients: int
    # One of each for a round.
    plain: list[IdleMemory] = field(default_factory=list)
    tls: list[IdleMemory] = field(default_factory=list)

    @property
    def added_kib(self) -> Spread:
        """KiB that a client with TLS takes more than one without."""
        return differences(
            [each.client_bytes / KIB for each in self.tls], [each.client_bytes / KIB for each in self.plain]
        )


def measure_load(laboratory: Laboratory, load: Workload, rounds: int) -> Cell:
    """One load with TLS, beside the same load with TLS at the store itself."""
    with laboratory.part() as proxies:
        wanted = targets.start_tls(proxies, laboratory.old)
        seconds = DURATION_FACTOR * laboratory.seconds
        cell = laboratory.rounds(f"tls/{load.name}", f"TLS: {load.title}", wanted, load, rounds, seconds)
    cell.reference = targets.DIRECT_TLS
    return cell


def measure_clients(laboratory: Laboratory, clients: int, rounds: int) -> ClientMemory:
    """Connects many clients without TLS to one sidecar and with TLS to another, in rounds."""
    found = ClientMemory(clients)
    laboratory.prepare(LOADS[0])
    for number in range(rounds):
        with laboratory.part() as proxies:
            for kind, series in ((targets.SIDECAR_OFF, found.plain), (targets.SIDECAR_TLS_CLIENTS, found.tls)):
                target = targets.sidecar(proxies, kind)
                laboratory.progress.step("tls/memory", f"round {number + 1}/{rounds}", target.title)
                series.append(measure_target(target, clients))
    return found
