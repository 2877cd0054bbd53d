"""The committed figures, and which of the measured ones are worse."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).parent / "thresholds.json"

# How often a scenario with a figure that is too high is counted. Where a process has its memory, and the seeds of its
# hashes, make a difference of up to 3 % between two sidecars.
ATTEMPTS = 3
# By how much instructions and references may exceed what is committed.
TOLERANCE = 0.05
# What happens by the clock is subtracted as an average, so that a few hundredths of a call may be left of nothing.
ROUNDING = 0.05


# By how much the instructions of a scenario may exceed those of another one in the same run. A GET should cost 3 % more
# at most: two counts of the same pipelines differ by up to 1 %, and of commands that are alone by up to 3 %.
SURCHARGES = {
    ("GET, flags off, RESP3", "GET, flags off"): 0.06,
    ("GET, flags off, pipelines of 16, RESP3", "GET, flags off, pipelines of 16"): 0.04,
    ("HGETALL of 100 fields, flags off, RESP3", "HGETALL of 100 fields, flags off"): 0.05,
}


@dataclass(frozen=True)
class Cost:
    """What one command costs the whole process."""

    # In user space.
    instructions: float
    # Heap allocations by anybody but hiredis.
    allocations: float
    # Heap allocations by hiredis.
    hiredis_allocations: float
    # Calls that count a reference up.
    retains: float


def read(file: Path = FILE) -> dict[str, Cost]:
    """The committed figures by scenario."""
    return {name: Cost(**cost) for name, cost in json.loads(file.read_text()).items()}


def write(costs: dict[str, Cost], file: Path = FILE) -> None:
    """Commits to these figures."""
    rounded = {name: {key: round(value, 2) for key, value in asdict(cost).items()} for name, cost in costs.items()}
    for cost in rounded.values():
        cost["instructions"] = round(cost["instructions"])
    file.write_text(json.dumps(rounded, indent=2) + "\n")


def problems(measured: dict[str, Cost], committed: dict[str, Cost]) -> list[str]:
    """What has become worse, a sentence for each figure."""
    found = []
    for name, cost in measured.items():
        limits = committed.get(name)
        if limits is None:
            found.append(f"{name}: {FILE.name} has no figures")
            continue
        for figure, value in asdict(cost).items():
            limit = asdict(limits)[figure]
            if value > limit * (1 + TOLERANCE) + (0 if figure == "instructions" else ROUNDING):
                words = figure.replace("_", " ")
                found.append(f"{name}: {value:,.2f} {words} for a command, and {limit:,.2f} are committed")
    return found


def surcharges(measured: dict[str, Cost]) -> list[str]:
    """Which scenarios cost too much more than another one of the same run, a sentence for each."""
    found = []
    for (name, other), limit in SURCHARGES.items():
        if name not in measured or other not in measured:
            continue
        cost, base = measured[name].instructions, measured[other].instructions
        if cost > base * (1 + limit):
            surcharge = cost / base - 1
            found.append(f"{name}: {surcharge:.1%} more instructions than {other}, and {limit:.0%} are allowed")
    return found


def confirmed(name: str, count: Callable[[], Cost], measured: dict[str, Cost], committed: dict[str, Cost]) -> Cost:
    """Counts a scenario, again with another sidecar if it is too high, and returns the last count.

    What was measured before it in this run is what it may not exceed by too much.
    """
    cost = count()
    for _ in range(ATTEMPTS - 1):
        above_others = any(text.startswith(f"{name}: ") for text in surcharges(measured | {name: cost}))
        if not above_others and not (name in committed and problems({name: cost}, committed)):
            break
        cost = count()
    return cost
