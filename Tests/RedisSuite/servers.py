"""What a unit of the suite runs against: a redis-server, or a sidecar between two of them."""

import socket
import subprocess
import time
from pathlib import Path

START_LIMIT_SECONDS = 20

CONFIGURATION = """
instances:
  - name: suite
    listen: 127.0.0.1:{port}
    # PFSELFTEST takes seconds.
    primary: {{ url: "redis://127.0.0.1:{primary}", command_timeout: 60s }}
    secondary: {{ url: "redis://127.0.0.1:{secondary}", command_timeout: 60s }}
    other_store_timeout: 60s
    allow_flush: true
feature_flags:
  file: {flags}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Servers:
    """Servers of one state, in a folder of their own, from the start to the end of a `with` block."""

    def __init__(self, state: str, folder: Path, executable: Path) -> None:
        self.state = state
        self.folder = folder
        self.executable = executable
        self.processes: list[subprocess.Popen] = []
        self.port = free_port()

    def __enter__(self) -> "Servers":
        try:
            if self.state == "direct":
                self.start_redis(self.port)
            else:
                self.start_sidecar(dual_write=self.state == "dual write")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def start_redis(self, port: int) -> None:
        options = {"port": port, "bind": "127.0.0.1", "save": "", "dir": self.folder, "loglevel": "warning"}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.start(["redis-server", *arguments], f"redis-{port}.log", port)

    def start_sidecar(self, dual_write: bool) -> None:
        primary, secondary = free_port(), free_port()
        self.start_redis(primary)
        self.start_redis(secondary)
        flags = self.folder / "feature_flags.yml"
        flags.write_text(f"use_primary_and_secondary_stores_for_suite: {str(dual_write).lower()}\n")
        text = CONFIGURATION.format(port=self.port, primary=primary, secondary=secondary, flags=flags)
        configuration = self.folder / "sidecar.yml"
        configuration.write_text(text)
        command = [
            self.executable,
            f"--config.file={configuration}",
            "--web.listen-address=127.0.0.1:0",
            f"--admin.listen-address=unix:{self.folder / 'admin.sock'}",
            "--log.file=-",
        ]
        self.start(command, "sidecar.log", self.port)

    def start(self, command: list, log: str, port: int) -> None:
        with open(self.folder / log, "wb") as output:
            self.processes.append(subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder))
        self.wait_until_listening(port, self.folder / log)

    def wait_until_listening(self, port: int, log: Path) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < deadline and self.processes[-1].poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"nothing listens on port {port}:\n{log.read_text(errors='replace')[-2000:]}")
