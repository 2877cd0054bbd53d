"""Puts load on a target: redis-benchmark, several of them at once, or the probe where there is one client."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .probe import ProbeError, probe
from .processes import environment, on_cores, program
from .statistics import quantile
from .workloads import Operation, Workload

# A load that takes longer than this is stuck.
LOAD_LIMIT_SECONDS = 300.0

# Its clock has milliseconds: what is over within one of them took none, and its throughput is "inf". That happens at
# the start of a warm-up only, which goes on with more commands.
SHORTEST_SECONDS = 0.001

# 99.902 % is the first step of its distribution that is not below 99.9 %.
_PERCENTILE = re.compile(r"^(\d+\.\d+)% <= (\d+\.\d+) milliseconds", re.MULTILINE)
_THROUGHPUT = re.compile(r"throughput summary: (\d+\.\d+|inf) requests per second")
_LATENCIES = re.compile(r"avg +min +p50 +p95 +p99 +max\s+((?:\d+\.\d+\s+){5}\d+\.\d+)")


class LoadError(Exception):
    """A load that did not go through; the text says why."""


@dataclass(frozen=True)
class LoadResult:
    """What the clients saw. Latencies are in microseconds."""

    commands: int
    seconds: float
    p50: float
    p99: float
    p999: float


@dataclass(frozen=True)
class Part:
    """One redis-benchmark among those that make a load."""

    port: int
    operation: Operation
    clients: int
    commands: int


def parts(ports: tuple[int, ...], workload: Workload, commands: int) -> list[Part]:
    """Divides a load: among the instances of a sidecar, and between SET and GET."""
    kinds = [(port, operation) for port in ports for operation in workload.operation.parts]
    clients = max(1, workload.clients // len(kinds))
    return [Part(port, operation, clients, commands // len(kinds)) for port, operation in kinds]


def whole_commands(commands: float, ports: tuple[int, ...], workload: Workload) -> int:
    """The number of commands next to it that divides into whole pipelines for each part; at least two for a client."""
    count = len(ports) * len(workload.operation.parts)
    clients = max(1, workload.clients // count)
    pipelines = max(2 * clients, round(commands / (count * workload.pipeline)))
    return pipelines * workload.pipeline * count


def run(
    ports: tuple[int, ...], workload: Workload, commands: int, cores: frozenset[int], authority: Path | None = None
) -> LoadResult:
    """Sends the commands and waits for all replies; raises LoadError if one was an error or did not come.

    With the file of an authority the clients speak TLS, which the probe does not.
    """
    if workload.clients == 1 and len(ports) == 1 and authority is None:
        return _run_probe(ports[0], workload, commands)
    running = [(part, _start(part, workload, cores, authority)) for part in parts(ports, workload, commands)]
    results = [_finish(part, process) for part, process in running]
    # They run side by side, so the load took as long as the longest. Of the latencies the worst counts, too.
    return LoadResult(
        commands=commands,
        seconds=max(result.seconds for result in results),
        p50=max(result.p50 for result in results),
        p99=max(result.p99 for result in results),
        p999=max(result.p999 for result in results),
    )


def _run_probe(port: int, workload: Workload, commands: int) -> LoadResult:
    batches = commands // workload.pipeline
    try:
        trips = probe(port, workload, lambda sent: sent < batches)
    except (ProbeError, OSError) as error:
        raise LoadError(str(error)) from error
    latencies = sorted((trip.end - trip.start) / 1000 for trip in trips)
    seconds = (trips[-1].end - trips[0].start) / 1e9
    return LoadResult(
        commands, seconds, quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999)
    )


def _start(part: Part, workload: Workload, cores: frozenset[int], authority: Path | None) -> subprocess.Popen[str]:
    command = [program("redis-benchmark"), "-h", "127.0.0.1", "-p", str(part.port), "-t", part.operation.value]
    command += ["-c", str(part.clients), "-n", str(part.commands), "-P", str(workload.pipeline)]
    command += ["-d", str(workload.value_bytes), "-r", str(workload.keys)]
    if authority is not None:
        command += ["--tls", "--cacert", str(authority)]
    return subprocess.Popen(
        on_cores(cores, command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )


def _finish(part: Part, process: subprocess.Popen[str]) -> LoadResult:
    try:
        output, _ = process.communicate(timeout=LOAD_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise LoadError(f"{part.operation.title} did not end within {LOAD_LIMIT_SECONDS:.0f} s") from None
    result = parse(output, part.commands)
    if process.returncode != 0:
        raise LoadError(f"redis-benchmark ended with {process.returncode}: {_end(output)}")
    return result


def parse(output: str, commands: int) -> LoadResult:
    """Reads what redis-benchmark 7 says without --csv, which would leave p99.9 out; raises LoadError for any error."""
    error = re.search(r"Error from server: .*", output)
    if error:
        raise LoadError(error.group())
    throughput, latencies = _THROUGHPUT.search(output), _LATENCIES.search(output)
    if throughput is None or latencies is None or float(throughput.group(1)) == 0:
        raise LoadError(f"redis-benchmark said no result: {_end(output)}")
    distribution = output.split("Cumulative distribution", 1)[0]
    percentiles = ((float(share), float(value)) for share, value in _PERCENTILE.findall(distribution))
    p999 = next((value for share, value in percentiles if share >= 99.9), None)
    if p999 is None:
        raise LoadError("redis-benchmark gave no 99.9th percentile")
    _, _, p50, _, p99, _ = (float(text) * 1000 for text in latencies.group(1).split())
    seconds = max(SHORTEST_SECONDS, commands / float(throughput.group(1)))
    return LoadResult(commands, seconds, p50, p99, p999 * 1000)


def _end(output: str) -> str:
    """What a program said last, in a line."""
    return " ".join(output.split())[-200:]
