"""Which loads there are."""

from __future__ import annotations

import unittest

from benchmark.goals import goals
from benchmark.workloads import KIB, MIB, Operation, Workload, bytes_text, default_matrix, full_matrix, quick_matrix

from .fixtures import results


class WorkloadTests(unittest.TestCase):
    def test_names_are_those_of_one_load(self) -> None:
        for matrix in (full_matrix(), default_matrix(), quick_matrix()):
            names = [load.name for load in matrix]
            self.assertEqual(len(set(names)), len(names))
        self.assertEqual(Workload(Operation.SET, 50, 16, 64 * KIB).name, "set-c50-p16-64KiB")
        self.assertEqual(Workload(Operation.MIXED, 1, 1, 16).title, "SET and GET, 1 client, no pipelining, 16 B")

    def test_the_full_matrix_has_every_combination(self) -> None:
        self.assertEqual(len(full_matrix()), 3 * 3 * 3 * 3)
        self.assertEqual(
            [load.name for load in full_matrix() if not load.fits],
            [f"{operation.value}-c500-p100-64KiB" for operation in Operation],
        )

    def test_every_goal_is_measured_by_default(self) -> None:
        titles = {load.title for load in default_matrix()}
        wanted = {goal.where for goal in goals(results([])) if goal.where.startswith(("SET", "GET"))}
        self.assertEqual(wanted - titles, set())
        self.assertGreater(len(wanted), 4)

    def test_data_sets_are_bounded(self) -> None:
        self.assertEqual(Workload(Operation.GET, 1, 1, 16).keys, 10_000)
        self.assertEqual(Workload(Operation.GET, 1, 1, 64 * KIB).keys, 1024)
        self.assertEqual(Workload(Operation.GET, 1, 1, 8 * MIB).keys, 8)

    def test_sizes_for_people(self) -> None:
        sizes = {16: "16 B", KIB: "1 KiB", 1500: "1500 B", 64 * KIB: "64 KiB", 8 * MIB: "8 MiB"}
        self.assertEqual([bytes_text(size) for size in sizes], list(sizes.values()))
