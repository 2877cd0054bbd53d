"""What is measured: no proxy, the sidecar in each of its states, and other proxies."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .proxies import Proxies, Proxy, SidecarState
from .stores import ALL_MISSING, TENTH_MISSING, WHOLE, Absence, Store, StoreCounts
from .workloads import Operation, Workload

BOTH = frozenset({"old", "new"})
OLD = frozenset({"old"})

SIDECAR_OFF = "sidecar-off"
SIDECAR_DUAL = "sidecar-dual"
SIDECAR_DUAL_DEFAULT_STORE = "sidecar-dual-default-store"
SIDECAR_BOTH = "sidecar-both-flags"
SIDECAR_TLS_STORE = "sidecar-tls-store"
SIDECAR_TLS_CLIENTS = "sidecar-tls-clients"
DIRECT = "direct"
DIRECT_TLS = "direct-tls"
TWEMPROXY = "twemproxy"
ENVOY = "envoy"
ENVOY_MIRROR = "envoy-mirror"


@dataclass(frozen=True)
class Expectation:
    """Which stores have to see what clients send."""

    writes: frozenset[str] = OLD
    # Reads ask the new store first, and the old one for what that lacks.
    falls_back: bool = False
    absence: Absence = WHOLE

    def problem(self, workload: Workload, commands: int, old: StoreCounts, new: StoreCounts) -> str | None:
        """What the stores did otherwise than they should have, in a sentence; None if nothing."""
        parts = workload.operation.parts
        share = commands // len(parts)
        sets = share if Operation.SET in parts else 0
        gets = share if Operation.GET in parts else 0
        for name, counts in (("old", old), ("new", new)):
            expected = sets if name in self.writes else 0
            if counts.sets != expected:
                return f"the {name} store executed {counts.sets} SET instead of {expected}"
            if counts.errors:
                return f"the {name} store answered with {counts.errors} errors"
        if self.falls_back:
            return self._fallback_problem(workload, gets, old, new)
        if (old.gets, new.gets, old.misses) != (gets, 0, 0):
            return f"the stores executed {old.gets} and {new.gets} GET instead of {gets} and 0, {old.misses} missed"
        return None

    def _fallback_problem(self, workload: Workload, gets: int, old: StoreCounts, new: StoreCounts) -> str | None:
        if new.gets != gets:
            return f"the new store executed {new.gets} GET instead of {gets}"
        # The keys are chosen at random: six standard deviations are missed once in a billion runs.
        share = self.absence.share(workload.keys)
        tolerance = 6 * (gets * share * (1 - share)) ** 0.5
        if abs(new.misses - gets * share) > tolerance:
            return f"{new.misses} of {gets} GET missed instead of {share:.0%}"
        if old.misses:
            return f"the old store missed {old.misses} GET"
        # Single reads ask the old store for what was missed. Pipelines are executed and compared on both stores.
        least, most = new.misses, new.misses if workload.pipeline == 1 else gets
        if not least <= old.gets <= most:
            return f"the old store executed {old.gets} GET instead of {least} to {most}"
        return None


@dataclass(frozen=True)
class Target:
    """Something that clients can send their commands to."""

    name: str
    title: str
    ports: tuple[int, ...]
    expectation: Expectation
    # None for the store itself.
    proxy: Proxy | None = None
    # What it is called where it is only read.
    read_title: str | None = None
    # The file of the authority that clients trust, if they have to speak TLS.
    authority: Path | None = None

    def title_for(self, operation: Operation) -> str:
        """What it is called under a load."""
        return self.read_title or self.title if operation is Operation.GET else self.title


@dataclass(frozen=True)
class _SidecarKind:
    name: str
    title: str
    state: SidecarState
    operations: frozenset[Operation] = frozenset(Operation)
    absence: Absence = WHOLE
    read_title: str | None = None

    def expectation(self) -> Expectation:
        dual = self.state.dual_write
        return Expectation(writes=BOTH if dual else OLD, falls_back=dual, absence=self.absence)


_WRITES = frozenset({Operation.SET, Operation.MIXED})
_READS = frozenset({Operation.GET})

# With dual writes on, reads have the default policy: the new store with the old one as fallback.
_SIDECARS = [
    _SidecarKind(SIDECAR_OFF, "sidecar, flags off", SidecarState()),
    _SidecarKind(
        SIDECAR_DUAL,
        "sidecar, dual write",
        SidecarState(dual_write=True),
        read_title="sidecar, fallback, 0 % misses",
    ),
    _SidecarKind(
        SIDECAR_DUAL_DEFAULT_STORE,
        "sidecar, dual write, default_store acknowledges",
        SidecarState(dual_write=True, acknowledgement="default_store"),
        _WRITES,
    ),
    _SidecarKind(SIDECAR_BOTH, "sidecar, both flags", SidecarState(dual_write=True, primary_is_default=True)),
    _SidecarKind(
        "sidecar-both-flags-default-store",
        "sidecar, both flags, default_store acknowledges",
        SidecarState(dual_write=True, primary_is_default=True, acknowledgement="default_store"),
        _WRITES,
    ),
    _SidecarKind(
        "sidecar-fallback-10",
        "sidecar, fallback, 10 % misses",
        SidecarState(dual_write=True, database=TENTH_MISSING.database),
        _READS,
        TENTH_MISSING,
    ),
    _SidecarKind(
        "sidecar-fallback-100",
        "sidecar, fallback, 100 % misses",
        SidecarState(dual_write=True, database=ALL_MISSING.database),
        _READS,
        ALL_MISSING,
    ),
]

# With flags off, as the first of those above.
_TLS_SIDECARS = [
    _SidecarKind(SIDECAR_TLS_STORE, "sidecar, TLS to the store", SidecarState(has_tls_stores=True)),
    _SidecarKind(SIDECAR_TLS_CLIENTS, "sidecar, TLS from clients", SidecarState(has_tls_clients=True)),
]


def direct(old: Store, ports: int = 1) -> Target:
    """No proxy; several ports are the same store for several loads."""
    return Target(DIRECT, "direct", (old.port,) * ports, Expectation())


def direct_tls(old: Store) -> Target:
    """No proxy, and clients with TLS."""
    assert old.certificates is not None and old.tls_port is not None
    authority = old.certificates.authority
    return Target(DIRECT_TLS, "direct, with TLS", (old.tls_port,), Expectation(), authority=authority)


def sidecar(proxies: Proxies, kind: str, instances: int = 1) -> Target:
    """Starts one more sidecar of a kind, possibly with several instances."""
    wanted = next(each for each in (*_SIDECARS, *_TLS_SIDECARS) if each.name == kind)
    proxy = proxies.sidecar(kind, replace(wanted.state, instances=instances))
    return Target(kind, wanted.title, proxy.ports, wanted.expectation(), proxy, wanted.read_title, proxy.authority)


def twemproxy(proxies: Proxies) -> Target:
    """Starts twemproxy."""
    proxy = proxies.twemproxy()
    return Target(TWEMPROXY, "twemproxy", proxy.ports, Expectation(), proxy)


def envoy(proxies: Proxies, mirrors: bool = False) -> Target:
    """Starts Envoy."""
    proxy = proxies.envoy(mirrors)
    name, title = (ENVOY_MIRROR, "Envoy, mirror") if mirrors else (ENVOY, "Envoy")
    return Target(name, title, proxy.ports, Expectation(writes=BOTH if mirrors else OLD), proxy)


def start(proxies: Proxies, old: Store, operation: Operation, names: Container[str] | None = None) -> list[Target]:
    """Starts all that is compared under an operation, or those of it with these names, in the order of the report."""
    starters: dict[str, Callable[[], Target]] = {DIRECT: partial(direct, old)}
    for kind in _SIDECARS:
        if operation in kind.operations:
            starters[kind.name] = partial(sidecar, proxies, kind.name)
    starters |= {TWEMPROXY: partial(twemproxy, proxies), ENVOY: partial(envoy, proxies)}
    starters[ENVOY_MIRROR] = partial(envoy, proxies, mirrors=True)
    return [starter() for name, starter in starters.items() if names is None or name in names]


def start_tls(proxies: Proxies, old: Store) -> list[Target]:
    """Starts all that is compared with TLS: at the store itself first, which is the reference."""
    return [direct_tls(old), *(sidecar(proxies, kind.name) for kind in _TLS_SIDECARS)]
