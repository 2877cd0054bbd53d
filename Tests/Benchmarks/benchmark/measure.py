"""Measures one load on one target, and believes no figure before the stores have confirmed it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import procfs
from .load import LoadError, LoadResult, run
from .page import fetch
from .processes import ServerError, eventually
from .procfs import ProcessorTime
from .stores import Store, StoreCounts
from .targets import Target
from .workloads import Workload

# How long copies may go on after the clients have their replies, in seconds.
SETTLE_LIMIT_SECONDS = 10.0

# Counters of the sidecar that stand still as long as nothing fails.
_FAILURES = re.compile(
    r"^(?:multistore_copy_failures_total\{.*"
    r'|multistore_commands_total\{.*outcome="(?!ok)[a-z_]+".*'
    r'|multistore_fallback_reads_total\{.*reason="error".*'
    r"|multistore_uncopied_writes_total\{.*"
    r"|multistore_log_lines_dropped_total\{.*"
    r") (\S+)$",
    re.MULTILINE,
)


class Refused(Exception):
    """A measurement that must not be shown, since the target did not do what was asked; the text says what it did."""


@dataclass(frozen=True)
class Usage:
    """What a proxy used for a load: seconds of processor time and bytes of memory; zero where there is no proxy. And
    the stores' seconds."""

    user: float
    system: float
    peak_bytes: int
    stores: float


@dataclass(frozen=True)
class Sample:
    """One measurement."""

    commands: int
    seconds: float
    p50: float
    p99: float
    p999: float
    user: float
    system: float
    peak_bytes: int
    # Seconds of processor time of whoever puts on the load and of the stores: what no proxy can save.
    others: float

    @property
    def throughput(self) -> float:
        """Commands in a second."""
        return self.commands / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of processor time for a million commands."""
        return (self.user + self.system) / self.commands * 1e6


def failures(metrics: str) -> float:
    """The sum of the counters in a metrics page that count what must not happen."""
    return sum(float(value) for value in _FAILURES.findall(metrics))


class Measurement:
    """Watches a target and the stores from its creation until end()."""

    def __init__(self, target: Target, old: Store, new: Store) -> None:
        self._target = target
        self._old = old
        self._new = new
        self._failures = self._sidecar_failures()
        self._before = old.counts(), new.counts()
        self._time = ProcessorTime(0, 0)
        self._stores_time = self._stores_total()
        if target.proxy is not None:
            procfs.reset_peak(target.proxy.process.pid)
            self._time = procfs.processor_time(target.proxy.process.pid)

    def end(self, workload: Workload, commands: int) -> Usage:
        """Waits until the stores have executed everything, and returns what that took; raises Refused if they don't."""
        reasons: list[str] = []

        def settled() -> bool | None:
            problem = self._target.expectation.problem(workload, commands, *self._executed())
            reasons[:] = [problem] if problem else []
            return None if problem else True

        try:
            eventually("executing everything", settled, SETTLE_LIMIT_SECONDS)
        except ServerError:
            raise Refused(reasons[0]) from None
        usage = self._usage()
        count = self._sidecar_failures() - self._failures
        if count:
            raise Refused(f"the sidecar counted {count:.0f} failures")
        return usage

    def _executed(self) -> tuple[StoreCounts, StoreCounts]:
        return self._old.counts() - self._before[0], self._new.counts() - self._before[1]

    def _stores_total(self) -> float:
        return sum(procfs.processor_time(store.process.pid).total for store in (self._old, self._new))

    def _usage(self) -> Usage:
        stores = self._stores_total() - self._stores_time
        if self._target.proxy is None:
            return Usage(0, 0, 0, stores)
        process = self._target.proxy.process
        process.check()
        used = procfs.processor_time(process.pid) - self._time
        return Usage(used.user, used.system, procfs.peak_resident_bytes(process.pid), stores)

    def _sidecar_failures(self) -> float:
        proxy = self._target.proxy
        if proxy is None or proxy.metrics_url is None:
            return 0
        return failures(fetch(proxy.metrics_url).decode())


def sample(load: LoadResult, load_time: float, usage: Usage) -> Sample:
    """What the clients saw and what all processes used, in one."""
    return Sample(
        load.commands,
        load.seconds,
        load.p50,
        load.p99,
        load.p999,
        usage.user,
        usage.system,
        usage.peak_bytes,
        load_time + usage.stores,
    )


def measure(
    target: Target, workload: Workload, commands: int, stores: tuple[Store, Store], cores: frozenset[int]
) -> Sample:
    """Puts one load on a target; raises Refused if it was not executed as it should have been."""
    try:
        measurement = Measurement(target, *stores)
        before = procfs.load_time()
        load = run(target.ports, workload, commands, cores, target.authority)
        load_time = procfs.load_time() - before
        return sample(load, load_time, measurement.end(workload, commands))
    except (LoadError, ServerError, OSError) as error:
        # An OSError comes from a process or a page that is no longer there.
        raise Refused(str(error)) from error
