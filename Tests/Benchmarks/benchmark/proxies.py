"""The proxies that are compared: the sidecar, twemproxy and Envoy, each between the clients and the same stores."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from .processes import Process, Processes, free_port, program
from .stores import Store

# Clients that a proxy takes.
MAX_CLIENTS = 12_000


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs."""

    process: Process
    # One for each instance of a sidecar; the others have one.
    ports: tuple[int, ...]
    # Where its metrics are, for a sidecar.
    metrics_url: str | None = None
    # The file of the authority that clients trust, if they have to speak TLS.
    authority: Path | None = None


@dataclass(frozen=True)
class SidecarState:
    """How a sidecar is configured, and which flags are on."""

    dual_write: bool = False
    primary_is_default: bool = False
    acknowledgement: str = "both"
    # Whether the stores, and clients, are spoken to with TLS.
    has_tls_stores: bool = False
    has_tls_clients: bool = False
    # The database of both stores that it serves.
    database: int = 0
    instances: int = 1
    # Events of a kind that the log gets in a second; None for the default.
    events_per_second: int | None = None
    # Keys that settled checks compare in a second; None for the default.
    settled_checks: int | None = None


def sidecar_configuration(state: SidecarState, ports: tuple[int, ...], old: Store, new: Store, flags: Path) -> str:
    """The YAML text of a sidecar's configuration: every setting but those named here has its default."""
    lines = ["instances:"]
    for number, port in enumerate(ports):
        lines += [
            f"  - name: instance_{number}",
            f'    listen: "{"tls:" if state.has_tls_clients else ""}127.0.0.1:{port}"',
            f"    primary: {_store_settings(state, new)}",
            f"    secondary: {_store_settings(state, old)}",
            f"    write_acknowledgement: {state.acknowledgement}",
            f"    max_clients: {MAX_CLIENTS}",
        ]
        if state.has_tls_clients:
            assert old.certificates is not None
            certificate, key = old.certificates.certificate, old.certificates.key
            lines.append(f'    tls: {{ cert_file: "{certificate}", key_file: "{key}" }}')
        if state.events_per_second is not None:
            lines.append(f"    event_rate_limit: {state.events_per_second}")
        if state.settled_checks is not None:
            lines.append(f"    settled_checks: {{ rate: {state.settled_checks} }}")
    lines += ["feature_flags:", f'  file: "{flags}"']
    return "\n".join(lines) + "\n"


def _store_settings(state: SidecarState, store: Store) -> str:
    settings = f'url: "{store.url(state.database, state.has_tls_stores)}"'
    if state.has_tls_stores:
        assert store.certificates is not None
        settings += f', tls: {{ ca_file: "{store.certificates.authority}" }}'
    return f"{{ {settings} }}"


def sidecar_flags(state: SidecarState) -> str:
    """The YAML text of a sidecar's flag file."""
    lines = []
    for number in range(state.instances):
        instance = f"instance_{number}"
        lines.append(f"use_primary_and_secondary_stores_for_{instance}: {str(state.dual_write).lower()}")
        lines.append(f"use_primary_store_as_default_for_{instance}: {str(state.primary_is_default).lower()}")
    return "\n".join(lines) + "\n"


