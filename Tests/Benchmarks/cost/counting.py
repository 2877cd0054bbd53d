"""Starts sidecars under callgrind, and counts what commands cost them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark.machine import layout
from benchmark.processes import Processes, ServerError, free_port, program
from benchmark.proxies import Proxies
from benchmark.stores import Data, Store, StoreCounts

from .callgrind import Callgrind, Calls, parse, under_callgrind
from .scenarios import KEYS, VALUE_BYTES, Client, Scenario
from .thresholds import Cost

# Batches before anything is counted: buffers and pools have their size then, and the linker has bound every function.
WARM_UP_SHARE = 0.25
# How long the process is watched doing nothing, in seconds: what it does by the clock is no command's cost.
IDLE_SECONDS = 1.0
# Counts of the same, of which the lowest holds: samples that are taken every few seconds only add to a count, and on a
# slow machine they are in every second one.
COUNTS = 5


@dataclass(frozen=True)
class Count:
    """What was counted in some time."""

    seconds: float
    calls: Calls
    # In callgrind's own format, for callgrind_annotate and KCachegrind.
    profile: str

    def beyond(self, idle: Count, commands: int) -> Cost:
        """The cost of one command: without what happens by the clock."""
        share = self.seconds / idle.seconds

        def each(busy: int, by_the_clock: int) -> float:
            return max(0.0, (busy - by_the_clock * share) / commands)

        return Cost(
            each(self.calls.instructions, idle.calls.instructions),
            each(self.calls.allocations, idle.calls.allocations),
            each(self.calls.hiredis_allocations, idle.calls.hiredis_allocations),
            each(self.calls.retains, idle.calls.retains),
        )


def lowest(count: Callable[[], Count]) -> Count:
    """Counts the same several times; the lowest."""
    return min((count() for _ in range(COUNTS)), key=lambda counted: counted.calls.instructions)


class Counting:
    """Two stores, and sidecars under callgrind before them."""

    def __init__(self, processes: Processes, sidecar: Path, profiles: Path | None) -> None:
        self._processes = processes
        # Valgrind 3.19 gives up on debug information that is newer than it.
        self._sidecar = processes.folder / "sidecar-stripped"
        subprocess.run([program("strip"), "--strip-debug", "-o", str(self._sidecar), str(sidecar)], check=True)
        self._profiles = profiles
        self._cores = layout("shared").proxy
        self._old = Store("old", free_port(), processes, self._cores)
        self._new = Store("new", free_port(), processes, self._cores)
        Data(self._old, self._new).prepare(KEYS, VALUE_BYTES)

    def cost(self, scenario: Scenario) -> Cost:
        """Starts a sidecar and counts what it does for the scenario's commands."""
        output = self._processes.folder / "callgrind.out"
        command = under_callgrind([str(self._sidecar)], output)
        with Processes(self._processes.folder) as processes:
            proxies = Proxies(self._old, self._new, processes, self._cores, command)
            proxy = proxies.sidecar("sidecar", scenario.state)
            callgrind = Callgrind(proxy.process, output)
            with Client(scenario, proxy) as client:
                client.send(max(2, round(scenario.batches * WARM_UP_SHARE)))
                idle = lowest(lambda: self._count(callgrind, lambda: time.sleep(IDLE_SECONDS)))
                before = self._old.counts(), self._new.counts()
                busy = lowest(lambda: self._count(callgrind, lambda: client.send(scenario.batches)))
                self._check(scenario, before)
        if self._profiles:
            self._profiles.mkdir(parents=True, exist_ok=True)
            (self._profiles / f"{scenario.name}.callgrind").write_text(busy.profile)
        return busy.beyond(idle, scenario.commands)

    @staticmethod
    def _count(callgrind: Callgrind, action: Callable[[], None]) -> Count:
        callgrind.start()
        start = time.monotonic()
        action()
        seconds = time.monotonic() - start
        profile = callgrind.stop()
        return Count(seconds, parse(profile), profile)

    def _check(self, scenario: Scenario, before: tuple[StoreCounts, StoreCounts]) -> None:
        if scenario.workload is None:
            return
        old, new = self._old.counts() - before[0], self._new.counts() - before[1]
        commands = scenario.commands * COUNTS
        problem = scenario.expectation.problem(scenario.workload, commands, old, new)
        if problem:
            raise ServerError(f"{scenario.name}: {problem}")
