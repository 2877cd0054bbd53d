"""What a run has found, as tables for the terminal and for Markdown, and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from statistics import median

from . import targets
from .curves import SIDECARS, Curve
from .goals import Goal, goals
from .laboratory import Cell
from .plots import SHOWN
from .results import Comparison, Results, compare
from .scrapes import ScrapeCost
from .statistics import spread
from .tables import Table, mebibytes, microseconds, quantity, ratio, thousands
from .tls import ClientMemory
from .workloads import KIB

# Cost for a unit of work that is this much above the least on the curve is more than noise.
GROWTH_LIMIT = 1.5

MEMORY_HEADINGS = ["", "idle, MiB", "clients", "with them, MiB", "KiB for a client"]

HOW_TO_READ = """\
Of direct: the throughput as a share of direct's in the same round, median (least–greatest). Added: what the latency is
above direct's in the same round, median. CPU: seconds of the proxy's processor time for a million commands;
others: those of the load and the stores, which are there without a proxy too. Peak: the proxy's resident memory in MiB,
at most. With 1 client latencies are those of a probe, to the nanosecond; otherwise
redis-benchmark's, in steps of 8 µs, and with pipelines from the first byte sent to the first reply of the pipeline.
SET and GET at once: of both the longer time and the greater latencies. Under the loads named TLS, direct is
redis-benchmark --tls at the store itself, and a measurement takes five times as long."""


def cell_table(cell: Cell) -> Table:
    """All targets under one load."""
    headings = ["", "commands/s", "of direct", "p50 added", "p99 added", "p99.9 added"]
    headings += ["CPU user", "system", "others", "peak"]
    comparisons = {comparison.target: comparison for comparison in compare(cell)}
    rows = []
    for series in cell.series:
        comparison = comparisons.get(series.target)
        if comparison:
            rows.append(_comparison_row(comparison, cell.reference))
        else:
            rows.append([series.title, "no figures", *[""] * (len(headings) - 2)])
    return Table(cell.title, headings, rows)


def cell_text(cell: Cell) -> str:
    """The table for the terminal, and why targets have no figures in it."""
    problems = [f"  {series.title}: {series.problem}" for series in cell.series if series.problem]
    return "\n".join([cell_table(cell).text(), *problems])


def _comparison_row(comparison: Comparison, reference: str) -> list[str]:
    row = [comparison.title, thousands(comparison.throughput.median)]
    if comparison.target == reference:
        return row + ["1", *["–"] * 5, f"{comparison.others:.2f}", "–"]
    row.append(ratio(comparison.ratio))
    for added in (comparison.added_p50, comparison.added_p99, comparison.added_p999):
        row.append(microseconds(added.median, signed=True))
    row += [f"{seconds:.2f}" for seconds in (comparison.user, comparison.system, comparison.others)]
    return row + [mebibytes(comparison.peak_bytes)]


def summary_table(results: Results) -> Table | None:
    """The throughput of all targets under the most important loads."""
    cells = [cell for name in SHOWN if (cell := results.cell(name)) and compare(cell)]
    if not cells:
        return None
    found = [{comparison.target: comparison for comparison in compare(cell)} for cell in cells]
    # Reading in the state "dual write" is called otherwise; the state's own name is that of the first load, of writes.
    titles = {series.target: series.title for cell in reversed(cells) for series in cell.series}
    rows = [
        [title, *(ratio(column[target].ratio) if target in column else "–" for column in found)]
        for target, title in titles.items()
        if target != targets.DIRECT
    ]
    return Table("Throughput as a share of direct", ["", *(cell.title for cell in cells)], rows)


def shown_goals(results: Results) -> list[Goal]:
    """All goals; if only some parts of the run were wanted, those that have figures."""
    return [goal for goal in goals(results) if goal.measured or not results.is_selection]


def goals_table(found: list[Goal]) -> Table:
    """Reached or not."""
    words = {True: "reached", False: "not reached"}
    rows = []
    for goal in found:
        bound = "at least" if goal.is_least else "at most"
        measured = "–"
        if goal.measured:
            low, high = quantity(goal.measured.low, goal.unit), quantity(goal.measured.high, goal.unit)
            measured = f"{quantity(goal.measured.median, goal.unit)} ({low}–{high})"
        verdict = "not measured" if goal.reached is None else words[goal.reached]
        if goal.reservation and goal.measured:
            verdict = f"undecided: {goal.reservation}"
        rows.append([goal.what, goal.where, f"{bound} {quantity(goal.limit, goal.unit)}", measured, verdict])
    return Table("Goals", ["what", "where", "wanted", "measured", "verdict"], rows, left=frozenset({0, 1, 4}))


def curve_table(curve: Curve) -> Table:
    """One curve: throughput beside direct, and processor time for a command."""
    titles = {series.target: series.title for cell in curve.cells for series in cell.series}
    proxies = {target: title for target, title in titles.items() if target != targets.DIRECT}
    headings = [curve.title, "direct, commands/s"]
    for title in proxies.values():
        headings += [f"{title}: of direct", "µs CPU", "peak MiB"]
    rows = []
    for text, cell in zip(curve.texts, curve.cells, strict=False):
        comparisons = {comparison.target: comparison for comparison in compare(cell)}
        direct = comparisons.get(targets.DIRECT)
        row = [text, thousands(direct.throughput.median) if direct else "–"]
        for target in proxies:
            row += _curve_columns(comparisons.get(target))
        rows.append(row)
    return Table(f"By {curve.title}", headings, rows)


def _curve_columns(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return ["no figures", "", ""]
    cost = comparison.user + comparison.system
    return [f"{comparison.ratio.median:.2f}", f"{cost:.2f}", mebibytes(comparison.peak_bytes)]


def growth_lines(curve: Curve) -> list[str]:
    """Whether the sidecar's cost grows faster than its work."""
    lines = []
    for target in SIDECARS:
        found = curve.growth(target)
        if found is None:
            continue
        verdict = "faster than its work" if found.factor > GROWTH_LIMIT else "no faster than its work"
        at = curve.texts[curve.points.index(int(found.at))]
        lines.append(f"{target}: processor time for the same work is at most {found.factor:.2f}× (at {at}): {verdict}")
    return lines


