"""Memory: of a proxy that has just started, for each idle client, and over a long run under load."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median

from . import procfs, targets
from .laboratory import Laboratory
from .measure import Refused
from .page import fetch
from .resp import Connection
from .scraper import Scraper
from .targets import Target
from .workloads import MIB, Operation, Workload

IDLE_CLIENTS = 10_000
QUICK_IDLE_CLIENTS = 200
SHOWN = (targets.SIDECAR_OFF, targets.SIDECAR_DUAL, targets.TWEMPROXY, targets.ENVOY)

SOAK_LOAD = Workload(Operation.MIXED, 50, 16, 16)
# The load is put on in pieces, and memory is looked at between them.
SOAK_PIECE_SECONDS = 5.0
# What the memory of a soak may have grown by, in bytes: the allocator's rounding, no leak.
GROWTH_LIMIT_BYTES = MIB


@dataclass(frozen=True)
class IdleMemory:
    """A proxy without load. Bytes are resident ones; the kernel's memory for sockets is in none of them."""

    target: str
    title: str
    idle_bytes: int
    clients: int
    connected_bytes: int

    @property
    def client_bytes(self) -> float:
        """For each client that is connected, has sent a command once, and says nothing."""
        return (self.connected_bytes - self.idle_bytes) / self.clients


@dataclass
class Soak:
    """A long run under load."""

    minutes: float
    # Seconds since the start, and resident bytes.
    samples: list[tuple[float, int]] = field(default_factory=list)
    commands: int = 0
    problem: str | None = None

    @property
    def grown_bytes(self) -> float:
        """From the second fifth of the run to the last: the first fifth is what buffers need to reach their size."""
        fifth = max(1, len(self.samples) // 5)
        return median(size for _, size in self.samples[-fifth:]) - median(
            size for _, size in self.samples[fifth : 2 * fifth]
        )


def measure_idle(laboratory: Laboratory, clients: int) -> list[IdleMemory]:
    """Starts each kind of proxy anew, and looks at its memory before and after many clients have connected."""
    found = []
    laboratory.prepare(SOAK_LOAD)
    with laboratory.part() as proxies:
        for target in targets.start(proxies, laboratory.old, Operation.SET, SHOWN):
            laboratory.progress.step("memory", target.title)
            found.append(measure_target(target, clients))
    return found


def measure_target(target: Target, clients: int) -> IdleMemory:
    """Looks at the memory of a proxy that has just started, before and after so many clients have sent a command."""
    proxy = target.proxy
    assert proxy is not None
    if proxy.metrics_url is not None:
        # Somebody scrapes every sidecar, so the thread that serves the page belongs to its memory.
        fetch(proxy.metrics_url)
    with Connection(target.ports[0], target.authority) as one:
        one.call("GET", "key:000000000000")
    idle_bytes = procfs.resident_bytes(proxy.process.pid)
    connections: list[Connection] = []
    try:
        for _ in range(clients):
            connection = Connection(target.ports[0], target.authority)
            connections.append(connection)
            connection.call("GET", "key:000000000000")
        connected_bytes = procfs.resident_bytes(proxy.process.pid)
    finally:
        for connection in connections:
            connection.close()
    return IdleMemory(target.name, target.title, idle_bytes, clients, connected_bytes)


def soak(laboratory: Laboratory, minutes: float) -> Soak:
    """Keeps a sidecar that writes to both stores busy, scraped every second, and watches its memory."""
    result = Soak(minutes)
    with laboratory.part() as proxies:
        laboratory.prepare(SOAK_LOAD)
        target = targets.sidecar(proxies, targets.SIDECAR_DUAL)
        assert target.proxy is not None and target.proxy.metrics_url is not None
        piece_seconds = min(SOAK_PIECE_SECONDS, minutes * 60 / 20)
        scraper = Scraper(target.proxy.metrics_url, 1.0, laboratory.layout.load)
        try:
            commands = laboratory.commands_for(target, SOAK_LOAD, piece_seconds)
            start = time.monotonic()
            while (elapsed := time.monotonic() - start) < minutes * 60:
                laboratory.progress.step("soak", f"{elapsed / 60:.1f} of {minutes:g} minutes")
                result.commands += laboratory.measure(target, SOAK_LOAD, commands).commands
                result.samples.append((time.monotonic() - start, procfs.resident_bytes(target.proxy.process.pid)))
        except Refused as refused:
            result.problem = str(refused)
        finally:
            scraper.stop()
    return result
