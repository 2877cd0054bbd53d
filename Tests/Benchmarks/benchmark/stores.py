"""The two redis-servers behind all proxies: what they hold, and what they have been asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .certificates import Certificates
from .processes import Process, Processes, free_port, program
from .resp import Connection, encode, info_fields

# Clients that a store takes: 10,000 of a run without a proxy, and those that look at it.
MAX_CLIENTS = 12_000
# Bytes that are sent to a store before its replies are read.
FILL_BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class StoreCounts:
    """What a store has executed since it started."""

    sets: int = 0
    gets: int = 0
    misses: int = 0
    errors: int = 0

    def __sub__(self, earlier: StoreCounts) -> StoreCounts:
        return StoreCounts(
            self.sets - earlier.sets,
            self.gets - earlier.gets,
            self.misses - earlier.misses,
            self.errors - earlier.errors,
        )


@dataclass(frozen=True)
class Absence:
    """Which keys of a database the new store lacks: one of every `every`; none if that is 0."""

    database: int
    every: int

    def is_missing(self, key: int) -> bool:
        """Whether the new store lacks this key."""
        return self.every > 0 and key % self.every == 0

    def share(self, keys: int) -> float:
        """Which part of the keys is missing."""
        return sum(self.is_missing(key) for key in range(keys)) / keys


WHOLE = Absence(database=0, every=0)
TENTH_MISSING = Absence(database=1, every=10)
ALL_MISSING = Absence(database=2, every=1)


class Store:
    """A redis-server that keeps nothing on disk. With certificates it has one more port, for TLS."""

    def __init__(
        self,
        name: str,
        port: int,
        processes: Processes,
        cores: frozenset[int],
        certificates: Certificates | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.certificates = certificates
        self.tls_port = free_port() if certificates else None
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
        command += ["--appendonly", "no", "--maxclients", str(MAX_CLIENTS), "--databases", "16"]
        if certificates:
            command += ["--tls-port", str(self.tls_port), "--tls-cert-file", str(certificates.certificate)]
            command += ["--tls-key-file", str(certificates.key), "--tls-auth-clients", "no"]
            command += ["--tls-ca-cert-file", str(certificates.authority)]
        self.process: Process = processes.start(f"store-{name}", command, cores)
        self.process.wait_until_listening(port)
        self._connection = Connection(port)

    def close(self) -> None:
        """Ends the connection to it; the server itself ends with its processes."""
        self._connection.close()

    def url(self, database: int, has_tls: bool = False) -> str:
        """Where a sidecar finds a database."""
        if has_tls:
            return f"rediss://127.0.0.1:{self.tls_port}/{database}"
        return f"redis://127.0.0.1:{self.port}/{database}"

    def counts(self) -> StoreCounts:
        """What it has executed so far."""
        commands = info_fields(self._info("commandstats"))
        statistics = info_fields(self._info("stats"))
        return StoreCounts(
            sets=_calls(commands.get("cmdstat_set")),
            gets=_calls(commands.get("cmdstat_get")),
            misses=int(statistics["keyspace_misses"]),
            errors=int(statistics["total_error_replies"]),
        )

    def version(self) -> str:
        """The version that it says it is."""
        return info_fields(self._info("server"))["redis_version"]

    def empty(self) -> None:
        """Removes all keys."""
        self._connection.call("FLUSHALL")

    def fill(self, database: int, keys: list[int], value_bytes: int) -> None:
        """Sets these keys, under the names that redis-benchmark asks for."""
        value = b"x" * value_bytes

        def commands() -> Iterator[bytes]:
            return (encode("SET", key_name(key), value) for key in keys)

        self._connection.call("SELECT", database)
        self._connection.send_all(commands(), batch=max(1, min(1000, FILL_BATCH_BYTES // value_bytes)))

    def _info(self, section: str) -> bytes:
        reply = self._connection.call("INFO", section)
        assert isinstance(reply, bytes)
        return reply


def key_name(key: int) -> str:
    """What redis-benchmark -r calls a key."""
    return f"key:{key:012d}"


def _calls(statistics: str | None) -> int:
    """The calls in a line of INFO commandstats, such as `calls=3,usec=8,…`."""
    if statistics is None:
        return 0
    return int(dict(pair.split("=", 1) for pair in statistics.split(","))["calls"])


class Data:
    """The keys in both stores; they are made anew when values of another size are needed."""

    def __init__(self, old: Store, new: Store) -> None:
        self._old = old
        self._new = new
        self._value_bytes = 0

    def prepare(self, keys: int, value_bytes: int) -> None:
        """Fills the databases: the old store has all keys, the new one those that are not to be missed."""
        if value_bytes == self._value_bytes:
            return
        for store in (self._old, self._new):
            store.empty()
        for absence in (WHOLE, TENTH_MISSING, ALL_MISSING):
            self._old.fill(absence.database, list(range(keys)), value_bytes)
            present = [key for key in range(keys) if not absence.is_missing(key)]
            self._new.fill(absence.database, present, value_bytes)
        self._value_bytes = value_bytes
