"""One client, measured by the nanosecond.

redis-benchmark tells latencies in steps of 8 µs, the width of its histogram's narrowest bucket. One client's round trip
takes some tens of microseconds, and what a proxy adds to it is less: so one client is this one.
"""

from __future__ import annotations

import gc
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

from .resp import encode
from .stores import key_name
from .workloads import MIB, Operation, Workload

# Prepared batches of commands, so that no time is spent on making them; an even number, since SET and GET take turns.
BATCHES = 256
BATCHES_BYTES = 16 * MIB
# Without a reply for this long something is broken.
REPLY_LIMIT_SECONDS = 60.0


class ProbeError(Exception):
    """A reply that isn't the one that had to come."""


@dataclass(frozen=True)
class RoundTrip:
    """One batch: when it was sent and when all its replies were there, in nanoseconds of the monotonic clock."""

    start: int
    end: int


@dataclass(frozen=True)
class _Batch:
    request: bytes
    # How each reply begins, and where.
    beginnings: tuple[tuple[int, bytes], ...]
    reply_bytes: int


def _batches(workload: Workload) -> list[_Batch]:
    chooser = random.Random(workload.name)
    size = workload.pipeline * (workload.value_bytes + 64)
    count = 2 * max(1, min(BATCHES, BATCHES_BYTES // size) // 2)
    return [_batch(workload, chooser, number) for number in range(count)]


def _batch(workload: Workload, chooser: random.Random, number: int) -> _Batch:
    value = b"x" * workload.value_bytes
    parts = workload.operation.parts
    request, beginnings, offset = [], [], 0
    for place in range(workload.pipeline):
        key = key_name(chooser.randrange(workload.keys))
        # Without pipelining the batches take turns, else the places.
        operation = parts[(number + place) % len(parts)]
        if operation is Operation.SET:
            request.append(encode("SET", key, value))
            beginnings.append((offset, b"+OK\r\n"))
            offset += 5
        else:
            header = b"$%d\r\n" % workload.value_bytes
            request.append(encode("GET", key))
            beginnings.append((offset, header))
            offset += len(header) + workload.value_bytes + 2
    return _Batch(b"".join(request), tuple(beginnings), offset)


def probe(port: int, workload: Workload, goes_on: Callable[[int], bool]) -> list[RoundTrip]:
    """Sends batches of the workload, one after the other, while `goes_on` says so of the number already sent.

    Raises ProbeError for any reply but the right one; an OSError if there is none in time.
    """
    batches = _batches(workload)
    buffer = bytearray(max(batch.reply_bytes for batch in batches))
    view = memoryview(buffer)
    trips: list[RoundTrip] = []
    collects = gc.isenabled()
    gc.disable()
    try:
        with socket.create_connection(("127.0.0.1", port), REPLY_LIMIT_SECONDS) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while goes_on(len(trips)):
                batch = batches[len(trips) % len(batches)]
                start = monotonic_ns()
                client.sendall(batch.request)
                _receive(client, view, batch)
                end = monotonic_ns()
                _check(buffer, batch)
                trips.append(RoundTrip(start, end))
    finally:
        if collects:
            gc.enable()
    return trips


def _receive(client: socket.socket, view: memoryview, batch: _Batch) -> None:
    received = 0
    while received < batch.reply_bytes:
        count = client.recv_into(view[received : batch.reply_bytes])
        if count == 0:
            raise ProbeError(f"closed after {received} of {batch.reply_bytes} bytes")
        if received == 0 and view[0] == ord("-"):
            raise ProbeError(bytes(view[:count]).split(b"\r\n")[0].decode(errors="replace"))
        received += count


def _check(buffer: bytearray, batch: _Batch) -> None:
    for offset, beginning in batch.beginnings:
        if not buffer.startswith(beginning, offset):
            raise ProbeError(f"{bytes(buffer[offset : offset + 40])!r} instead of {beginning!r}")
