"""Counts what commands cost and compares that with what is committed: python3 -m cost, which cost.sh calls."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.__main__ import build
from benchmark.processes import Processes, ServerError
from benchmark.progress import Progress
from benchmark.resp import StoreError
from benchmark.tables import Table

from .counting import Counting
from .scenarios import SCENARIOS
from .thresholds import FILE, Cost, confirmed, problems, read, surcharges, write

_DESCRIPTION = """\
Counts, under valgrind's callgrind, what one command costs the sidecar in each of its states: instructions in user
space, heap allocations, references counted. These figures hardly depend on the machine. The exit code is 1 when one of
them is more than 5 % above what is committed in Tests/Benchmarks/cost/thresholds.json, or when RESP3 costs too much
more than RESP2.
"""


def table(costs: dict[str, Cost]) -> Table:
    """The figures for people."""
    rows = [
        [name, f"{cost.instructions:,.0f}", f"{cost.allocations:.2f}", f"{cost.hiredis_allocations:.2f}"]
        + [f"{cost.retains:.2f}"]
        for name, cost in costs.items()
    ]
    headings = ["", "instructions", "allocations", "by hiredis", "references counted"]
    return Table("Cost of one command", headings, rows)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 1 if something costs more than is committed."""
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/cost.sh", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--commit", action="store_true", help="write what is counted into thresholds.json instead")
    parser.add_argument("--only", metavar="TEXT", default="", help="scenarios whose names contain this")
    parser.add_argument("--profiles", metavar="FOLDER", type=Path, help="keep callgrind's files in this folder")
    parser.add_argument("--sidecar", metavar="FILE", type=Path, help="an executable to measure instead of building one")
    given = parser.parse_args(arguments)
    progress = Progress()
    sidecar = given.sidecar.resolve() if given.sidecar else build(progress)
    costs: dict[str, Cost] = {}
    committed = {} if given.commit else read()
    with TemporaryDirectory(prefix="multistore-cost-") as folder, Processes(Path(folder)) as processes:
        counting = Counting(processes, sidecar, given.profiles)
        for scenario in SCENARIOS:
            if given.only in scenario.name:
                progress.say(scenario.name)
                count = partial(counting.cost, scenario)
                costs[scenario.name] = confirmed(scenario.name, count, costs, committed)
    print(table(costs).text())
    if given.commit:
        write(read() | costs if FILE.exists() else costs)
    found = surcharges(costs) + problems(costs, read())
    print("\n".join(found or ["Nothing costs more than is committed."]))
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ServerError, StoreError, OSError, subprocess.CalledProcessError) as error:
        print(f"cost: {error}", file=sys.stderr)
        sys.exit(1)
