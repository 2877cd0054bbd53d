"""Tables, goals and the whole report."""

from __future__ import annotations

import json
import unittest

from benchmark import report, targets
from benchmark.goals import Goal, goals
from benchmark.results import compare
from benchmark.statistics import Spread
from benchmark.tables import Table, microseconds, quantity, ratio, thousands
from benchmark.workloads import MIB, Operation, Workload

from .fixtures import cell, complete_results, results

PIPELINED = Workload(Operation.SET, 50, 16, 16)


class TableTests(unittest.TestCase):
    table = Table("Title", ["", "n"], [["a|b", "1"], ["c", "200"]])

    def test_columns_line_up(self) -> None:
        self.assertEqual(self.table.text(), "Title\n         n\n  a|b    1\n  c    200")

    def test_markdown(self) -> None:
        self.assertEqual(
            self.table.markdown(), "#### Title\n\n|  | n |\n| --- | ---: |\n| a\\|b | 1 |\n| c | 200 |"
        )

    def test_numbers(self) -> None:
        self.assertEqual([thousands(n) for n in (950, 52_340, 427_400, 1_350_000)], ["950", "52.3k", "427k", "1.35M"])
        self.assertEqual([microseconds(n, True) for n in (1.24, 340, -1250)], ["+1.2 µs", "+340 µs", "-1.25 ms"])
        self.assertEqual(ratio(Spread(0.8, 0.75, 0.9)), "0.80 (0.75–0.90)")
        self.assertEqual([quantity(1.5, unit) for unit in ("×", "µs", "MiB")], ["1.50×", "1.5 µs", "1.5 MiB"])


class ComparisonTests(unittest.TestCase):
    def test_targets_are_compared_within_rounds(self) -> None:
        found = cell(PIPELINED, {targets.DIRECT: [100_000, 50_000], targets.SIDECAR_OFF: [80_000, 42_000]})
        direct, off = compare(found)
        self.assertEqual(direct.ratio, Spread(1, 1, 1))
        self.assertAlmostEqual(off.ratio.median, 0.82)
        self.assertAlmostEqual(off.added_p50.low, 1e6 / 80_000 - 1e6 / 100_000)
        self.assertAlmostEqual(off.user, 1.0)
        self.assertAlmostEqual(off.system, 0.5)
        self.assertAlmostEqual(off.others, 3.0)

    def test_what_the_others_use_is_shown_for_direct_too(self) -> None:
        table = report.cell_table(cell(PIPELINED, {targets.DIRECT: [10.0], targets.SIDECAR_OFF: [9.0]}))
        column = table.headings.index("others")
        self.assertEqual([row[column] for row in table.rows], ["3.00", "3.00"])

    def test_nothing_is_compared_without_direct(self) -> None:
        self.assertEqual(compare(cell(PIPELINED, {targets.DIRECT: [], targets.SIDECAR_OFF: [1.0]})), [])

    def test_a_target_that_failed_has_no_figures(self) -> None:
        found = cell(PIPELINED, {targets.DIRECT: [10.0], targets.TWEMPROXY: []})
        row = report.cell_table(found).rows[1]
        self.assertEqual((row[1], set(row[2:])), ("no figures", {""}))
        self.assertIn("the twemproxy: the new store executed 9 SET instead of 10", report.cell_text(found))


class GoalTests(unittest.TestCase):
    def find(self, found: list[Goal], what: str, where: str) -> Goal:
        return next(goal for goal in found if what in goal.what and goal.where == where)

    def test_the_median_decides(self) -> None:
        measured = {targets.DIRECT: [10.0, 10.0, 10.0], targets.SIDECAR_OFF: [7.0, 7.6, 9.0]}
        goal = self.find(goals(results([cell(PIPELINED, measured)])), "against direct", PIPELINED.title)
        self.assertIs(goal.reached, True)
        measured[targets.SIDECAR_OFF] = [7.0, 7.4, 9.0]
        goal = self.find(goals(results([cell(PIPELINED, measured)])), "against direct", PIPELINED.title)
        self.assertIs(goal.reached, False)

    def test_what_was_not_measured_is_not_decided(self) -> None:
        self.assertEqual({goal.reached for goal in goals(results([]))}, {None})

    def test_memory_and_scrapes(self) -> None:
        found = complete_results()
        self.assertIs(self.find(goals(found), "memory, idle", "both states").reached, True)
        self.assertIs(self.find(goals(found), "memory for an idle client", "10,000 connected").reached, True)
        self.assertIs(self.find(goals(found), "growth of memory", "10 minutes under load").reached, True)
        self.assertIs(self.find(goals(found), "scrape", "267 series").reached, True)

    def test_a_shorter_run_decides_nothing(self) -> None:
        found = complete_results()
        assert found.soak is not None
        found.soak.minutes = 1
        goal = self.find(goals(found), "growth of memory", "1 minutes under load")
        self.assertIsNone(goal.reached)
        self.assertIn("undecided: only 1 minutes", report.goals_table([goal]).rows[0])

    def test_growth_of_memory_leaves_the_first_fifth_out(self) -> None:
        found = complete_results()
        assert found.soak is not None
        found.soak.samples = [(float(n), (n if n < 20 else 20) * MIB) for n in range(100)]
        self.assertEqual(found.soak.grown_bytes, 0)
        found.soak.samples = [(float(n), n * MIB) for n in range(100)]
        self.assertEqual(found.soak.grown_bytes, 60 * MIB)


class ReportTests(unittest.TestCase):
    def test_the_report_says_everything(self) -> None:
        text = report.markdown(complete_results())
        for part in (
            "`Tests/Benchmarks/run.sh --only 'a|b'`",
            "A processor <fast>, 2 cores",
            "#### Goals",
            "#### Throughput as a share of direct",
            "#### SET, 50 clients, pipelines of 16, 16 B",
            "#### By clients",
            "#### Memory of an idle proxy",
            "#### A scrape every second",
            "Soak: 1,000,000 commands in 10 minutes",
            "No figures: SET, 50 clients, pipelines of 16, 16 B: the sidecar-dual: the new store executed 9 SET",
        ):
            self.assertIn(part, text)
        self.assertNotIn("smoke", text)

    def test_what_makes_figures_worthless_is_said(self) -> None:
        found = complete_results()
        found.is_smoke_run, found.is_complete = True, False
        text = report.markdown(found)
        self.assertIn("A smoke run", text)
        self.assertIn("ended before it was done", text)

    def test_json_has_every_round_and_the_conclusions(self) -> None:
        whole = json.loads(report.to_json(complete_results()))
        self.assertEqual(len(whole["cells"][0]["series"][1]["samples"]), 2)
        self.assertEqual(whole["comparisons"]["matrix/set-c50-p16-16B"][1]["target"], targets.SIDECAR_OFF)
        self.assertIn(True, [goal["reached"] for goal in whole["goals"]])
        self.assertAlmostEqual(whole["growth"]["clients"]["sidecar-off"]["factor"], 1.0)
