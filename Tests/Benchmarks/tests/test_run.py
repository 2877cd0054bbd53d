"""The command line, the machine, the metrics page, and one real measurement."""

from __future__ import annotations

import contextlib
import io
import os
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from benchmark import measure, targets
from benchmark.__main__ import Run
from benchmark.machine import MachineError, layout
from benchmark.measure import Refused, failures
from benchmark.options import parse
from benchmark.probe import RoundTrip
from benchmark.processes import Processes, ServerError, free_port
from benchmark.progress import Progress
from benchmark.proxies import Proxy
from benchmark.resp import Connection
from benchmark.scraper import Scrape
from benchmark.scrapes import during
from benchmark.stores import Data, Store
from benchmark.targets import BOTH, Expectation, Target
from benchmark.workloads import KIB, Operation, Workload
from .fixtures import MACHINE, results

METRICS = """\
# TYPE multistore_copy_failures_total counter
multistore_copy_failures_total{instance_name="a",store="primary",reason="error"} 0
multistore_commands_total{instance_name="a",store="primary",outcome="ok"} 100
multistore_commands_total{instance_name="a",store="primary",outcome="timeout"} 0
multistore_fallback_reads_total{instance_name="a",reason="miss"} 50
multistore_fallback_reads_total{instance_name="a",reason="error"} 0
"""


class OptionTests(unittest.TestCase):
    def test_defaults(self) -> None:
        options = parse([])
        self.assertEqual((options.rounds, options.soak_minutes, options.layout), (5, 0, "shared"))
        self.assertEqual(options.command, "Tests/Benchmarks/run.sh")
        self.assertTrue(options.wants("memory"))

    def test_parts_can_be_chosen(self) -> None:
        options = parse(["--only", "curve|soak", "--quick"])
        self.assertEqual(
            [name for name in ("memory", "curve/values", "soak", "matrix/x") if options.wants(name)],
            ["curve/values", "soak"],
        )
        self.assertEqual(options.command, "Tests/Benchmarks/run.sh --only 'curve|soak' --quick")

    def test_what_makes_no_sense_is_refused(self) -> None:
        for wrong in (["--rounds", "0"], ["--seconds", "-1"], ["--only", "("], ["--quick", "--full"], ["--qui"]):
            with self.assertRaises(SystemExit) as raised, contextlib.redirect_stderr(io.StringIO()):
                parse(wrong)
            self.assertEqual(raised.exception.code, 2)


class StepTests(unittest.TestCase):
    def names(self, *arguments: str) -> list[str]:
        return [step.name for step in Run(parse(arguments), results([]), Progress(io.StringIO())).steps()]

    def test_tls_is_a_part_of_every_run(self) -> None:
        wanted = [f"tls/{kind}-c50-p{depth}-16B" for depth in (16, 1) for kind in ("set", "get")] + ["tls/memory"]
        for extent in ([], ["--quick"], ["--full"]):
            self.assertEqual(self.names(*extent, "--only", "^tls"), wanted)
            self.assertLess(len(wanted), len(self.names(*extent)))


class MachineTests(unittest.TestCase):
    def test_clients_need_descriptors(self) -> None:
        self.assertTrue(10_000 < MACHINE.clients_limit < MACHINE.descriptors)

    def test_layouts(self) -> None:
        self.assertEqual(layout("shared", {3, 5, 7}).proxy, {3, 5})
        self.assertEqual(layout("shared", {3}).load, {3})
        apart = layout("apart", {0, 1, 2, 3, 4})
        self.assertEqual((apart.proxy, apart.stores, apart.load), ({0}, {1, 2}, {3, 4}))
        with self.assertRaisesRegex(MachineError, "needs 4 cores, and there are 2"):
            layout("apart", {0, 1})


