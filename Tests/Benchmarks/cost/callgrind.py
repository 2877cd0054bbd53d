"""Counts what a process executes, with valgrind's callgrind, and reads what that has written."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmark.processes import Process, ServerError, environment, program

# Functions of the C library that hand out memory, whoever calls them.
ALLOCATORS = re.compile(r"malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc|valloc")
# Functions of Swift's runtime that count references; strong, bridged, unowned and weak ones alike.
RETAINS = re.compile(r"_?swift_(?:\w*[rR]etain\w*|weakLoadStrong|weakCopyInit)")
# The library that may allocate: hiredis makes an object for every reply and every command that waits for one.
HIREDIS = re.compile(r"libhiredis\.so")

# How long valgrind may take to do what it is told, in seconds.
ANSWER_LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Calls:
    """What a process has executed: instructions in user space, and calls of some functions."""

    instructions: int
    # Of an allocator, by neither hiredis nor another allocator.
    allocations: int
    # The same by hiredis.
    hiredis_allocations: int
    # Of functions that take a reference.
    retains: int


def under_callgrind(command: list[str], output: Path) -> list[str]:
    """The command, to run under callgrind, which counts nothing until Callgrind.start()."""
    options = ["--tool=callgrind", "--instr-atstart=no", "--compress-strings=no", "--compress-pos=no"]
    return [program("valgrind"), "--quiet", *options, f"--callgrind-out-file={output}", *command]


class Callgrind:
    """Tells a process under callgrind when to count."""

    def __init__(self, process: Process, output: Path) -> None:
        self._process = process
        self._output = output
        self._dumps = 0

    def start(self) -> None:
        """Counts from now on."""
        self._tell("instrumentation", "on")

    def stop(self) -> str:
        """Counts no more, and returns callgrind's file about what was counted since the start."""
        self._tell("instrumentation", "off")
        self._tell("dump")
        self._dumps += 1
        dump = Path(f"{self._output}.{self._dumps}")
        text = dump.read_text()
        dump.unlink()
        return text

    def _tell(self, *command: str) -> None:
        try:
            outcome = subprocess.run(
                [program("vgdb"), f"--pid={self._process.pid}", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment(),
                timeout=ANSWER_LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise ServerError(f"valgrind did not answer `{' '.join(command)}` in {ANSWER_LIMIT_SECONDS} s") from None
        if outcome.returncode != 0:
            raise ServerError(f"valgrind refused `{' '.join(command)}`: {outcome.stdout.strip()}")


def parse(dump: str) -> Calls:
    """Reads a file in the format that valgrind's manual describes, with names that are not compressed."""
    instructions = 0
    calls: Counter[str] = Counter()
    caller = caller_object = callee = ""
    for line in dump.splitlines():
        key, equals, value = line.partition("=")
        if equals and key == "fn":
            caller = value
        elif equals and key == "ob":
            caller_object = value
        elif equals and key == "cfn":
            callee = value
        elif equals and key == "calls":
            calls[_kind(caller, caller_object, callee)] += int(value.split()[0])
        elif line.startswith("totals:"):
            instructions += int(line.split()[1])
    return Calls(instructions, calls["allocation"], calls["hiredis"], calls["retain"])


def _kind(caller: str, caller_object: str, callee: str) -> str:
    # callgrind tells a function from the same one within a recursion by an ending.
    caller, callee = caller.partition("'")[0], callee.partition("'")[0]
    if ALLOCATORS.fullmatch(callee):
        # realloc() that calls malloc() has been counted when it was called.
        if ALLOCATORS.fullmatch(caller):
            return ""
        return "hiredis" if HIREDIS.search(caller_object) else "allocation"
    # The runtime's own entry points call each other.
    return "retain" if RETAINS.fullmatch(callee) and not RETAINS.fullmatch(caller) else ""
