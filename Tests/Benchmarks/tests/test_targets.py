"""No figure is believed that the stores don't confirm."""

from __future__ import annotations

import unittest

from benchmark.stores import ALL_MISSING, TENTH_MISSING, StoreCounts
from benchmark.targets import BOTH, Expectation
from benchmark.workloads import Operation, Workload

SET = Workload(Operation.SET, 50, 1, 16)
GET = Workload(Operation.GET, 50, 1, 16)
GET_PIPELINED = Workload(Operation.GET, 50, 16, 16)
MIXED = Workload(Operation.MIXED, 50, 1, 16)


class ExpectationTests(unittest.TestCase):
    def test_a_plain_proxy_leaves_the_new_store_alone(self) -> None:
        expectation = Expectation()
        self.assertIsNone(expectation.problem(SET, 100, StoreCounts(sets=100), StoreCounts()))
        self.assertIsNone(expectation.problem(GET, 100, StoreCounts(gets=100), StoreCounts()))
        self.assertIsNone(expectation.problem(MIXED, 100, StoreCounts(sets=50, gets=50), StoreCounts()))
        for old, new in (
            (StoreCounts(sets=99), StoreCounts()),
            (StoreCounts(sets=101), StoreCounts()),
            (StoreCounts(sets=100), StoreCounts(sets=1)),
            (StoreCounts(sets=100, errors=1), StoreCounts()),
        ):
            self.assertIsNotNone(expectation.problem(SET, 100, old, new))
        self.assertIsNotNone(expectation.problem(GET, 100, StoreCounts(gets=100, misses=1), StoreCounts()))

    def test_a_dual_write_reaches_both_stores(self) -> None:
        expectation = Expectation(writes=BOTH)
        self.assertIsNone(expectation.problem(SET, 100, StoreCounts(sets=100), StoreCounts(sets=100)))
        problem = expectation.problem(SET, 100, StoreCounts(sets=100), StoreCounts(sets=98))
        self.assertEqual(problem, "the new store executed 98 SET instead of 100")

    def test_what_the_new_store_misses_is_read_from_the_old_one(self) -> None:
        expectation = Expectation(writes=BOTH, falls_back=True, absence=TENTH_MISSING)
        self.assertIsNone(expectation.problem(GET, 10_000, StoreCounts(gets=990), StoreCounts(gets=10_000, misses=990)))
        for old, new in (
            (StoreCounts(gets=989), StoreCounts(gets=10_000, misses=990)),
            (StoreCounts(gets=10_000), StoreCounts(gets=10_000, misses=990)),
            (StoreCounts(gets=500), StoreCounts(gets=10_000, misses=500)),
            (StoreCounts(gets=990, misses=1), StoreCounts(gets=10_000, misses=990)),
        ):
            self.assertIsNotNone(expectation.problem(GET, 10_000, old, new))

    def test_pipelines_may_be_executed_on_both_stores(self) -> None:
        expectation = Expectation(writes=BOTH, falls_back=True, absence=ALL_MISSING)
        both = StoreCounts(gets=1600), StoreCounts(gets=1600, misses=1600)
        self.assertIsNone(expectation.problem(GET_PIPELINED, 1600, *both))
        whole = Expectation(writes=BOTH, falls_back=True)
        for gets in (0, 700, 1600):
            self.assertIsNone(whole.problem(GET_PIPELINED, 1600, StoreCounts(gets=gets), StoreCounts(gets=1600)))
        self.assertIsNotNone(whole.problem(GET_PIPELINED, 1600, StoreCounts(gets=1601), StoreCounts(gets=1600)))
        self.assertIsNotNone(whole.problem(GET, 1600, StoreCounts(gets=1), StoreCounts(gets=1600)))