def scrapes_table(scrapes: list[ScrapeCost]) -> Table:
    """What scrapes cost."""
    headings = ["instances", "series", "page, KiB", "scrape", "clients' p99", "added by scrapes", "added during one"]
    rows = []
    for cost in scrapes:
        row = [str(cost.instances), str(cost.series), f"{cost.page_bytes / KIB:.1f}"]
        if cost.problem:
            row += ["no figures", "", "", ""]
        else:
            row += [microseconds(median(cost.scrape_seconds) * 1e6), microseconds(median(cost.p99_without))]
            row += [microseconds(cost.added.median, True), microseconds(cost.added_during.median, True)]
        rows.append(row)
    return Table("A scrape every second under load (GET, 50 clients)", headings, rows)


def memory_table(results: Results) -> Table:
    """Memory without load."""
    rows = [
        [each.title, mebibytes(each.idle_bytes), str(each.clients), mebibytes(each.connected_bytes)]
        + [f"{each.client_bytes / KIB:.2f}"]
        for each in results.idle
    ]
    return Table("Memory of an idle proxy", MEMORY_HEADINGS, rows)


def tls_clients_table(memory: ClientMemory) -> Table:
    """The memory of clients without TLS and with it, and the difference."""
    rows = []
    for title, found in (("without TLS", memory.plain), ("with TLS", memory.tls)):
        idle, connected = median(one.idle_bytes for one in found), median(one.connected_bytes for one in found)
        client = spread([one.client_bytes / KIB for one in found])
        rows.append([title, mebibytes(idle), str(memory.clients), mebibytes(connected), ratio(client)])
    rows.append(["difference", "", "", "", ratio(memory.added_kib)])
    return Table("Memory of idle clients with TLS", MEMORY_HEADINGS, rows)


