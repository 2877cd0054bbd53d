"""How loads are divided, and what redis-benchmark says of them."""

from __future__ import annotations

import unittest

from benchmark.load import LoadError, Part, parse, parts, whole_commands
from benchmark.workloads import Operation, Workload

OUTPUT = """\
SET: rps=0.0 (overall: 0.0) avg_msec=-nan (overall: -nan)\r      \r====== SET ======
  20000 requests completed in 0.67 seconds
  50 parallel clients

Latency by percentile distribution:
0.000% <= 0.239 milliseconds (cumulative count 1)
50.000% <= 1.023 milliseconds (cumulative count 10164)
99.805% <= 5.199 milliseconds (cumulative count 19961)
99.902% <= 5.407 milliseconds (cumulative count 19981)
100.000% <= 5.743 milliseconds (cumulative count 20000)

Cumulative distribution of latencies:
99.905% <= 0.103 milliseconds (cumulative count 0)
100.000% <= 6.103 milliseconds (cumulative count 20000)

Summary:
  throughput summary: 29985.01 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        1.083     0.232     1.023     1.663     3.791     5.743
"""


class ParseTests(unittest.TestCase):
    def test_throughput_and_percentiles(self) -> None:
        result = parse(OUTPUT, 20_000)
        self.assertAlmostEqual(result.seconds, 20_000 / 29985.01)
        self.assertAlmostEqual(result.p50, 1023)
        self.assertAlmostEqual(result.p99, 3791)
        self.assertAlmostEqual(result.p999, 5407)

    def test_what_took_no_time_took_a_tick_of_its_clock(self) -> None:
        self.assertAlmostEqual(parse(OUTPUT.replace("29985.01", "inf"), 20).seconds, 0.001)

    def test_an_error_reply_is_never_a_figure(self) -> None:
        with self.assertRaisesRegex(LoadError, "Error from server: ERR no"):
            parse("Error from server: ERR no\n" + OUTPUT, 20_000)

    def test_what_is_no_result_is_an_error(self) -> None:
        for text in ("", OUTPUT.replace("throughput", ""), OUTPUT.replace("29985.01", "0.00")):
            with self.assertRaises(LoadError):
                parse(text, 20_000)


class DivisionTests(unittest.TestCase):
    def test_mixed_is_half_set_and_half_get(self) -> None:
        load = Workload(Operation.MIXED, 50, 16, 16)
        self.assertEqual(
            parts((7,), load, 1600), [Part(7, Operation.SET, 25, 800), Part(7, Operation.GET, 25, 800)]
        )

    def test_instances_share_the_clients(self) -> None:
        load = Workload(Operation.SET, 24, 1, 16)
        self.assertEqual([part.clients for part in parts((1, 2, 3, 4), load, 4000)], [6] * 4)
        self.assertEqual([part.port for part in parts((1, 2, 3, 4), load, 4000)], [1, 2, 3, 4])

    def test_commands_are_whole_pipelines_for_every_part(self) -> None:
        load = Workload(Operation.MIXED, 50, 16, 16)
        for wanted in (0, 1, 5000, 123_456):
            commands = whole_commands(wanted, (1, 2), load)
            self.assertGreaterEqual(commands, 2 * 48 * 16)
            for part in parts((1, 2), load, commands):
                self.assertEqual(part.commands % 16, 0)
                self.assertGreaterEqual(part.commands, 2 * part.clients * 16)
            self.assertEqual(sum(part.commands for part in parts((1, 2), load, commands)), commands)
