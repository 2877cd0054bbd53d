"""Starts processes on cores of their own, and ends them in reverse order whatever happens."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

# How long a server may take to start, in seconds.
START_LIMIT_SECONDS = 30.0
# How long a server may take to end before it is killed, in seconds.
STOP_LIMIT_SECONDS = 10.0

Value = TypeVar("Value")


class ServerError(Exception):
    """A process did not do what it was started for; the text has the end of its log."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, below those that the system gives to connections."""
    for _ in range(1000):
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ServerError("no port is free")


def eventually(what: str, attempt: Callable[[], Value | None], limit_seconds: float = START_LIMIT_SECONDS) -> Value:
    """Tries until there is a result; raises ServerError if there is none in time."""
    deadline = time.monotonic() + limit_seconds
    while True:
        value = attempt()
        if value is not None:
            return value
        if time.monotonic() > deadline:
            raise ServerError(f"{what} did not happen within {limit_seconds:.0f} s")
        time.sleep(0.005)


def program(name: str) -> str:
    """The path of a program, also of those that Debian keeps from users."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise ServerError(f"{name} is not there; Tests/setup.sh --benchmarks installs it")
    return path


def on_cores(cores: frozenset[int], command: list[str]) -> list[str]:
    """The command, to run on these cores alone and to end when this process does, however it ends.

    Both tools replace themselves by the command, so that the process that is started is the one that is measured.
    """
    names = ",".join(str(core) for core in sorted(cores))
    return [program("setpriv"), "--pdeathsig", "KILL", program("taskset"), "--cpu-list", names, *command]


def environment() -> dict[str, str]:
    """The environment without what would configure a sidecar or a client."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MULTISTORE_", "REDISCLI_"))}


class Process:
    """A server that runs."""

    def __init__(self, name: str, command: list[str], cores: frozenset[int], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                on_cores(cores, command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment(),
            )

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def wait_until(self, what: str, attempt: Callable[[], Value | None]) -> Value:
        """Waits for something that the server does while starting."""

        def attempt_while_alive() -> Value | None:
            self.check()
            return attempt()

        try:
            return eventually(what, attempt_while_alive)
        except ServerError as error:
            raise ServerError(f"{self.name}: {error}\n{self._end_of_log()}") from None

    def wait_until_listening(self, port: int) -> None:
        """Waits until a TCP port on loopback takes connections."""

        def attempt() -> bool | None:
            with socket.socket() as client:
                return True if client.connect_ex(("127.0.0.1", port)) == 0 else None

        self.wait_until(f"listening on port {port}", attempt)

    def check(self) -> None:
        """Raises ServerError if the process has ended."""
        if self._process.poll() is not None:
            raise ServerError(f"{self.name} ended with {self._process.returncode}:\n{self._end_of_log()}")

    def stop(self) -> None:
        """Ends the process, and waits for that."""
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-10:])


class Processes:
    """The servers of a run, or of a part of it; a context that ends them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[Process] = []

    def start(self, name: str, command: list[str], cores: frozenset[int]) -> Process:
        """Starts a server; its output is in the folder under its name."""
        process = Process(name, command, cores, self.folder)
        self._running.append(process)
        return process

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        while self._running:
            self._running.pop().stop()
