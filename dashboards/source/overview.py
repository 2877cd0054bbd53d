"""The overview of a migration: where it stands, whether the next step may be taken, and what stands against it."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row

from panels import (
    DISAGREEMENT, FALLBACKS, GREEN, INSTANCE_UID, MISSING, NEARLY_FULL, NONE_ALLOWED, ORANGE, OVERVIEW_UID, RED,
    STATES, UP, YELLOW, YES,
    board, graph, increase, instant, metric, quantile, query, rate, timeline, total, verdict, worst,
)

# The share of reads that may still need the old store: good enough for the sidecar's own criterion, nearly, not yet.
FALLBACK_RATIO = [(None, GREEN), (0.001, YELLOW), (0.01, RED)]


def dashboard() -> Dashboard:
    made = board(
        OVERVIEW_UID, "MultiStore: migration overview", several_instances=True,
        description="Moving applications from one Redis to another: where each instance stands, what is in the way.")
    for title, panels in (
        ("Where it stands", standing()), ("May I take the next step?", next_step()),
        ("Reads: does the new store have what is asked for?", reads()),
        ("Do both stores say the same?", comparison()), ("Writes to the other store", writes()),
        ("Stores", stores()), ("Keys on both stores", keys()), ("Room and log", room()),
    ):
        made.with_row(Row(title))
        for panel in panels:
            made.with_panel(panel)
    return made


def to_the_instance() -> DashboardLink:
    """From a value to the drill-down of its instance."""
    address = (f"/d/{INSTANCE_UID}?${{datasource:queryparam}}&${{job:queryparam}}"
               "&var-instance_name=${__field.labels.instance_name}&${__url_time_range}")
    return DashboardLink("Show this instance").url(address)


def standing() -> list:
    state = metric("multistore_effective_state")
    highest, lowest = f"max by (instance_name) ({state})", f"min by (instance_name) ({state})"
    down = metric("multistore_store_up") + " == 0"
    return [
        timeline(
            "Where reads and writes go",
            "What is in force for each instance, from 'old store only' to 'new store only'. Red: sidecars of one "
            "instance are in different states, so some clients write where others do not read. For a few seconds "
            "around a flip that is normal; if it stays, set the flags alike on all of them at once.",
            query(f"({highest} == {lowest}) or ({highest} * 0 + {DISAGREEMENT})", "{{instance_name}}"),
            words=STATES, width=15, height=7).data_links([to_the_instance()]),
        verdict(
            "In force since",
            "How long the state of an instance has been what it is, by its sidecar that changed last. Give each step "
            "time to show what it does: warm-up takes as long as old keys live.",
            instant(f"time() - {worst('instance_name', metric('multistore_effective_since_timestamp_seconds'))}",
                    "{{instance_name}}"),
            unit="s", width=3, height=7, names=True),
        verdict(
            "Sidecars down",
            "Sidecars of the selected jobs that Prometheus cannot scrape. Their applications have most likely no Redis "
            "at all: look at the processes first, at the network between Prometheus and them second.",
            instant('count(up{job=~"$job"} == 0) or vector(0)', "down"), steps=NONE_ALLOWED, height=7),
        verdict(
            "Stores down",
            "Connections from a sidecar to a store that are missing. If it is a default store, clients get errors now. "
            "If it is the other store, clients notice nothing, but writes are missing there: see 'Copy failures'.",
            instant(f"count({down}) or vector(0)", "down"), steps=NONE_ALLOWED, height=7),
    ]


def next_step() -> list:
    mismatches = metric("multistore_differing_pipelines_total", 'kind="mismatch"')
    diffs = total("instance_name", f"increase({mismatches}[15m])")
    before = total("instance_name", f"increase({mismatches}[15m] offset 15m)")
    other = (f"{metric('multistore_store_up')} and on (job, instance, instance_name, store) "
             f"{metric('multistore_default_store')} == 0")
    age = f"(time() - {worst('instance_name', metric('multistore_effective_since_timestamp_seconds'))})"
    longest = worst("instance_name", metric("multistore_store_longest_ttl_seconds", 'store="secondary"'))
    dual = metric("multistore_effective_routing", 'writes="both"')
    flags = metric("multistore_feature_flag")
    by_instance = "{{instance_name}}"
    return [
        verdict(
            "Ready for the next step",
            "What the sidecars themselves say: 'yes' when every criterion is met on each of them. The panel beside it "
            "says which ones are not; /status of a sidecar says why.",
            instant(f"min by (instance_name) ({metric('multistore_next_step_ready')})", by_instance),
            words=YES, width=6, height=6, names=True).data_links([to_the_instance()]),
        verdict(
            "Criteria",
            "One tile for each criterion of the next step, 'no' where any sidecar does not meet it. Do not take the "
            "step past a red tile; the runbook says for each what to do about it.",
            instant(f"min by (instance_name, criterion) ({metric('multistore_next_step_criterion_met')})",
                    "{{instance_name}}: {{criterion}}"),
            words=YES, width=18, height=6, names=True),
        verdict(
            "Method missing, 15 min",
            "Commands that are neither a known read nor a known write: they reach the default store alone. Has to be 0 "
            "before dual writes. Find the command below, then find who sends it.",
            instant(total("instance_name", increase(MISSING, "15m")), by_instance),
            steps=NONE_ALLOWED).decimals(0),
        verdict(
            "Fallback ratio, 15 min",
            "Reads that only the old store could answer, in all reads that asked the new one. May be 0.1 % at most "
            "before the default moves or dual writes go off. Above that wait, or copy what is never written.",
            instant(f"{total('instance_name', increase(FALLBACKS, '15m'))} / "
                    f"({total('instance_name', increase('multistore_primary_reads_total', '15m'))} > 0)", by_instance),
            unit="percentunit", steps=FALLBACK_RATIO).no_value("no reads"),
        verdict(
            "Diffs: 15 min against before",
            "Pipelines that differed in the last quarter of an hour, less those in the one before it, without those "
            "where the other store just lacks keys. Above 0 they grow: do not go on, see 'Diffs by command'.",
            instant(f"{diffs} - ({before} or {diffs} * 0)", by_instance),
            steps=[(None, GREEN), (0.5, RED)]).decimals(0),
        verdict(
            "Copy failures, 15 min",
            "Writes that the default store executed and the other one did not. Has to be 0 before any step: the keys "
            "are stale there until they have been copied again. The reason is below.",
            instant(total("instance_name", increase("multistore_copy_failures_total", "15m")), by_instance),
            steps=NONE_ALLOWED).decimals(0),
        verdict(
            "Stale keys now",
            "Keys whose last write to a store failed; reads leave that store out for them. Has to be 0 before the "
            "default moves. They are copied again while both stores are up and dual writes are on; while these are off, "
            "each key that is written is stale on the other store.",
            instant(f"{total('instance_name', metric('multistore_stale_keys'))} and on (instance_name) {dual}",
                    by_instance),
            steps=[(None, GREEN), (1, ORANGE)]).no_value("dual writes are off"),
        verdict(
            "Other store",
            "Whether every sidecar is connected to the store that is not the default. If it is down: is it running, is "
            "the address right, does it take the password?",
            instant(f"min by (instance_name) ({other})", by_instance), words=UP),
        verdict(
            "Warm-up left",
            "How much longer keys may live that were there before this state began: the longest time to live found on "
            "the old store, less the age of the state. At 0 they have expired or been written again, all but those "
            "without a time to live.",
            instant(f"clamp_min({longest} - {age}, 0) and on (instance_name) {dual}", by_instance),
            unit="s", steps=[(None, GREEN), (1, YELLOW)]).no_value("dual writes are off"),
        verdict(
            "Flags agree",
            "Whether all sidecars of an instance have the same flags. If not for longer than a flip takes, some were "
            "not reached: their flag files differ, or a reload failed.",
            instant(f"min by (instance_name) (max by (instance_name, flag) ({flags}) == bool "
                    f"min by (instance_name, flag) ({flags}))", by_instance), words=YES),
    ]


def reads() -> list:
    asked = total("instance_name", rate("multistore_primary_reads_total"))
    return [
        graph(
            "Fallback ratio",
            "Reads that only the old store could answer, in all reads that asked the new one. Falls towards 0 while "
            "the new store warms up. If it stands still above the line, what is read is never written: wait for it to "
            "expire, or copy it. Reads in pipelines count as fallbacks once the new store is the default.",
            query(f"{total('instance_name', rate(FALLBACKS))} / {asked}", "{{instance_name}}"),
            unit="percentunit", limits=FALLBACK_RATIO),
        graph(
            "Fallbacks and true misses",
            "What became of reads that the new store could not answer. 'only on the old store' has to go to 0; 'on "
            "neither' are the application's ordinary misses and stay. 'new store failed' is trouble with the new "
            "store, see 'Errors by outcome'.",
            query(total("instance_name", rate(FALLBACKS)), "{{instance_name}}: only on the old store"),
            query(total("instance_name", rate("multistore_true_misses_total")), "{{instance_name}}: on neither"),
            query(total("instance_name", rate("multistore_fallback_reads_total", 'reason="error"')),
                  "{{instance_name}}: new store failed"),
            unit="reqps"),
        graph(
            "Fallbacks by command",
            "Which reads still need the old store: the ten most frequent. The command often tells whose keys they are.",
            query(f"topk(10, {total('instance_name, command', rate(FALLBACKS))})", "{{instance_name}}: {{command}}"),
            unit="reqps"),
    ]


def comparison() -> list:
    compared = total("instance_name", rate("multistore_pipelines_compared_total"))
    return [
        graph(
            "Pipelines that differ",
            "Pipelines and transactions whose replies differed between the stores, in all that were compared: gaps, "
            "where the other store just lacks keys, decay as the new store warms up; mismatches want an explanation.",
            query(f"{total('instance_name, kind', rate('multistore_differing_pipelines_total'))} "
                  f"/ on (instance_name) group_left {compared}", "{{instance_name}}: {{kind}}"), unit="percentunit"),
        graph(
            "Diffs by command",
            "Replies within pipelines that differed, by the command that got them: the ten most frequent. Reads of "
            "keys that the new store lacks vanish with the warm-up. A write that differs does not: its keys differ.",
            query(f"topk(10, {total('instance_name, command, kind', rate('multistore_differing_replies_total'))})",
                  "{{instance_name}}: {{command}} {{kind}}"), unit="reqps"),
        graph(
            "Method missing",
            "Commands that are neither a known read nor a known write and go to the default store alone. Each one has "
            "to be explained before dual writes: an administrator's CONFIG is harmless, anything that writes is not.",
            query(f"topk(10, {total('instance_name, command', rate(MISSING))})", "{{instance_name}}: {{command}}"),
            unit="reqps"),
    ]


def writes() -> list:
    by_store = "instance_name, store"
    trusted = (f"{metric('multistore_store_trusted')} and on (job, instance, instance_name, store) "
               f"{metric('multistore_default_store')} == 0")
    return [
        graph(
            "Copy failures",
            "Writes that the default store executed and the other one did not, by reason. 'error_reply': read the log "
            "for the store's words (out of memory, missing permission). 'unavailable', 'lost', 'timeout': the store or "
            "the way to it. 'default_unknown': nobody knows whether the default store executed it.",
            query(total(f"{by_store}, reason", rate("multistore_copy_failures_total")),
                  "{{instance_name}} to {{store}}: {{reason}}"), unit="wps", width=6),
        graph(
            "Stale keys",
            "Keys whose last write to the store failed. They are copied again while both stores are up and dual writes "
            "are on. If the number only grows, the store still fails; beyond max_stale_keys it is not trusted.",
            query(total(by_store, metric("multistore_stale_keys")), "{{instance_name}} on {{store}}"), unit="short",
            width=6),
        timeline(
            "Other store trusted",
            "Whether all outdated keys of the store that is not the default are known, by the sidecar that trusts it "
            "least. 'no': reads go to the default store, and /status says since when and why. Empty that store, or "
            "compare it and say multistore-exporter trust.",
            query(f"min by (instance_name) ({trusted})", "{{instance_name}}"), words=YES, width=6, height=8),
        graph(
            "Whole keys copied",
            "Keys that the other store lacked and got whole, and writes that could not be copied at all. Copies of big "
            "keys cost the default store time: see its latency.",
            query(total("instance_name", rate("multistore_key_copies_total")), "{{instance_name}}: copied"),
            query(total("instance_name", rate("multistore_uncopied_writes_total")), "{{instance_name}}: not copied"),
            unit="wps", width=6),
        graph(
            "Backfill and verification",
            "Share of the keys that the last backfill and the last verification have scanned, and differences that the "
            "last verification left. multistore-exporter backfill status and verify report say the rest.",
            query(worst("instance_name, kind", metric("multistore_job_progress_ratio")), "{{instance_name}}: {{kind}}"),
            query(worst("instance_name", metric("multistore_verification_unhealed_differences")),
                  "{{instance_name}}: differences"), unit="short", width=24),
    ]


def stores() -> list:
    by_store = "instance_name, store"
    failed = rate("multistore_commands_total", 'outcome!="ok"')
    return [
        graph(
            "Errors by outcome",
            "Share of the commands sent to a store that did not end well. 'error' is the store's own word and often "
            "the application's fault; 'timeout', 'lost' and 'unavailable' are trouble with the store or the network; "
            "'queue_full' means that it is far too slow.",
            query(f"{total(f'{by_store}, outcome', failed)} / ignoring (outcome) group_left () "
                  f"{total(by_store, rate('multistore_commands_total'))}",
                  "{{instance_name}} {{store}}: {{outcome}}"), unit="percentunit"),
        graph(
            "Latency of the stores, p50 and p99",
            "From handing a command to a store's connection to its reply. A dual write takes as long as both stores "
            "one after the other. If the new store is slower than the old, find out why before it is the default.",
            query(quantile(0.99, by_store), "{{instance_name}} {{store}} p99"),
            query(quantile(0.5, by_store), "{{instance_name}} {{store}} p50"), unit="s"),
        graph(
            "Commands by store",
            "How much each store is asked. Once dual writes are off, the old store's line has to be at 0: what is "
            "still there bypasses the flags.",
            query(total(by_store, rate("multistore_commands_total")), "{{instance_name}} {{store}}"), unit="reqps"),
    ]


def keys() -> list:
    by_store, store = "instance_name, store", "{{instance_name}} {{store}}"
    counted = metric("multistore_store_keys")
    return [
        graph(
            "Keys",
            "Keys in the instance's database on each store, as INFO keyspace has it. The new store comes near the old "
            "one while dual writes are on; what stays missing is never written again.",
            query(worst(by_store, counted), store), unit="short"),
        graph(
            "Keys without a time to live",
            "Keys that never expire. They move only by being written: copy the others before dual writes go off.",
            query(worst(by_store, f"{counted} - {metric('multistore_store_expiring_keys')}"), store), unit="short"),
        graph(
            "Times to live",
            "Average time to live, and the longest one found in samples. Warm-up takes twice the average or so.",
            query(worst(by_store, metric("multistore_store_average_ttl_seconds")), f"{store} average"),
            query(worst(by_store, metric("multistore_store_longest_ttl_seconds")), f"{store} longest"),
            unit="s"),
    ]


def room() -> list:
    dedicated = "multistore_store_dedicated_connections"
    return [
        graph(
            "Event loop busy",
            "Share of time that an instance's thread works, of its busiest sidecar. Near 100 % its clients wait for "
            "each other: add sidecars or split the instance before going on.",
            query(worst("instance_name", rate("multistore_event_loop_busy_seconds_total")), "{{instance_name}}"),
            unit="percentunit", maximum=1, limits=NEARLY_FULL),
        graph(
            "Connections against their limits",
            "Clients, connections that clients have to a store for themselves (blocking commands, WATCH, "
            "subscriptions), and file descriptors, each as a share of its limit, of the fullest sidecar. At 100 % "
            "clients are refused: raise max_clients, max_dedicated_connections or the process' limit.",
            query(worst("instance_name", f"{metric('multistore_client_connections')} / "
                        f"{metric('multistore_client_connections_limit')}"), "{{instance_name}}: clients"),
            query(worst("instance_name, store", f"{metric(dedicated)} / {metric(f'{dedicated}_limit')}"),
                  "{{instance_name}} {{store}}: dedicated"),
            query('max by (job) (process_open_fds{job=~"$job"} / process_max_fds{job=~"$job"})',
                  "{{job}}: file descriptors"),
            unit="percentunit", maximum=1, limits=NEARLY_FULL),
        graph(
            "Lost and suppressed in the log",
            "'lost' lines are gone: the disk is full or the log's reader is stuck. 'suppressed' events were over the "
            "rate limit, as intended; counters have them all.",
            query('sum by (job, reason) (rate(multistore_log_lines_dropped_total{job=~"$job"}[$__rate_interval]))',
                  "{{job}} lost: {{reason}}"),
            query(total("instance_name, class", rate("multistore_events_suppressed_total")),
                  "{{instance_name}} suppressed: {{class}}"),
            unit="cps"),
    ]
