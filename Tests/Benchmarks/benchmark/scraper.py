"""Scrapes a metrics page in a process of its own, as Prometheus does: python3 -m benchmark.scraper URL SECONDS.

Each scrape is a line of JSON on standard output: when it began and ended (nanoseconds of the monotonic clock), and how
long the page was. It ends when its standard input is closed.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .page import fetch
from .processes import environment, on_cores


@dataclass(frozen=True)
class Scrape:
    """One scrape."""

    start: int
    end: int
    page_bytes: int

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 1e9


class Scraper:
    """Scrapes every `interval` seconds from its creation until stop()."""

    def __init__(self, url: str, interval: float, cores: frozenset[int]) -> None:
        command = on_cores(cores, [sys.executable, "-m", "benchmark.scraper", url, str(interval)])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
            env=environment(),
        )

    def stop(self) -> list[Scrape]:
        """Ends it; returns what it did. Raises RuntimeError if the page could not be had."""
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"the scraper ended with {self._process.returncode}")
        return [Scrape(*json.loads(line)) for line in output.splitlines()]


def _main(url: str, interval: float) -> None:
    due = time.monotonic()
    while True:
        wait = max(0.0, due - time.monotonic())
        if select.select([sys.stdin], [], [], wait)[0]:
            return
        start = time.monotonic_ns()
        page = fetch(url)
        print(json.dumps([start, time.monotonic_ns(), len(page)]), flush=True)
        due += interval


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]))
