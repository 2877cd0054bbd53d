"""Redis' own test suite: where it comes from, and one of its units run against a port."""

import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

VERSION = "7.0.15"
SOURCES = """\
deb-src http://deb.debian.org/debian bookworm main
deb-src http://deb.debian.org/debian-security bookworm-security main
"""
TYPES = "hash incr list list-2 list-3 set stream stream-cgroups string zset".split()
OTHERS = """
    keyspace multi scan expire pubsub pubsubshard scripting functions bitops bitfield geo hyperloglog sort dump
    protocol info-command
""".split()
UNITS = [f"type/{name}" for name in TYPES] + OTHERS
TAGS = "-needs:debug -needs:repl -external:skip -needs:reset -needs:save"
# Cases that compare random inputs take a minute on a busy machine. One without an end has lost a reply.
STALL_LIMIT_SECONDS = 150
UNIT_LIMIT_SECONDS = 900

FAILED = re.compile(r"^\[err\]: (.*) in tests/unit/")
PASSED = re.compile(r"^\[ok\]: (.*) \(\d+ ms\)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def download(folder: Path) -> Path:
    """Returns the suite's folder; downloads Debian's source package with a source list of its own if it is missing."""
    suite = folder / f"redis-{VERSION}"
    if (suite / "runtest").exists():
        return suite
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(SOURCES)
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": lists,
        # Folders of root's are not readable for the user that apt downloads as.
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q"] + [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
    subprocess.run([*apt, "update"], check=True, cwd=folder)
    subprocess.run([*apt, "source", "--download-only", "redis"], check=True, cwd=folder)
    subprocess.run(["tar", "xf", f"redis_{VERSION}.orig.tar.gz"], check=True, cwd=folder)
    return suite


def run_unit(suite: Path, unit: str, port: int, control_port: int, log: Path, choice: list[str]) -> Counter[str]:
    """Runs a unit and returns how often each case passed; `log` gets the output.

    `choice` has further options, which choose some of its cases.
    """
    command = [
        "./runtest", "--host", "127.0.0.1", "--port", str(port), "--singledb", "--durable", "--tags", TAGS,
        "--baseport", str(control_port), "--timeout", str(STALL_LIMIT_SECONDS), "--single", f"unit/{unit}",
    ]  # fmt: skip
    command += choice
    with open(log, "wb") as output:
        output.write(f"{' '.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(command, cwd=suite, stdout=output, stderr=output, start_new_session=True)
        try:
            process.wait(UNIT_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            output.write(b"\nended after the limit\n")
        finally:
            end_group(process)
    lines = (COLOUR.sub("", line) for line in log.read_text(errors="replace").splitlines())
    return Counter(f"{unit}: {match[1]}" for line in lines if (match := PASSED.match(line)))


def first_failure(log: Path) -> str | None:
    """The first case that failed in the run that wrote `log`."""
    for line in log.read_text(errors="replace").splitlines():
        if match := FAILED.match(COLOUR.sub("", line)):
            return match[1]
    return None


def end_group(process: subprocess.Popen) -> None:
    """Ends a unit with its test client and the load generators that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