class FailureTests(unittest.TestCase):
    def test_what_must_not_happen_is_counted(self) -> None:
        self.assertEqual(failures(METRICS), 0)
        self.assertEqual(failures(METRICS.replace('"timeout"} 0', '"timeout"} 3')), 3)
        self.assertEqual(failures(METRICS.replace('reason="error"} 0', 'reason="error"} 2')), 4)

    def test_commands_that_met_a_scrape(self) -> None:
        trips = [RoundTrip(0, 5_000), RoundTrip(5_000, 9_000), RoundTrip(9_000, 10_000), RoundTrip(20_000, 21_000)]
        self.assertEqual(during(trips, [Scrape(8_000, 9_500, 1)]), [1.0, 4.0])


class RealMeasurementTests(unittest.TestCase):
    """Two real stores, redis-benchmark and the probe."""

    def setUp(self) -> None:
        folder = self.enterContext(TemporaryDirectory())
        self.processes = self.enterContext(Processes(Path(folder)))
        self.cores = frozenset(os.sched_getaffinity(0))
        self.old, self.new = (Store(name, free_port(), self.processes, self.cores) for name in ("old", "new"))
        for store in (self.old, self.new):
            self.addCleanup(store.close)
        self.data = Data(self.old, self.new)

    def measure(self, workload: Workload, expectation: Expectation, commands: int = 4000) -> measure.Sample:
        self.data.prepare(workload.keys, workload.value_bytes)
        target = Target("direct", "direct", (self.old.port,), expectation)
        return measure.measure(target, workload, commands, (self.old, self.new), self.cores)

    def test_figures_of_what_was_executed(self) -> None:
        # With values of 64 KiB the probe comes to the end of its prepared commands, and begins anew.
        for clients, pipeline, value_bytes in ((1, 4, 16), (20, 4, 16), (1, 1, 64 * KIB)):
            for operation in Operation:
                sample = self.measure(Workload(operation, clients, pipeline, value_bytes), Expectation(), 1200)
                self.assertEqual(sample.commands, 1200)
                self.assertGreater(sample.throughput, 0)
                self.assertTrue(0 < sample.p50 <= sample.p99 <= sample.p999)

    def test_no_figures_of_what_was_not(self) -> None:
        load = Workload(Operation.SET, 20, 1, 16)
        with mock.patch.object(measure, "SETTLE_LIMIT_SECONDS", 0.1):
            with self.assertRaisesRegex(Refused, "the new store executed 0 SET instead of 4000"):
                self.measure(load, Expectation(writes=BOTH))

    def test_no_figures_of_errors(self) -> None:
        with Connection(self.old.port) as connection:
            connection.call("CONFIG", "SET", "maxmemory", 1)
        for clients in (1, 20):
            with self.assertRaisesRegex(Refused, "OOM"):
                target = Target("direct", "direct", (self.old.port,), Expectation())
                load = Workload(Operation.SET, clients, 1, 16)
                measure.measure(target, load, 4000, (self.old, self.new), self.cores)

    def test_no_figures_of_a_proxy_that_has_ended(self) -> None:
        gone = self.processes.start("proxy", ["true"], self.cores)
        with self.assertRaisesRegex(ServerError, "proxy ended with 0"):
            gone.wait_until("starting", lambda: None)
        target = Target("proxy", "a proxy", (self.old.port,), Expectation(), Proxy(gone, (self.old.port,)))
        with self.assertRaises(Refused):
            measure.measure(target, Workload(Operation.SET, 20, 1, 16), 4000, (self.old, self.new), self.cores)

    def test_a_server_that_ends_shows_its_log(self) -> None:
        with self.assertRaisesRegex(ServerError, "(?s)odd ended with.*no-such-option"):
            process = self.processes.start("odd", ["redis-server", "--no-such-option"], self.cores)
            process.wait_until_listening(free_port())


class TargetTests(unittest.TestCase):
    def test_names_are_shown_by_operation(self) -> None:
        target = Target("a", "dual write", (1,), Expectation(), read_title="0 % misses")
        self.assertEqual([target.title_for(each) for each in Operation], ["dual write", "0 % misses", "dual write"])
        self.assertEqual(targets.direct(mock.Mock(port=7), 3).ports, (7, 7, 7))
