"""What the clients do: operations, numbers of clients, pipelines and values, and which of them a run goes through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

KIB = 1024
MIB = 1024 * KIB

# Requests of this many bytes may be on their way at once. Beyond it the load, the proxy and the stores would hold
# several gigabytes each, and what is measured is the machine's memory.
IN_FLIGHT_LIMIT_BYTES = 512 * MIB
# Keys of a data set: as many as make a hash table no toy, and no more bytes than fit beside everything else.
KEYS_LIMIT = 10_000
DATA_SET_LIMIT_BYTES = 64 * MIB


class Operation(Enum):
    """What one command does."""

    SET = "set"
    GET = "get"
    MIXED = "mixed"

    @property
    def parts(self) -> tuple[Operation, ...]:
        """The commands that it is made of: half of the clients send SET and half GET if mixed."""
        return (Operation.SET, Operation.GET) if self is Operation.MIXED else (self,)

    @property
    def title(self) -> str:
        """As it is shown to people."""
        return "SET and GET" if self is Operation.MIXED else self.value.upper()


def bytes_text(count: int) -> str:
    """A size for people: 16 B, 64 KiB, 8 MiB."""
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} B"


@dataclass(frozen=True)
class Workload:
    """One load: all clients send the same operation, each with `pipeline` commands at a time."""

    operation: Operation
    clients: int
    pipeline: int
    value_bytes: int

    @property
    def name(self) -> str:
        """Names it on the command line and in the results."""
        size = bytes_text(self.value_bytes).replace(" ", "")
        return f"{self.operation.value}-c{self.clients}-p{self.pipeline}-{size}"

    @property
    def title(self) -> str:
        """As it is shown to people."""
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        pipeline = "no pipelining" if self.pipeline == 1 else f"pipelines of {self.pipeline}"
        return f"{self.operation.title}, {clients}, {pipeline}, {bytes_text(self.value_bytes)}"

    @property
    def keys(self) -> int:
        """How many keys the clients choose from, at random."""
        return max(8, min(KEYS_LIMIT, DATA_SET_LIMIT_BYTES // self.value_bytes))

    @property
    def fits(self) -> bool:
        """Whether what is on its way at once stays below the limit."""
        return self.clients * self.pipeline * self.value_bytes <= IN_FLIGHT_LIMIT_BYTES


def full_matrix() -> list[Workload]:
    """Every operation with every number of clients, every pipeline and every value, one value after the other."""
    return [
        Workload(operation, clients, pipeline, value)
        for value in (16, KIB, 64 * KIB)
        for operation in Operation
        for clients in (1, 50, 500)
        for pipeline in (1, 16, 100)
    ]


def default_matrix() -> list[Workload]:
    """What is asked for most: each dimension is varied once around 50 clients and 16 bytes."""
    around = [(1, 1, 16), (50, 1, 16), (50, 16, 16), (50, 100, 16), (500, 1, 16), (50, 1, KIB), (50, 16, KIB)]
    chosen = [(operation, *rest) for rest in around for operation in (Operation.SET, Operation.GET)]
    chosen += [(Operation.MIXED, 50, pipeline, 16) for pipeline in (1, 16)]
    chosen += [(operation, 50, 1, 64 * KIB) for operation in (Operation.SET, Operation.GET)]
    return sorted((Workload(*each) for each in chosen), key=lambda workload: workload.value_bytes)


def quick_matrix() -> list[Workload]:
    """A few of the default ones, to see that everything works."""
    chosen = [Workload(operation, 50, pipeline, 16) for pipeline in (1, 16) for operation in Operation.MIXED.parts]
    return [Workload(Operation.SET, 1, 1, 16), *chosen, Workload(Operation.MIXED, 50, 1, 16)]
