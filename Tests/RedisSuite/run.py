#!/usr/bin/env python3
"""Runs Redis' own test suite directly at a server and through the sidecar, and holds the difference against a list.

Cases that pass at a server but not through the sidecar have to be in expected.txt, and only they; otherwise the exit
code is 1. The suite is downloaded as Debian's source package into the build folder.

The suite goes on with the client of a case that failed, which may be in the middle of a transaction. So a unit with
many failures is run again without the first of them, and a case that failed in its unit is run again alone.
"""

import argparse
import itertools
import os
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from expectations import read_expectations
from servers import Servers
from suite import UNITS, download, first_failure, run_unit

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / ".build"
STATES = ("direct", "flags off", "dual write")
# More failures than this in one unit follow from one another.
MANY_FAILURES = 20
# The least that has to pass of all units' cases, whatever the list says.
REQUIRED = {"flags off": 1550, "dual write": 1530}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"some of: {' '.join(UNITS)}")
    parser.add_argument("--debug", action="store_true", help="take the sidecar's debug build, not the release build")
    parser.add_argument("--executable", type=Path, help="another build of the sidecar")
    parser.add_argument("--state", action="append", choices=STATES[1:], help="only this state; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="units that run at once (%(default)s)")
    parser.add_argument("--logs", type=Path, default=BUILD / "redis-suite/logs", help="where the output goes")
    arguments = parser.parse_args()
    if unknown := set(arguments.units) - set(UNITS):
        parser.error(f"no such unit: {' '.join(sorted(unknown))}")
    return arguments


class Task(NamedTuple):
    """A unit, or some of its cases, to be run in a state."""

    unit: str
    state: str
    only: str = ""
    without: str = ""


class Run:
    """All units in all states, each with servers of its own."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        build = BUILD / ("debug" if arguments.debug else "release")
        self.executable = (arguments.executable or build / "multistore-exporter").resolve()
        self.units = arguments.units or UNITS
        self.states = ["direct", *(arguments.state or STATES[1:])]
        self.jobs = arguments.jobs
        self.logs = arguments.logs.resolve()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.numbers = itertools.count()
        self.suite = download(BUILD / "redis-suite")
        self.expected = read_expectations(HERE / "expected.txt")
        self.passed: dict[str, Counter[str]] = {state: Counter() for state in self.states}

    def run(self) -> bool:
        """Whether the list is right."""
        units = [Task(unit, state) for unit in self.units for state in self.states]
        with ThreadPoolExecutor(self.jobs) as pool:
            for task, passed in zip(units, pool.map(self.run_task, units)):
                self.passed[task.state] += passed
            for tasks in (self.units_to_repeat, self.cases_to_repeat):
                repeated = [task for state in self.states[1:] for task in tasks(state)]
                for task, passed in zip(repeated, pool.map(self.run_task, repeated)):
                    self.passed[task.state] |= passed
        print(f"{sum(self.passed['direct'].values())} cases pass at a server")
        return all([self.judge(state) for state in self.states[1:]])

    def failed(self, state: str) -> list[tuple[str, str]]:
        """Units and cases that failed so far."""
        names = sorted(self.passed["direct"] - self.passed[state])
        return [(unit, case) for unit, _, case in (name.partition(": ") for name in names)]

    def units_to_repeat(self, state: str) -> list[Task]:
        counts = Counter(unit for unit, _ in self.failed(state))
        units = [unit for unit, count in counts.items() if count > MANY_FAILURES]
        first = {unit: first_failure(self.log(Task(unit, state))) for unit in units}
        return [Task(unit, state, without=case) for unit, case in first.items() if case]

    def cases_to_repeat(self, state: str) -> list[Task]:
        return [Task(unit, state, only=case) for unit, case in self.failed(state)]

    def log(self, task: Task) -> Path:
        return self.logs / f"{re.sub('[^a-zA-Z0-9]+', '-', ' '.join(task).strip())}.log"

    def run_task(self, task: Task) -> Counter[str]:
        choice = ["--only", task.only] if task.only else ["--skiptest", task.without] if task.without else []
        # Ports on which the suite's parts meet: other ones for each task, and below those that the system gives out.
        control_port = 21200 + 40 * (next(self.numbers) % 280)
        with tempfile.TemporaryDirectory() as folder, Servers(task.state, Path(folder), self.executable) as servers:
            passed = run_unit(self.suite, task.unit, servers.port, control_port, self.log(task), choice)
        print(f"{' '.join(task).strip()}: {sum(passed.values())} passed", flush=True)
        return passed

    def judge(self, state: str) -> bool:
        """Whether exactly those cases fail in a state that are listed for it."""
        count = sum(self.passed[state].values())
        failed = set(self.passed["direct"] - self.passed[state]) - self.expected["races"]
        listed = {case for case in self.expected[state] if case.split(": ")[0] in self.units}
        print(f"\n{state}: {count} pass, {len(failed)} do not, {len(listed)} are listed")
        for case in sorted(failed - listed):
            print(f"  not listed: {case}")
        for case in sorted(listed - failed):
            print(f"  listed, but does not fail: {case}")
        enough = self.units != UNITS or count >= REQUIRED[state]
        if not enough:
            print(f"  at least {REQUIRED[state]} have to pass")
        return failed == listed and enough


def main() -> int:
    # The suite's colours would have to be removed from its output again.
    os.environ["TERM"] = "dumb"
    return 0 if Run(parse_arguments()).run() else 1


if __name__ == "__main__":
    sys.exit(main())
