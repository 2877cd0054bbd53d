"""Says on a terminal what is being done, on one line that is written over."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """Where a run is. On anything but a terminal it is silent about single steps."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._start = time.monotonic()
        self._part = ""

    def part(self, number: int, count: int) -> None:
        """Begins one of the parts of the run."""
        self._part = f"{number}/{count}"

    def step(self, *what: str) -> None:
        """Shows what is being measured now."""
        if self._is_terminal:
            self._stream.write(f"\r\033[K{self._elapsed()} [{self._part}] {' · '.join(what)}"[:200])
            self._stream.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._is_terminal:
            self._stream.write("\r\033[K")
        self._stream.write(f"{self._elapsed()} {text}\n")
        self._stream.flush()

    def show(self, text: str) -> None:
        """A result: goes to standard output."""
        if self._is_terminal:
            self._stream.write("\r\033[K")
            self._stream.flush()
        print(text, flush=True)

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self._start)
        return f"{seconds // 60:02d}:{seconds % 60:02d}"
