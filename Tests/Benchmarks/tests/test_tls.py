"""Certificates, TLS at real stores, and what a run says of TLS."""

from __future__ import annotations

import io
import os
import ssl
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from benchmark import report, targets, tls
from benchmark.certificates import make_certificates
from benchmark.goals import Goal, goals
from benchmark.laboratory import Laboratory, laboratory
from benchmark.machine import layout
from benchmark.measure import Refused, measure
from benchmark.memory import IdleMemory, measure_target
from benchmark.processes import Processes, ServerError, free_port
from benchmark.progress import Progress
from benchmark.proxies import Proxy, SidecarState, sidecar_configuration
from benchmark.resp import Connection
from benchmark.results import compare
from benchmark.statistics import Spread
from benchmark.stores import Data, Store
from benchmark.targets import Expectation, Target
from benchmark.tls import ClientMemory, measure_load
from benchmark.workloads import KIB, MIB, Operation, Workload

from .fixtures import cell, complete_results, results

SET = Workload(Operation.SET, 50, 16, 16)
# Short times and few clients, so that a test takes no seconds.
SMALL = Workload(Operation.SET, 5, 4, 16)


class RealTLSTests(unittest.TestCase):
    """A real store with a port for TLS."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        processes = self.enterContext(Processes(self.folder))
        self.cores = frozenset(os.sched_getaffinity(0))
        self.certificates = make_certificates(self.folder)
        self.old, self.new = (
            Store(name, free_port(), processes, self.cores, self.certificates) for name in ("old", "new")
        )
        for store in (self.old, self.new):
            self.addCleanup(store.close)

    def port(self) -> int:
        assert self.old.tls_port is not None
        return self.old.tls_port

    def test_clients_trust_the_authority(self) -> None:
        with Connection(self.port(), self.certificates.authority) as connection:
            self.assertEqual(connection.call("PING"), b"PONG")
        other = self.folder / "other"
        other.mkdir()
        with self.assertRaises(ssl.SSLCertVerificationError):
            Connection(self.port(), make_certificates(other).authority)

    def test_figures_of_a_load_with_tls(self) -> None:
        Data(self.old, self.new).prepare(SMALL.keys, SMALL.value_bytes)
        for clients in (1, 20):
            for operation in (Operation.SET, Operation.GET):
                load = Workload(operation, clients, 4, 16)
                sample = measure(targets.direct_tls(self.old), load, 1200, (self.old, self.new), self.cores)
                self.assertEqual(sample.commands, 1200)
                self.assertGreater(sample.throughput, 0)

    def test_no_figures_without_tls_where_it_is_needed(self) -> None:
        with self.assertRaises(Refused):
            target = Target("plain", "plain", (self.port(),), Expectation())
            measure(target, SMALL, 1200, (self.old, self.new), self.cores)

    def test_memory_of_clients(self) -> None:
        for ports, authority in (((self.old.port,), None), ((self.port(),), self.certificates.authority)):
            proxy = Proxy(self.old.process, ports)
            target = Target("store", "store", ports, Expectation(), proxy, authority=authority)
            memory = measure_target(target, 50)
            self.assertEqual(memory.clients, 50)
            self.assertGreater(memory.connected_bytes, memory.idle_bytes)

    def test_openssl_says_what_is_wrong(self) -> None:
        other = self.folder / "other"
        (other / "authority.pem").mkdir(parents=True)
        with self.assertRaisesRegex(ServerError, "openssl req: (.|\n)*authority.pem"):
            make_certificates(other)


class LoadTests(unittest.TestCase):
    def test_measurements_are_longer_and_beside_direct_with_tls(self) -> None:
        def start(_: object, old: Store) -> list[Target]:
            return [targets.direct_tls(old), targets.direct(old)]

        with (
            mock.patch.object(targets, "start_tls", start),
            mock.patch.object(Laboratory, "rounds", autospec=True, side_effect=Laboratory.rounds) as rounds,
            laboratory(layout("shared"), Path("unused"), 0.02, Progress(io.StringIO())) as found,
        ):
            measured = measure_load(found, SMALL, 2)
        self.assertEqual((measured.name, measured.title), (f"tls/{SMALL.name}", f"TLS: {SMALL.title}"))
        reference, plain = compare(measured)
        self.assertEqual((reference.target, reference.ratio), (targets.DIRECT_TLS, Spread(1, 1, 1)))
        self.assertEqual(len(measured.series[1].samples), 2)
        self.assertGreater(plain.throughput.median, 0)
        # The duration that is asked for: on a busy machine the measurement itself may be shorter.
        self.assertEqual(rounds.call_args.args[-1], 0.02 * tls.DURATION_FACTOR)


class ConfigurationTests(unittest.TestCase):
    def setUp(self) -> None:
        certificates = mock.Mock(authority="a.pem", certificate="c.pem", key="c.key")
        self.old, self.new = (mock.Mock(spec=Store, certificates=certificates) for _ in range(2))
        for number, store in ((1, self.old), (2, self.new)):
            store.url = lambda database, has_tls, number=number: f"{'rediss' if has_tls else 'redis'}://{number}"

    def lines(self, state: SidecarState) -> list[str]:
        text = sidecar_configuration(state, (7,), self.old, self.new, Path("flags.yml"))
        return [line.strip() for line in text.splitlines()]

    def test_without_tls(self) -> None:
        lines = self.lines(SidecarState())
        self.assertIn('listen: "127.0.0.1:7"', lines)
        self.assertIn('secondary: { url: "redis://1" }', lines)
        self.assertEqual([line for line in lines if "tls" in line or ".pem" in line], [])

    def test_tls_to_the_stores(self) -> None:
        lines = self.lines(SidecarState(has_tls_stores=True))
        self.assertIn('listen: "127.0.0.1:7"', lines)
        self.assertIn('primary: { url: "rediss://2", tls: { ca_file: "a.pem" } }', lines)
        self.assertIn('secondary: { url: "rediss://1", tls: { ca_file: "a.pem" } }', lines)

    def test_tls_from_clients(self) -> None:
        lines = self.lines(SidecarState(has_tls_clients=True))
        self.assertIn('listen: "tls:127.0.0.1:7"', lines)
        self.assertIn('tls: { cert_file: "c.pem", key_file: "c.key" }', lines)
        self.assertIn('primary: { url: "redis://2" }', lines)


def memory(clients: int, *tls_kib: int) -> ClientMemory:
    """Clients that take 2 KiB without TLS, and so many in each round with it."""

    def idle(kib: int) -> IdleMemory:
        return IdleMemory("", "", 10 * MIB, clients, 10 * MIB + clients * kib * KIB)

    return ClientMemory(clients, [idle(2) for _ in tls_kib], [idle(kib) for kib in tls_kib])


class TLSGoalTests(unittest.TestCase):
    def find(self, found: list[Goal], what: str) -> Goal:
        return next(goal for goal in found if what in goal.what)

    def test_throughput_is_that_of_the_same_load_with_tls(self) -> None:
        for sidecar, reached in (([9.0, 8.0, 12.0], True), ([8.9, 8.0, 12.0], False)):
            throughputs = {targets.DIRECT_TLS: [10.0] * 3, targets.SIDECAR_TLS_STORE: sidecar}
            goal = self.find(goals(results([cell(SET, throughputs, "tls")])), "TLS to the store")
            self.assertEqual((goal.where, goal.reached), (SET.title, reached))
        # The same load without TLS is another one.
        goal = self.find(goals(results([cell(SET, throughputs)])), "TLS to the store")
        self.assertIsNone(goal.measured)

    def test_memory_is_what_tls_adds(self) -> None:
        for tls_kib, reached in (((18, 17, 30), True), ((19, 17, 30), False)):
            found = results([])
            found.tls_clients = memory(1000, *tls_kib)
            goal = self.find(goals(found), "client with TLS")
            self.assertEqual((goal.where, goal.reached), ("1,000 connected", reached))
            self.assertEqual(goal.measured, Spread(tls_kib[0] - 2, 15, 28))
        found.tls_clients = memory(100, 18)
        goal = self.find(goals(found), "client with TLS")
        self.assertEqual((goal.reached, goal.reservation), (None, "only 100 clients"))


class TLSReportTests(unittest.TestCase):
    def test_the_reference_is_direct_with_tls(self) -> None:
        throughputs = {targets.DIRECT_TLS: [10.0], targets.SIDECAR_TLS_STORE: [9.0]}
        rows = report.cell_table(cell(SET, throughputs, "tls")).rows
        self.assertEqual([row[2] for row in rows], ["1", "0.90 (0.90–0.90)"])

    def test_memory_of_clients_is_shown_with_the_difference(self) -> None:
        table = report.tls_clients_table(memory(1000, 14, 12, 18))
        self.assertEqual([row[0] for row in table.rows], ["without TLS", "with TLS", "difference"])
        self.assertEqual(table.rows[1][1:4], ["10.0", "1000", "23.7"])
        self.assertEqual(table.rows[2][4], "12.00 (10.00–16.00)")

    def test_a_selection_leaves_out_the_goals_of_other_parts(self) -> None:
        found = results([])
        found.tls_clients = memory(1000, 14)
        self.assertIn("not measured", report.markdown(found))
        found.is_selection = True
        text = report.markdown(found)
        self.assertNotIn("not measured", text)
        self.assertIn("Only some parts were measured", text)
        self.assertIn("memory for an idle client with TLS", text)

    def test_a_whole_report_has_tls_too(self) -> None:
        text = report.markdown(complete_results())
        self.assertIn("#### TLS: SET, 50 clients, pipelines of 16, 16 B", text)
        self.assertIn("#### Memory of idle clients with TLS", text)
