"""What is counted: kinds of commands, and how a client sends them."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from benchmark.page import fetch
from benchmark.proxies import Proxy, SidecarState
from benchmark.resp import Connection, encode
from benchmark.stores import ALL_MISSING, WHOLE, Absence, key_name
from benchmark.targets import BOTH, OLD, Expectation
from benchmark.workloads import Operation, Workload

# Keys that clients ask for in turn.
KEYS = 64
VALUE_BYTES = 64
PIPELINE = 16


@dataclass(frozen=True)
class Scenario:
    """One kind of command."""

    name: str
    # None for HGETALL and for a scrape.
    operation: Operation | None = None
    # HGETALL of a hash with so many fields; 0 for another command.
    hash_fields: int = 0
    protocol: int = 2
    dual_write: bool = False
    # Whether written keys are noted, to be compared later, as they are by default.
    settled_checks: bool = False
    absence: Absence = WHOLE
    pipeline: int = 1
    # How often it is sent while it is counted. Much more often than anything that happens by the clock.
    batches: int = 1000

    @property
    def state(self) -> SidecarState:
        """The sidecar that it needs. How many events are logged depends on the time, so there are next to none."""
        return SidecarState(
            dual_write=self.dual_write,
            database=self.absence.database,
            events_per_second=1,
            settled_checks=None if self.settled_checks else 0,
        )

    @property
    def is_scrape(self) -> bool:
        """Whether the metrics are fetched, and no command is sent."""
        return self.operation is None and self.hash_fields == 0

    @property
    def commands(self) -> int:
        """How many commands are counted."""
        return self.batches * self.pipeline

    @property
    def workload(self) -> Workload | None:
        """What the client sends."""
        return Workload(self.operation, 1, self.pipeline, VALUE_BYTES) if self.operation else None

    @property
    def expectation(self) -> Expectation:
        """What the stores have to see of it."""
        return Expectation(BOTH if self.dual_write else OLD, falls_back=self.dual_write, absence=self.absence)


SCENARIOS = (
    Scenario("GET, flags off", Operation.GET),
    Scenario("SET, flags off", Operation.SET),
    Scenario("GET, flags off, pipelines of 16", Operation.GET, pipeline=PIPELINE, batches=250),
    Scenario("SET, flags off, pipelines of 16", Operation.SET, pipeline=PIPELINE, batches=250),
    Scenario("GET, flags off, RESP3", Operation.GET, protocol=3),
    Scenario("GET, flags off, pipelines of 16, RESP3", Operation.GET, protocol=3, pipeline=PIPELINE, batches=250),
    Scenario("HGETALL of 100 fields, flags off", hash_fields=100, batches=250),
    Scenario("HGETALL of 100 fields, flags off, RESP3", hash_fields=100, protocol=3, batches=250),
    Scenario("GET, dual write, hit", Operation.GET, dual_write=True),
    Scenario("GET, dual write, fallback", Operation.GET, dual_write=True, absence=ALL_MISSING),
    Scenario("SET, dual write", Operation.SET, dual_write=True),
    Scenario("GET, dual write, pipelines of 16", Operation.GET, dual_write=True, pipeline=PIPELINE, batches=250),
    Scenario("SET, dual write, pipelines of 16", Operation.SET, dual_write=True, pipeline=PIPELINE, batches=250),
    Scenario("SET, dual write, settled checks", Operation.SET, dual_write=True, settled_checks=True),
    Scenario("SET, dual write, pipelines of 16, settled checks", Operation.SET, dual_write=True, settled_checks=True,
             pipeline=PIPELINE, batches=250),
    Scenario("scrape", dual_write=True, batches=20),
)


class Client:
    """Sends a scenario's commands, each batch when the replies to the one before are there."""

    def __init__(self, scenario: Scenario, proxy: Proxy) -> None:
        self._scenario = scenario
        self._proxy = proxy
        self._connection = Connection(proxy.ports[0])
        self._sent = 0
        self._connection.call("HELLO", scenario.protocol)
        if fields := scenario.hash_fields:
            pairs = (part for field in range(fields) for part in (f"field:{field:04d}", b"x" * VALUE_BYTES))
            self._connection.call("HSET", "hash", *pairs)
            reply = self._connection.call("HGETALL", "hash")
            assert isinstance(reply, list) and len(reply) == 2 * fields

    def send(self, batches: int) -> None:
        """Sends as many batches; raises StoreError for an error reply, an OSError if nothing comes back."""
        for _ in range(batches):
            if self._scenario.is_scrape:
                assert self._proxy.metrics_url is not None
                fetch(self._proxy.metrics_url)
            else:
                batch = [self._command() for _ in range(self._scenario.pipeline)]
                self._connection.send_all(batch, batch=len(batch))

    def _command(self) -> bytes:
        if self._scenario.hash_fields:
            return encode("HGETALL", "hash")
        key = key_name(self._sent % KEYS)
        self._sent += 1
        is_set = self._scenario.operation is Operation.SET
        return encode("SET", key, b"x" * VALUE_BYTES) if is_set else encode("GET", key)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
