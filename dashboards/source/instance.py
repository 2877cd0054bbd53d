"""The drill-down: one instance, sidecar by sidecar where that matters, with everything that is counted for it."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from panels import (
    DIFFS, FALLBACKS, GREEN, INSTANCE_UID, MISSING, NEARLY_FULL, NONE_ALLOWED, OFF_ON, RED, STATES, UP, YES,
    board, graph, increase, instant, listing, metric, quantile, query, rate, timeline, total, verdict, worst,
)

# The metrics of the process as a whole: of every sidecar that has this instance.
OF_ITS_SIDECARS = f"and on (job, instance) {metric('multistore_client_connections')}"


def dashboard() -> Dashboard:
    made = board(INSTANCE_UID, "MultiStore: instance", several_instances=False,
                 description="Everything that is counted for one instance, for finding out why.")
    for title, panels in (
        ("State and flags", state()), ("What clients send", traffic()), ("Reads", reads()),
        ("Comparison", comparison()), ("Writes to the other store", writes()),
        ("Backfill and verification", jobs()), ("Stores", stores()),
        ("Clients", clients()), ("Process", process()),
    ):
        made.with_row(Row(title))
        for panel in panels:
            made.with_panel(panel)
    return made


def process_metric(name: str) -> str:
    return f'{name}{{job=~"$job"}} {OF_ITS_SIDECARS}'


def process_rate(name: str) -> str:
    return f'rate({name}{{job=~"$job"}}[$__rate_interval]) {OF_ITS_SIDECARS}'


def state() -> list:
    return [
        timeline(
            "State by sidecar",
            "What is in force in each sidecar of this instance. All bars have to change colour together; one that lags "
            "did not get the flag.",
            query(metric("multistore_effective_state"), "{{instance}}"), words=STATES, width=12),
        listing(
            "Where things go now",
            "For each sidecar: which store is read and written, and whose reply the client gets.",
            instant(metric("multistore_effective_routing"), ""),
            columns=["instance", "reads", "writes", "replies"], width=12),
        timeline(
            "Flags",
            "The two feature flags in each sidecar. That both are on means: dual writes, and the new store answers.",
            query(metric("multistore_feature_flag"), "{{instance}} {{flag}}"), words=OFF_ON, width=12),
        listing(
            "Where the flags come from",
            "The source of each flag's value: 'default' nobody set it, 'file' the flag file, 'admin_api' a command. "
            "Sidecars of one instance with different sources will disagree sooner or later.",
            instant(metric("multistore_feature_flag_source"), ""),
            columns=["instance", "flag", "source"], width=6),
        verdict(
            "Flag file in force",
            "Whether what the flag file says is in force. 'no': it does not parse or cannot be read, and the last good "
            "flags stay; the log says what is wrong with it.",
            instant(process_metric("multistore_feature_flag_last_reload_successful"), "{{instance}}"),
            words=YES, height=6),
        verdict(
            "Same server twice",
            "Whether both stores are one server and database, so that both flags count as off. 'yes' while a migration "
            "is meant to run: an address in the configuration is wrong.",
            instant(worst("instance_name", metric("multistore_same_store")), "{{instance_name}}"),
            words={0: ("no", GREEN), 1: ("yes", RED)}, height=6),
        graph(
            "Flag changes and reloads",
            "Changes of flags, takings-over of the flag file, and failures to do so, since each sidecar started. A "
            "sidecar with fewer changes than the others missed one.",
            query(process_metric("multistore_feature_flag_changes_total"), "{{instance}} changes"),
            query(process_metric("multistore_feature_flag_reloads_total"), "{{instance}} reloads"),
            query(process_metric("multistore_feature_flag_reload_failures_total"), "{{instance}} failures"),
            unit="short", width=12),
        graph(
            "Time since the last change",
            "Age of the state in force, and of the flag file's last reload, by sidecar.",
            query(f"time() - {metric('multistore_effective_since_timestamp_seconds')}", "{{instance}} state"),
            query(f"time() - {process_metric('multistore_feature_flag_last_reload_timestamp_seconds')}",
                  "{{instance}} flag file"),
            unit="s", width=12),
    ]


def traffic() -> list:
    inventory = "multistore_inventory_commands_total"
    return [
        graph(
            "Commands by what becomes of them",
            "What clients send, by where it goes while dual writes are on.",
            query(total("routing", rate(inventory)), "{{routing}}"), unit="reqps", stacked=True),
        graph(
            "The most frequent commands",
            "The ten commands that clients send most.",
            query(f"topk(10, {total('command', rate(inventory))})", "{{command}}"), unit="reqps"),
        graph(
            "Hazards",
            "Commands that need a look before the first flag is flipped, by what can go wrong with them; "
            "`multistore-exporter inventory` explains each.",
            query(total("hazard, command", rate(inventory, 'hazard!="none"')), "{{hazard}}: {{command}}"),
            unit="reqps"),
    ]


def reads() -> list:
    return [
        graph(
            "Reads of the new store and what followed",
            "Reads that asked the new store with the old one at hand; how many had to ask the old one, because of a "
            "miss or an error; and how many of these it did not have either.",
            query(total("instance_name", rate("multistore_primary_reads_total")), "asked the new store"),
            query(total("reason", rate("multistore_fallback_reads_total")), "asked the old one too: {{reason}}"),
            query(total("instance_name", rate("multistore_true_misses_total")), "true misses"), unit="reqps"),
        graph(
            "Fallbacks by command",
            "Reads that only the old store could answer.",
            query(f"topk(10, {total('command', rate(FALLBACKS))})", "{{command}}"), unit="reqps"),
        graph(
            "Stale reads avoided",
            "Reads kept away from a store because its last write of the key had failed; the other store answered.",
            query(total("store", rate("multistore_stale_reads_avoided_total")), "{{store}}"), unit="reqps"),
    ]


def comparison() -> list:
    return [
        graph(
            "Compared and different",
            "Pipelines and transactions (multi) that both stores answered, and those of them that differed: by a gap, "
            "where the other store just lacks keys, or by a mismatch.",
            query(total("command", rate("multistore_pipelines_compared_total")), "{{command}} compared"),
            query(total("command", rate(DIFFS)), "{{command}} different"),
            query(total("command, kind", rate("multistore_differing_pipelines_total")), "{{command}} {{kind}}"),
            query(total("instance_name", rate("multistore_uncompared_replies_total")), "replies not compared"),
            unit="reqps", width=6),
        graph(
            "Differing replies by command",
            "The replies within them that differed: the ten most frequent commands.",
            query(f"topk(10, {total('command, kind', rate('multistore_differing_replies_total'))})",
                  "{{command}} {{kind}}"),
            unit="reqps", width=6),
        graph(
            "Diffs that stay",
            "Reads that differed again when both stores were asked half a second later. A mismatch is a difference of "
            "data, not of timing: find the key in the log (log_values: true). Empty without recheck_diffs: true.",
            query(f"topk(10, {total('command, kind', rate('multistore_persistent_diff_total'))})",
                  "{{command}} {{kind}}"),
            query(total("outcome", rate("multistore_diff_rechecks_total")), "re-checks: {{outcome}}"),
            unit="reqps", width=6),
        graph(
            "Method missing by command",
            "Commands that are neither a known read nor a known write: they reach the default store alone.",
            query(f"topk(10, {total('command', rate(MISSING))})", "{{command}}"),
            unit="reqps", width=6),
    ]


def writes() -> list:
    return [
        graph(
            "Copy failures by reason",
            "Writes that the default store executed and the other one did not.",
            query(total("store, reason", rate("multistore_copy_failures_total")), "{{store}}: {{reason}}"),
            unit="wps", width=6),
        graph(
            "Stale keys by sidecar",
            "Keys whose last write to the store failed. Each sidecar knows only of its own writes.",
            query(metric("multistore_stale_keys"), "{{instance}} {{store}}"), unit="short", width=6),
        graph(
            "Stale keys healed",
            "Stale keys that were copied again in the background, by how that ended. A copy that failed is tried again "
            "after a while; multistore-exporter stale list shows the keys.",
            query(total("store, outcome", rate("multistore_healed_keys_total")), "{{store}}: {{outcome}}"),
            unit="wps", width=6),
        graph(
            "Oldest stale key",
            "How long the key has been stale that has been so for longest. If it only rises while both stores are up, "
            "that key can't be copied.",
            query(metric("multistore_oldest_stale_key_seconds"), "{{instance}} {{store}}"), unit="s", width=6),
        timeline(
            "Trust, by sidecar",
            "Whether all outdated keys of each store are known. 'no' matters for the store that is not the default: "
            "none of its answers is used until it is emptied, or compared and trusted again.",
            query(metric("multistore_store_trusted"), "{{instance}} {{store}}"), words=YES, width=8, height=8),
        graph(
            "Trust lost, and forced moves",
            "Times that a store stopped being trusted, by reason, and that the default store moved to one that was not "
            "trusted or had more stale keys than max_keys_at_flip.",
            query(total("store, reason", increase("multistore_store_trust_losses_total", "1h")),
                  "{{store}}: {{reason}}"),
            query(total("instance_name", increase("multistore_forced_moves_total", "1h")), "forced moves"),
            unit="short"),
        graph(
            "Copied and not copied",
            "Keys copied whole to the other store; writes that stayed on the default store, by command; scripts too "
            "many to be given to the store that becomes the default.",
            query(total("instance_name", rate("multistore_key_copies_total")), "keys copied"),
            query(f"topk(5, {total('command', rate('multistore_uncopied_writes_total'))})", "not copied: {{command}}"),
            query(total("instance_name", rate("multistore_scripts_not_remembered_total")), "scripts not remembered"),
            unit="wps"),
    ]


def jobs() -> list:
    return [
        graph(
            "Backfill and verification",
            "Share of the keys that the last backfill and the last verification have scanned, by sidecar.",
            query(metric("multistore_job_progress_ratio"), "{{instance}} {{kind}}"),
            unit="percentunit", maximum=1, width=6),
        graph(
            "Keys of jobs, by result",
            "Keys that a backfill has copied or found there, and that a verification has found equal or different.",
            query(total("kind, result", rate("multistore_job_keys_total")), "{{kind}}: {{result}}"),
            unit="cps", width=6),
        graph(
            "Differences that were found",
            "Keys that differed, by kind, and those that were mended; what the last verification left; keys that "
            "settled checks found different, which are copied again.",
            query(total("result", increase("multistore_job_keys_total", "1h",
                                           'result=~"missing|extra|type|value|expiry|healed"')), "{{result}}"),
            query(metric("multistore_verification_unhealed_differences"), "{{instance}} not mended"),
            query(total("instance_name", increase("multistore_settled_checks_total", "1h", 'outcome="different"')),
                  "settled checks"),
            unit="short", width=6),
        graph(
            "Settled checks",
            "Keys that were compared some seconds after they were written, by outcome, and writes whose keys were not "
            "noted because too many waited.",
            query(total("outcome", rate("multistore_settled_checks_total")), "{{outcome}}"),
            query(total("instance_name", rate("multistore_unchecked_keys_total")), "not noted"),
            unit="cps", width=6),
        graph(
            "Last valid verification",
            "When a verification has found both stores equal, by sidecar; 1970 where none has, or where something "
            "happened since after which keys may differ.",
            query(f"{metric('multistore_verified_timestamp_seconds')} * 1000", "{{instance}}"),
            unit="dateTimeAsIso", width=6),
        graph(
            "Keys scanned and bytes copied",
            "Keys that jobs scan, and the bytes of the dumps that a backfill stores.",
            query(total("kind", rate("multistore_job_scanned_keys_total")), "{{kind}}: keys"),
            query(total("kind", rate("multistore_job_copied_bytes_total")), "{{kind}}: bytes"),
            unit="short", width=6),
    ]


def stores() -> list:
    dedicated = "multistore_store_dedicated_connections"
    return [
        timeline(
            "Stores up, by sidecar",
            "Whether the ordinary connection to each store is ready.",
            query(metric("multistore_store_up"), "{{instance}} {{store}}"), words=UP, width=12, height=8),
        graph(
            "Failed connections",
            "Connections that failed or were lost. 'authentication': password or user; 'not_ready': it loads its data; "
            "'connect' and 'timeout': address, network or load.",
            query(total("store, reason", rate("multistore_store_connection_failures_total")), "{{store}}: {{reason}}"),
            unit="cps", width=12),
        graph(
            "Latency",
            "From handing a command to a store's connection to its reply: median, p99 and p99.9.",
            query(quantile(0.999, "store"), "{{store}} p99.9"), query(quantile(0.99, "store"), "{{store}} p99"),
            query(quantile(0.5, "store"), "{{store}} p50"), unit="s"),
        graph(
            "Commands by outcome",
            "Commands sent to each store, by how they ended.",
            query(total("store, outcome", rate("multistore_commands_total")), "{{store}}: {{outcome}}"), unit="reqps"),
        graph(
            "Waiting",
            "Commands that a store has not answered yet, by sidecar. A line that rises and does not fall is a store "
            "that is too slow for what it is sent; commands are refused at max_queued_commands.",
            query(metric("multistore_store_in_flight_commands"), "{{instance}} {{store}}"), unit="short"),
        graph(
            "Bytes waiting",
            "Bytes of the commands that a store has not answered yet, by sidecar; refused at max_queued_bytes.",
            query(metric("multistore_store_queued_bytes"), "{{instance}} {{store}}"), unit="bytes"),
        graph(
            "Connections to the stores",
            "Connections to each store that are ready, by sidecar. Mind the servers' maxclients.",
            query(metric("multistore_store_connections"), "{{instance}} {{store}}"), unit="short"),
        graph(
            "Dedicated connections",
            "Connections that clients have to themselves, and max_dedicated_connections, at which they are refused.",
            query(metric(dedicated), "{{instance}} {{store}}"),
            query(metric(f"{dedicated}_limit"), "{{instance}} {{store}} limit"), unit="short"),
    ]


def clients() -> list:
    return [
        graph(
            "Clients",
            "Clients that are connected, those that CLIENT PAUSE holds, and max_clients, by sidecar.",
            query(metric("multistore_client_connections"), "{{instance}}"),
            query(metric("multistore_clients_paused"), "{{instance}} paused"),
            query(metric("multistore_client_connections_limit"), "{{instance}} limit"), unit="short", width=6),
        graph(
            "Connecting and cut off",
            "Clients that have connected, and those whose connection the sidecar ended, by reason.",
            query(total("instance_name", rate("multistore_client_connections_accepted_total")), "connected"),
            query(total("reason", rate("multistore_client_connections_closed_total")), "ended: {{reason}}"),
            unit="cps", width=6),
        graph(
            "Refused logins",
            "Logins with a wrong name or password: the application's password was changed, or somebody tries.",
            query(total("instance_name", rate("multistore_client_authentication_failures_total")), "refused"),
            query(total("instance_name", rate("multistore_client_authentications_delayed_total")), "delayed"),
            unit="cps", width=6),
        graph(
            "Listening, blocked and watching clients",
            "Clients that listen to channels; moves of listeners and of blocked commands when the default moved. "
            "'late' and 'closed' are listeners that could not move at once. A transaction that lost its WATCH was "
            "answered with nil.",
            query(total("instance_name", metric("multistore_subscribed_clients")), "listening"),
            query(total("outcome", metric("multistore_subscription_moves_total")), "listeners moved: {{outcome}}"),
            query(total("instance_name", metric("multistore_blocked_commands_moved_total")), "blocked commands moved"),
            query(total("reason", metric("multistore_lost_watches_total")), "transactions that lost their WATCH: {{reason}}"),
            unit="short", width=6),
        graph(
            "Memory of clients",
            "What commands and replies of all clients take, by purpose, and memory_limit. Large commands wait from half "
            "of the limit on; from three quarters on the clients that use most are refused their commands or closed.",
            query(process_metric("multistore_memory_bytes"), "{{instance}} {{part}}"),
            query(process_metric("multistore_memory_limit_bytes"), "{{instance}} limit"), unit="bytes", width=12),
        graph(
            "Short of memory",
            "Clients whose large command waits for room, and commands that were refused because of memory_limit.",
            query(total("instance_name", metric("multistore_clients_waiting_for_memory")), "waiting"),
            query(total("instance_name", rate("multistore_memory_refusals_total")), "refused each second"),
            unit="short", width=6),
        graph(
            "HTTP connections",
            "Open connections to the metrics and the admin port, and those that were closed because they were too slow "
            "or too many.",
            query(process_metric("multistore_http_connections"), "{{instance}} {{listener}}"),
            query(process_rate("multistore_http_connections_closed_total"), "{{instance}} {{listener}} closed: {{reason}}"),
            unit="short", width=6),
    ]


def process() -> list:
    return [
        graph(
            "Event loop busy",
            "Share of time that the instance's thread works, by sidecar. Near 100 % clients wait for each other.",
            query(rate("multistore_event_loop_busy_seconds_total"), "{{instance}}"),
            unit="percentunit", maximum=1, limits=NEARLY_FULL, width=6),
        graph(
            "CPU",
            "CPU seconds that the process uses in a second, all instances together.",
            query(process_rate("process_cpu_seconds_total"), "{{instance}}"), unit="short", width=6),
        graph(
            "Memory",
            "Resident memory of the process.",
            query(process_metric("process_resident_memory_bytes"), "{{instance}}"), unit="bytes", width=6),
        graph(
            "File descriptors",
            "Open file descriptors, and the most that the process may have.",
            query(process_metric("process_open_fds"), "{{instance}}"),
            query(process_metric("process_max_fds"), "{{instance}} limit"), unit="short", width=6),
        graph(
            "Log lines",
            "Lines that were written, and lines that were lost by reason. Lost lines: disk full, reader stuck.",
            query(process_rate("multistore_log_lines_total"), "{{instance}} written"),
            query(process_rate("multistore_log_lines_dropped_total"), "{{instance}} lost: {{reason}}"),
            unit="cps", width=6),
        graph(
            "Bytes waiting for the log",
            "Bytes of log lines that wait to be written; beyond log.queue_limit lines are lost.",
            query(process_metric("multistore_log_queued_bytes"), "{{instance}}"), unit="bytes", width=6),
        graph(
            "Events by class",
            "Events handed to the log, and those that the rate limit kept from it.",
            query(total("class", rate("multistore_events_total")), "{{class}}"),
            query(total("class", rate("multistore_events_suppressed_total")), "{{class}} suppressed"),
            unit="cps", width=6),
        verdict(
            "Log files not reopened",
            "Times that the log file could not be reopened: the rotated one is written to. See the permissions.",
            instant(process_metric("multistore_log_reopen_failures_total"), "{{instance}}"),
            steps=NONE_ALLOWED, width=3, height=8),
        listing(
            "Versions",
            "What is running.",
            instant(process_metric("multistore_build_info"), ""), columns=["instance", "version"], width=3, height=8),
    ]
