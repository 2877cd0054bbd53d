"""Medians, spreads, quantiles and growth."""

from __future__ import annotations

import unittest

from benchmark.statistics import Growth, Spread, differences, growth, quantile, ratios, spread


class StatisticsTests(unittest.TestCase):
    def test_spread_is_the_median_with_the_extremes(self) -> None:
        self.assertEqual(spread([3, 1, 2]), Spread(2, 1, 3))
        self.assertEqual(spread([4, 1]), Spread(2.5, 1, 4))

    def test_ratios_and_differences_are_of_the_same_round(self) -> None:
        # The machine was twice as fast in the second round; what is compared wasn't.
        self.assertEqual(ratios([80, 160], [100, 200]), Spread(0.8, 0.8, 0.8))
        self.assertEqual(differences([5, 9, 7], [1, 2, 3]), Spread(4, 4, 7))

    def test_rounds_without_a_partner_are_a_mistake(self) -> None:
        with self.assertRaises(ValueError):
            ratios([1, 2], [1])

    def test_quantile_is_a_value_that_was_measured(self) -> None:
        values = list(range(1, 1001))
        self.assertEqual([quantile(values, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)], [1, 500, 990, 999, 1000])
        self.assertEqual(quantile([7], 0.999), 7)
        self.assertEqual(quantile([1, 2, 3], 0.5), 2)
        with self.assertRaises(ValueError):
            quantile([], 0.5)

    def test_cost_in_step_with_work_does_not_grow(self) -> None:
        self.assertEqual(growth([1, 2, 4], [3, 6, 12], [1, 2, 4]), Growth(1.0, 1))
        self.assertEqual(growth([1, 10, 100], [9, 5, 4], [1, 1, 1]).factor, 1.0)

    def test_growth_is_measured_from_the_least_point_before(self) -> None:
        found = growth([1, 10, 100, 1000], [10, 5, 6, 9], [1, 1, 1, 1])
        self.assertEqual((found.factor, found.at), (1.8, 1000))
