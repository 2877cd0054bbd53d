"""The machine: which cores do what, how many descriptors there may be, and what a report has to say about it."""

from __future__ import annotations

import os
import platform
import resource
from dataclasses import dataclass
from pathlib import Path

# A load average above this before anything was started means that others work on the machine.
BUSY_LOAD_AVERAGE = 0.5
# Descriptors that a process needs beside those of its clients.
SPARE_DESCRIPTORS = 100


class MachineError(Exception):
    """The machine can't do what was asked for; the text says what and why."""


@dataclass(frozen=True)
class Layout:
    """Which cores each kind of process may use."""

    name: str
    proxy: frozenset[int]
    stores: frozenset[int]
    load: frozenset[int]

    @property
    def description(self) -> str:
        """A sentence for the report."""
        if self.name == "shared":
            return f"Everything shares cores {_list(self.proxy)}; the kernel decides what runs where."
        apart = f"stores {_list(self.stores)}, load {_list(self.load)}"
        return f"The proxy has core {_list(self.proxy)} to itself, {apart}."


def _list(cores: frozenset[int]) -> str:
    return ", ".join(str(core) for core in sorted(cores))


def layout(name: str, available: set[int] | None = None) -> Layout:
    """The layout of that name on the cores that this process may use.

    `shared`: two cores for everything, as in a small pod. Three or four busy processes on two cores can't each have
    one, and any fixed division would favour somebody: with the proxy on a core of its own the load and the stores
    share the other, and every proxy looks as fast as that core.
    `apart`: nobody shares a core, which needs four.
    """
    cores = sorted(os.sched_getaffinity(0) if available is None else available)
    if name == "shared":
        pair = frozenset(cores[:2])
        return Layout(name, pair, pair, pair)
    if len(cores) < 4:
        raise MachineError(f"the layout 'apart' needs 4 cores, and there are {len(cores)}; use --layout shared")
    return Layout(name, frozenset(cores[:1]), frozenset(cores[1:3]), frozenset(cores[3:]))


def raise_descriptor_limit() -> int:
    """Lets this process and those it starts open as many files as they may; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


@dataclass(frozen=True)
class Machine:
    """What figures depend on."""

    processor: str
    cores: int
    memory_mib: int
    kernel: str
    load_average: float
    descriptors: int

    @property
    def clients_limit(self) -> int:
        """As many clients as one process can have connected, beside the files it needs itself."""
        return self.descriptors - SPARE_DESCRIPTORS

    @property
    def is_busy(self) -> bool:
        """Whether others worked on the machine when the run began."""
        return self.load_average > BUSY_LOAD_AVERAGE


def describe(descriptors: int) -> Machine:
    """Looks at the machine; to be called before anything is started on it."""
    processor = _field("/proc/cpuinfo", "model name") or platform.machine()
    memory_kib = (_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]
    return Machine(
        processor=processor,
        cores=os.cpu_count() or 1,
        memory_mib=int(memory_kib) // 1024,
        kernel=platform.release(),
        load_average=os.getloadavg()[0],
        descriptors=descriptors,
    )


def _field(path: str, name: str) -> str | None:
    """The value of a `name: value` line."""
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
