"""What callgrind's files say, and when a figure is too high."""

from __future__ import annotations

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from cost.callgrind import Calls, parse
from cost.counting import Count, lowest
from cost.scenarios import SCENARIOS
from cost.thresholds import SURCHARGES, Cost, confirmed, problems, read, surcharges, write

DUMP = """\
# callgrind format
events: Ir

ob=/usr/bin/sidecar
fl=???
fn=$s7Sidecar7SessionC
0 1000
cfn=swift_retain
calls=7 0
0 70
cob=/usr/lib/libc.so.6
cfn=malloc
calls=3 0
0 90
cfn=swift_release
calls=7 0
0 50

ob=/usr/lib/libhiredis.so.0.14
fn=redisReaderGetReply
0 20
cob=/usr/lib/libc.so.6
cfn=calloc
calls=5 0
0 10

ob=/usr/lib/libc.so.6
fn=realloc
0 5
cfn=malloc
calls=2 0
0 30
fn=swift_bridgeObjectRetain
cob=/usr/bin/sidecar
cfn=swift_retain'2
calls=4 0
0 40
totals: 12345
"""
COST = Cost(instructions=1000, allocations=0, hiredis_allocations=2, retains=10)


class ParseTests(unittest.TestCase):
    def test_calls_are_told_by_who_makes_them(self) -> None:
        self.assertEqual(parse(DUMP), Calls(instructions=12345, allocations=3, hiredis_allocations=5, retains=7))

    def test_what_happens_by_the_clock_is_no_cost(self) -> None:
        busy = Count(2.0, Calls(5000, 20, 30, 100), "")
        idle = Count(4.0, Calls(2000, 40, 0, 400), "")
        self.assertEqual(busy.beyond(idle, 10), Cost(400, 0, 3, 0))

    def test_what_happens_in_some_counts_only_is_no_cost(self) -> None:
        figures = (9000, 4990, 9100, 5000, 8900)
        counts = [Count(1.0, Calls(instructions, 0, 0, 0), "") for instructions in figures]
        self.assertIs(lowest(iter(counts).__next__), counts[1])


class ThresholdTests(unittest.TestCase):
    def test_a_figure_that_is_too_high_is_counted_again(self) -> None:
        high, fine = replace(COST, instructions=1060), replace(COST, instructions=1040)
        for figures, expected in (([fine, high], fine), ([high, fine, high], fine), ([high] * 4, high)):
            counts = list(figures)
            self.assertEqual(confirmed("SET", lambda: counts.pop(0), {}, {"SET": COST}), expected)
            self.assertEqual(len(counts), 1)
        self.assertEqual(confirmed("SET", [high].pop, {}, {}), high)

    def test_a_scenario_too_far_above_another_one_is_counted_again(self) -> None:
        (name, other), limit = next(iter(SURCHARGES.items()))
        high, fine = (replace(COST, instructions=1000 * (1 + limit) + more) for more in (1, -1))
        self.assertEqual(confirmed(name, [fine, high].pop, {other: COST}, {}), fine)
        self.assertEqual(confirmed(name, [fine, high, high, high].pop, {other: COST}, {}), high)

    def test_five_per_cent_are_let_pass(self) -> None:
        self.assertEqual(problems({"a": Cost(1050, 0.04, 2.1, 10.5)}, {"a": COST}), [])

    def test_each_figure_is_held(self) -> None:
        worse = {"a": Cost(1051, 0.06, 2.2, 10.6)}
        self.assertEqual(
            problems(worse, {"a": COST}),
            [
                "a: 1,051.00 instructions for a command, and 1,000.00 are committed",
                "a: 0.06 allocations for a command, and 0.00 are committed",
                "a: 2.20 hiredis allocations for a command, and 2.00 are committed",
                "a: 10.60 retains for a command, and 10.00 are committed",
            ],
        )

    def test_a_surcharge_is_held_against_the_same_run(self) -> None:
        name, other = "HGETALL of 100 fields, flags off, RESP3", "HGETALL of 100 fields, flags off"
        self.assertEqual(surcharges({name: Cost(1050, 0, 0, 0), other: COST}), [])
        self.assertEqual(surcharges({name: Cost(2000, 0, 0, 0)}), [])
        self.assertEqual(
            surcharges({name: Cost(1060, 0, 0, 0), other: COST}),
            [f"{name}: 6.0% more instructions than {other}, and 5% are allowed"],
        )

    def test_surcharges_are_about_scenarios(self) -> None:
        names = {scenario.name for scenario in SCENARIOS}
        self.assertLessEqual({name for pair in SURCHARGES for name in pair}, names)

    def test_what_is_not_committed_is_a_problem(self) -> None:
        self.assertEqual(problems({"new": COST}, {}), ["new: thresholds.json has no figures"])

    def test_what_is_written_is_read_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "thresholds.json"
            write({"a": Cost(999.6, 0.001, 2, 10)}, file)
            self.assertEqual(read(file), {"a": COST})
