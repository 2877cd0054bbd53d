"""Runs the benchmark: python3 -m benchmark, which run.sh calls after installing what is missing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from . import report, targets, tls
from .curves import AXES, Axis, Curve, measure_point
from .laboratory import Laboratory, laboratory
from .machine import MachineError, describe, layout, raise_descriptor_limit
from .memory import IDLE_CLIENTS, QUICK_IDLE_CLIENTS, measure_idle, soak
from .options import PROJECT, Options, parse
from .plots import comparison_plot, growth_plot
from .processes import ServerError, program
from .progress import Progress
from .proxies import envoy_path
from .results import Results
from .scrapes import POINTS, QUICK_POINTS, measure_scrapes
from .workloads import Workload, bytes_text

# Rounds of the curves: their shape is what counts, and they have many points.
CURVE_ROUNDS = 3


@dataclass(frozen=True)
class Step:
    """A part of the run, which --only can choose."""

    name: str
    run: Callable[[], None]


class Run:
    """Goes through the steps, and keeps what they find."""

    def __init__(self, options: Options, results: Results, progress: Progress) -> None:
        self._options = options
        self._results = results
        self._progress = progress
        self._curve_rounds = min(CURVE_ROUNDS, options.rounds)
        self._laboratory: Laboratory | None = None

    def steps(self) -> list[Step]:
        """All that the options ask for, in the order in which it is done."""
        quick = self._options.is_quick
        steps = [Step(f"matrix/{load.name}", partial(self._cell, load)) for load in self._options.matrix]
        for axis in AXES:
            points = axis.quick_points if quick else axis.points
            steps.append(Step(f"curve/{axis.name}", partial(self._curve, axis, list(points))))
        steps.append(Step("curve/scrapes", partial(self._scrapes, QUICK_POINTS if quick else POINTS)))
        steps.append(Step("memory", self._memory))
        steps += [Step(f"tls/{load.name}", partial(self._tls_cell, load)) for load in tls.LOADS]
        steps.append(Step("tls/memory", self._tls_memory))
        if self._options.soak_minutes:
            steps.append(Step("soak", self._soak))
        return [step for step in steps if self._options.wants(step.name)]

    def go(self, found: Laboratory) -> None:
        """Does everything; what it finds is in the results, even if it is interrupted."""
        self._laboratory = found
        self._results.versions["Redis"] = found.old.version()
        steps = self.steps()
        for number, step in enumerate(steps):
            self._progress.part(number + 1, len(steps))
            step.run()
        self._results.is_complete = True

    @property
    def _lab(self) -> Laboratory:
        assert self._laboratory is not None
        return self._laboratory

    def _cell(self, load: Workload) -> None:
        if not load.fits:
            size = bytes_text(load.clients * load.pipeline * load.value_bytes // 2**20 * 2**20)
            self._results.left_out.append(f"{load.title}: {size} would be on their way at once")
            return
        with self._lab.part() as proxies:
            wanted = targets.start(proxies, self._lab.old, load.operation)
            cell = self._lab.rounds(f"matrix/{load.name}", load.title, wanted, load, self._options.rounds)
        self._results.cells.append(cell)
        self._progress.show(report.cell_text(cell) + "\n")

    def _curve(self, axis: Axis, points: list[int]) -> None:
        limit = self._results.machine.clients_limit
        too_many = [point for point in points if axis.workload(point).clients > limit]
        points = [point for point in points if point not in too_many]
        left_out = [f"{axis.title} {axis.text(point)}: no process may have that many connections" for point in too_many]
        self._results.left_out += left_out
        texts, work = [axis.text(point) for point in points], [axis.work(point) for point in points]
        curve = Curve(axis.name, axis.title, points, texts, work, [])
        self._results.curves.append(curve)
        for number, point in enumerate(points):
            curve.cells.append(measure_point(self._lab, axis, point, self._curve_rounds))
            self._progress.say(f"{axis.title}: {number + 1} of {len(points)} points")
        self._progress.show("\n".join([report.curve_table(curve).text(), *report.growth_lines(curve), ""]))

    def _scrapes(self, points: tuple[int, ...]) -> None:
        for point in points:
            self._results.scrapes.append(measure_scrapes(self._lab, point, self._curve_rounds))
        self._progress.show(report.scrapes_table(self._results.scrapes).text() + "\n")

    def _memory(self) -> None:
        wanted = QUICK_IDLE_CLIENTS if self._options.is_quick else IDLE_CLIENTS
        self._results.idle = measure_idle(self._lab, min(wanted, self._results.machine.clients_limit))
        self._progress.show(report.memory_table(self._results).text() + "\n")

    def _tls_cell(self, load: Workload) -> None:
        cell = tls.measure_load(self._lab, load, self._options.rounds)
        self._results.cells.append(cell)
        self._progress.show(report.cell_text(cell) + "\n")

    def _tls_memory(self) -> None:
        wanted = tls.QUICK_CLIENTS if self._options.is_quick else tls.CLIENTS
        clients = min(wanted, self._results.machine.clients_limit)
        memory = self._results.tls_clients = tls.measure_clients(self._lab, clients, self._options.rounds)
        self._progress.show(report.tls_clients_table(memory).text() + "\n")

    def _soak(self) -> None:
        self._results.soak = soak(self._lab, self._options.soak_minutes)
        self._progress.show(f"{report.soak_line(self._results)}\n")


def build(progress: Progress) -> Path:
    """Builds the sidecar with optimisation; returns its executable."""
    progress.say("building multistore-exporter")
    command = ["swift", "build", "--package-path", str(PROJECT), "--configuration", "release", "--static-swift-stdlib"]
    subprocess.run([*command, "--product", "multistore-exporter"], check=True, stdout=sys.stderr)
    folder = subprocess.run([*command, "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return Path(folder) / "multistore-exporter"


def versions(sidecar: Path) -> dict[str, str]:
    """What is compared."""
    commands = {
        "multistore-exporter": [str(sidecar), "--version"],
        "twemproxy": [program("nutcracker"), "--version"],
        "Envoy": [envoy_path(), "--version"],
    }
    said = {}
    for name, command in commands.items():
        outcome = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        said[name] = next(line for line in outcome.stdout.splitlines() if line.strip())
    said["twemproxy"] = said["twemproxy"].rpartition("-")[2]
    # envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL
    said["Envoy"] = said["Envoy"].split("/")[-4]
    return said


def write(results: Results, folder: Path, progress: Progress) -> None:
    """Writes the report's files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "report.md": report.markdown(results),
        "report.json": report.to_json(results),
        "comparison.svg": comparison_plot(results),
        "growth.svg": growth_plot(results),
    }
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(text)
    progress.say(f"the report is in {folder}")


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 if everything was measured, 1 if something failed, 130 if it was interrupted."""
    options, progress = parse(arguments), Progress()
    machine = describe(raise_descriptor_limit())
    cores = layout(options.layout)
    results = Results(
        command=options.command,
        started=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine,
        layout=cores.description,
        versions={},
        rounds=options.rounds,
        seconds=options.seconds,
        is_smoke_run=options.is_quick,
        is_selection=bool(options.pattern.pattern),
    )
    run = Run(options, results, progress)
    if options.only_lists:
        print("\n".join(step.name for step in run.steps()))
        return 0
    if machine.is_busy:
        progress.say(f"the machine is busy (load average {machine.load_average:.2f}): figures will be worth little")
    sidecar = options.sidecar or build(progress)
    results.versions.update(versions(sidecar))
    start, code = time.monotonic(), 0
    try:
        with laboratory(cores, sidecar, options.seconds, progress) as found:
            run.go(found)
    except KeyboardInterrupt:
        code = 130
    finally:
        # Also when something has failed: what was measured until then is worth keeping.
        results.minutes = (time.monotonic() - start) / 60
        report.final_text(results, progress.show)
        write(results, options.output, progress)
    return code or (1 if results.problems else 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (MachineError, ServerError, OSError, subprocess.CalledProcessError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        sys.exit(1)
