"""The command line."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .workloads import Workload, default_matrix, full_matrix, quick_matrix

PROJECT = Path(__file__).resolve().parents[3]

_DESCRIPTION = """\
Installs what is missing, builds multistore-exporter with optimisation, and measures it on loopback beside no proxy,
twemproxy and Envoy: throughput, latency, processor time and memory, how they grow, and whether the goals are reached.
"""

_EPILOG = """\
Everything listens on free ports of loopback and lives in a temporary folder; nothing is left behind but the report:
report.md, report.json, comparison.svg and growth.svg. Let the machine do nothing else meanwhile.
"""


@dataclass(frozen=True)
class Options:
    """What a run is to do."""

    is_quick: bool
    matrix: list[Workload]
    pattern: re.Pattern[str]
    rounds: int
    seconds: float
    soak_minutes: float
    layout: str
    output: Path
    sidecar: Path | None
    only_lists: bool
    command: str

    def wants(self, name: str) -> bool:
        """Whether a part of the run is to be measured."""
        return bool(self.pattern.search(name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="Tests/Benchmarks/run.sh",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="a few short measurements, only to see that all works")
    extent.add_argument("--full", action="store_true", help="every combination of loads; takes some two hours")
    parser.add_argument(
        "--only", metavar="PATTERN", type=_pattern, default=re.compile(""), help="parts whose names match, see --list"
    )
    parser.add_argument("--list", action="store_true", help="the names of all parts, and no measurement")
    parser.add_argument("--rounds", metavar="N", type=_positive_int, help="rounds (default: 5; 2 with --quick)")
    parser.add_argument(
        "--seconds", metavar="S", type=_positive, help="time of one measurement (default: 1; 0.1 with --quick)"
    )
    parser.add_argument(
        "--soak", metavar="MINUTES", type=_positive, default=0.0, help="also a run under load that watches memory"
    )
    parser.add_argument(
        "--layout",
        choices=("shared", "apart"),
        default="shared",
        help="two cores for everything (the default), or cores of their own for proxy, stores and load (needs 4)",
    )
    parser.add_argument(
        "--output", metavar="FOLDER", type=Path, default=PROJECT / ".build/benchmark", help="default: .build/benchmark"
    )
    parser.add_argument("--sidecar", metavar="FILE", type=Path, help="an executable to measure instead of building one")
    return parser


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def parse(arguments: Sequence[str]) -> Options:
    """Reads the command line; says what is wrong with it and ends the program if anything is."""
    given = _parser().parse_args(arguments)
    matrix = quick_matrix() if given.quick else full_matrix() if given.full else default_matrix()
    return Options(
        is_quick=given.quick,
        matrix=matrix,
        pattern=given.only,
        rounds=given.rounds or (2 if given.quick else 5),
        seconds=given.seconds or (0.1 if given.quick else 1.0),
        soak_minutes=given.soak,
        layout=given.layout,
        output=given.output,
        sidecar=given.sidecar.resolve() if given.sidecar else None,
        only_lists=given.list,
        command=shlex.join(["Tests/Benchmarks/run.sh", *arguments]),
    )