def soak_line(results: Results) -> str | None:
    """The long run in a sentence."""
    soak = results.soak
    if soak is None:
        return None
    if soak.problem or not soak.samples:
        return f"Soak: no figures: {soak.problem}"
    sizes = [size for _, size in soak.samples]
    return (
        f"Soak: {soak.commands:,} commands in {soak.minutes:g} minutes with dual write; resident memory between "
        f"{mebibytes(min(sizes))} and {mebibytes(max(sizes))} MiB, grown by {mebibytes(soak.grown_bytes)} MiB from the "
        f"second fifth of the time to the last."
    )


def _conditions(results: Results) -> list[str]:
    machine = results.machine
    lines = [
        f"{results.started}, {results.minutes:.0f} minutes, {results.rounds} rounds, "
        f"about {results.seconds:g} s for each measurement.",
        f"{machine.processor}, {machine.cores} cores, {machine.memory_mib} MiB, Linux {machine.kernel}. "
        f"{results.layout}",
        ", ".join(f"{name} {version}" for name, version in results.versions.items()) + ".",
    ]
    if results.is_smoke_run:
        lines.append("A smoke run: it shows that everything works. Its figures say nothing.")
    if machine.is_busy:
        lines.append(f"The machine was busy before (load average {machine.load_average:.2f}): trust nothing of this.")
    if results.is_selection:
        lines.append("Only some parts were measured; the goals of the others are left out.")
    if not results.is_complete:
        lines.append("The run was ended before it was done.")
    lines += [f"Left out: {reason}" for reason in results.left_out]
    return lines + [f"No figures: {problem}" for problem in results.problems]


def markdown(results: Results) -> str:
    """The whole report."""
    conditions = "\n".join(f"* {line}" for line in _conditions(results))
    parts = ["### What the sidecar costs", f"`{results.command}`", conditions]
    parts.append(goals_table(shown_goals(results)).markdown())
    summary = summary_table(results)
    if summary:
        parts.append(summary.markdown())
    parts += [HOW_TO_READ, *(cell_table(cell).markdown() for cell in results.cells)]
    for curve in results.curves:
        parts.append(curve_table(curve).markdown())
        parts.append("\n".join(f"* {line}" for line in growth_lines(curve)))
    if results.scrapes:
        parts.append(scrapes_table(results.scrapes).markdown())
    if results.idle:
        parts.append(memory_table(results).markdown())
    if results.tls_clients:
        parts.append(tls_clients_table(results.tls_clients).markdown())
    soak = soak_line(results)
    if soak:
        parts.append(soak)
    return "\n\n".join(part for part in parts if part) + "\n"


def to_json(results: Results) -> str:
    """Everything that was measured, round by round, and what follows from it."""
    whole = dataclasses.asdict(results)
    whole["comparisons"] = {cell.name: _plain(compare(cell)) for cell in results.cells}
    whole["goals"] = [dataclasses.asdict(goal) | {"reached": goal.reached} for goal in goals(results)]
    whole["growth"] = {
        curve.name: {target: _plain_one(curve.growth(target)) for target in SIDECARS} for curve in results.curves
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _plain(values: list[Comparison]) -> list[dict[str, object]]:
    return [dataclasses.asdict(value) for value in values]


def _plain_one(value: object) -> dict[str, object] | None:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else None


def final_text(results: Results, show: Callable[[str], None]) -> None:
    """The end of a run, for the terminal: the summary and the goals."""
    summary = summary_table(results)
    if summary:
        show(summary.text())
    show("\n" + goals_table(shown_goals(results)).text())
    for line in _conditions(results)[3:]:
        show(line)
