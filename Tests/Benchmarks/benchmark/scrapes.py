"""What a scrape every second costs a busy sidecar's clients, with more and more metric series."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from statistics import median

from . import targets
from .laboratory import Laboratory
from .load import LoadError, LoadResult, run
from .measure import Measurement, Refused
from .page import fetch
from .probe import ProbeError, RoundTrip, probe
from .scraper import Scrape, Scraper
from .statistics import Spread, differences, quantile
from .targets import Target
from .workloads import Operation, Workload

INTERVAL_SECONDS = 1.0
# Enough for some scrapes in each measurement.
LEAST_SECONDS = 4.0
# Instances of the sidecar: each has its own series. The clients talk to the first.
POINTS = (1, 2, 4, 8)
QUICK_POINTS = (1, 8)

_LOAD = Workload(Operation.GET, 50, 1, 16)
_PROBE = Workload(Operation.GET, 1, 1, 16)


@dataclass
class ScrapeCost:
    """One number of instances. Latencies are in microseconds, and a list has a value for each round."""

    name: str
    instances: int
    series: int = 0
    page_bytes: int = 0
    scrape_seconds: list[float] = field(default_factory=list)
    p99_without: list[float] = field(default_factory=list)
    p99_with: list[float] = field(default_factory=list)
    # Of one more client, whose commands are known to the nanosecond.
    probe_p99_without: list[float] = field(default_factory=list)
    # Of those of its commands alone that were on their way during a scrape.
    probe_p99_during: list[float] = field(default_factory=list)
    problem: str | None = None

    @property
    def added(self) -> Spread:
        """What scrapes add to the clients' p99."""
        return differences(self.p99_with, self.p99_without)

    @property
    def added_during(self) -> Spread:
        """What a scrape adds to the p99 of the commands that it meets."""
        return differences(self.probe_p99_during, self.probe_p99_without)


def during(trips: list[RoundTrip], scrapes: list[Scrape]) -> list[float]:
    """Latencies, in microseconds and ascending, of the commands that were on their way during a scrape."""
    return sorted(
        (trip.end - trip.start) / 1000
        for trip in trips
        if any(trip.start < scrape.end and scrape.start < trip.end for scrape in scrapes)
    )


def measure_scrapes(laboratory: Laboratory, instances: int, rounds: int) -> ScrapeCost:
    """Measures the same load without and with scrapes, in turn."""
    cost = ScrapeCost(f"curve/scrapes/{instances}", instances)
    laboratory.prepare(_LOAD)
    with laboratory.part() as proxies:
        whole = targets.sidecar(proxies, targets.SIDECAR_OFF, instances)
        assert whole.proxy is not None and whole.proxy.metrics_url is not None
        target = Target(whole.name, whole.title, whole.ports[:1], whole.expectation, whole.proxy)
        try:
            commands = laboratory.commands_for(target, _LOAD, max(LEAST_SECONDS, laboratory.seconds))
            for number in range(rounds):
                laboratory.progress.step(cost.name, f"round {number + 1}/{rounds}")
                _measure_round(laboratory, target, commands, cost)
        except Refused as refused:
            cost.problem = str(refused)
        page = fetch(whole.proxy.metrics_url)
    cost.page_bytes = len(page)
    cost.series = sum(1 for line in page.splitlines() if line and not line.startswith(b"#"))
    return cost


def _measure_round(laboratory: Laboratory, target: Target, commands: int, cost: ScrapeCost) -> None:
    assert target.proxy is not None and target.proxy.metrics_url is not None
    load, trips = _load_and_probe(laboratory, target, commands)
    cost.p99_without.append(load.p99)
    cost.probe_p99_without.append(quantile(sorted((trip.end - trip.start) / 1000 for trip in trips), 0.99))
    scraper = Scraper(target.proxy.metrics_url, INTERVAL_SECONDS, laboratory.layout.load)
    try:
        load, trips = _load_and_probe(laboratory, target, commands)
    finally:
        scrapes = scraper.stop()
    met = during(trips, scrapes)
    if not met:
        raise Refused("no command was on its way during a scrape")
    cost.p99_with.append(load.p99)
    cost.probe_p99_during.append(quantile(met, 0.99))
    cost.scrape_seconds.append(median(scrape.seconds for scrape in scrapes))


def _load_and_probe(laboratory: Laboratory, target: Target, commands: int) -> tuple[LoadResult, list[RoundTrip]]:
    """The load of many clients, and one more client while it goes on."""
    measurement = Measurement(target, laboratory.old, laboratory.new)
    results: list[LoadResult | LoadError] = []

    def put_load() -> None:
        try:
            results.append(run(target.ports, _LOAD, commands, laboratory.layout.load))
        except LoadError as error:
            results.append(error)

    thread = threading.Thread(target=put_load)
    thread.start()
    try:
        trips = probe(target.ports[0], _PROBE, lambda _: thread.is_alive())
    except (ProbeError, OSError) as error:
        raise Refused(str(error)) from error
    finally:
        thread.join()
    load = results[0]
    if isinstance(load, LoadError):
        raise Refused(str(load))
    measurement.end(_LOAD, commands + len(trips))
    return load, trips