class Proxies:
    """Starts proxies before the same two stores. `sidecar` is the command that starts a sidecar."""

    def __init__(self, old: Store, new: Store, processes: Processes, cores: frozenset[int], sidecar: list[str]) -> None:
        self._old = old
        self._new = new
        self._processes = processes
        self._cores = cores
        self._sidecar = sidecar

    def with_processes(self, processes: Processes) -> Proxies:
        """The same, but what it starts belongs to other processes: those of a part of the run."""
        return Proxies(self._old, self._new, processes, self._cores, self._sidecar)

    def sidecar(self, name: str, state: SidecarState) -> Proxy:
        """Starts a sidecar, and waits until it listens and both its stores are connected."""
        folder = self._processes.folder
        ports = tuple(free_port() for _ in range(state.instances))
        flags, configuration = folder / f"{name}-flags.yml", folder / f"{name}.yml"
        flags.write_text(sidecar_flags(state))
        configuration.write_text(sidecar_configuration(state, ports, self._old, self._new, flags))
        command = [*self._sidecar, f"--config.file={configuration}", "--web.listen-address=127.0.0.1:0"]
        command += [f"--admin.listen-address=unix:{folder}/{name}.sock", "--log.file=-"]
        process = self._processes.start(name, command, self._cores)

        def metrics_address() -> str | None:
            lines = _log_lines(process.log)
            connected = sum(line.get("message") == "Store connected" for line in lines)
            if connected < 2 * state.instances or not any(line.get("message") == "Started" for line in lines):
                return None
            return next(str(line["address"]) for line in lines if line.get("listener") == "metrics")

        address = process.wait_until("connecting to both stores", metrics_address)
        certificates = self._old.certificates if state.has_tls_clients else None
        return Proxy(process, ports, f"http://{address}/metrics", certificates.authority if certificates else None)

    def twemproxy(self) -> Proxy:
        """Starts twemproxy with its defaults, and a backlog that takes many clients at once."""
        port, folder = free_port(), self._processes.folder
        configuration = folder / "twemproxy.yml"
        lines = ["pool:", f"  listen: 127.0.0.1:{port}", "  hash: fnv1a_64", "  distribution: ketama", "  redis: true"]
        lines += ["  preconnect: true", "  backlog: 1024", "  servers:", f"    - 127.0.0.1:{self._old.port}:1"]
        configuration.write_text("\n".join(lines) + "\n")
        command = [program("nutcracker"), "--conf-file", str(configuration), "--verbose", "4"]
        command += ["--stats-addr", "127.0.0.1", "--stats-port", str(free_port())]
        command += ["--pid-file", str(folder / "twemproxy.pid"), "--output", "/dev/stderr"]
        process = self._processes.start("twemproxy", command, self._cores)
        process.wait_until_listening(port)
        return Proxy(process, (port,))

    def envoy(self, mirrors: bool) -> Proxy:
        """Starts Envoy's redis_proxy with one worker and its defaults, with writes mirrored to the new store or not."""
        port = free_port()
        name = "envoy-mirror" if mirrors else "envoy"
        configuration = self._processes.folder / f"{name}.json"
        configuration.write_text(json.dumps(envoy_configuration(port, self._old, self._new, mirrors), indent=2))
        command = [envoy_path(), "--config-path", str(configuration), "--concurrency", "1", "--disable-hot-restart"]
        command += ["--log-level", "error"]
        process = self._processes.start(name, command, self._cores)
        process.wait_until_listening(port)
        return Proxy(process, (port,))


def envoy_path() -> str:
    """Where Tests/setup.sh puts Envoy."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(cache / "multistore-exporter" / "envoy")


def envoy_configuration(port: int, old: Store, new: Store, mirrors: bool) -> dict[str, object]:
    """Envoy's bootstrap. Reads are not mirrored, as dual writes don't repeat reads either."""

    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    def cluster(store: Store) -> dict[str, object]:
        endpoint = {"endpoint": {"address": address(store.port)}}
        return {
            "name": store.name,
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {"cluster_name": store.name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        }

    route: dict[str, object] = {"cluster": old.name}
    if mirrors:
        route["request_mirror_policy"] = [{"cluster": new.name, "exclude_read_commands": True}]
    redis_proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
        "stat_prefix": "redis",
        "settings": {"op_timeout": "60s"},
        "prefix_routes": {"catch_all_route": route},
    }
    filters = [{"name": "envoy.filters.network.redis_proxy", "typed_config": redis_proxy}]
    listener = {"name": "redis", "address": address(port), "filter_chains": [{"filters": filters}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster(old), cluster(new)]}}


def _log_lines(log: Path) -> list[dict[str, object]]:
    """The whole lines of a JSON log that is still being written."""
    whole, _, _ = log.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
