// The report as JSON. Names of fields end in their unit, as those of metrics do.

extension StatusReport {
  /// The report as a JSON object.
  public var json: String {
    JSONText.object([
      "version": JSONText.quote(version),
      "started_timestamp_seconds": JSONText.seconds(milliseconds: startedMilliseconds),
      "taken_timestamp_seconds": JSONText.seconds(milliseconds: takenMilliseconds),
      "window_seconds": JSONText.number(windowSeconds),
      "instances": JSONText.array(instances.map(\.json)),
    ])
  }
}

extension InstanceReport {
  fileprivate var json: String {
    JSONText.object([
      "name": JSONText.quote(name),
      "state": state.json,
      "feature_flags": JSONText.array(
        flags.map { JSONText.object(["name": JSONText.quote($0.name), "on": "\($0.isOn)"]) }
      ),
      "client_connections": JSONText.number(clients),
      "stores": JSONText.array(stores.map(\.json)),
      "history": history.json,
      "jobs": JSONText.array(jobs.map(\.json)),
      "verified_timestamp_seconds": verifiedMilliseconds.map { JSONText.seconds(milliseconds: $0) } ?? "null",
      "hazards": JSONText.array(hazards.map(\.json)),
      "next_step": nextStep?.json ?? "null",
    ])
  }
}

extension InstanceReport.State {
  fileprivate var json: String {
    JSONText.object([
      "state": "\(stage.rawValue)",
      "title": JSONText.quote(title),
      "pass_through": "\(isPassThrough)",
      "same_store": "\(storesAreSame)",
      "reads": JSONText.quote(reads.rawValue),
      "writes": JSONText.quote(writes.rawValue),
      "replies": JSONText.quote(replies.rawValue),
      "since_timestamp_seconds": JSONText.seconds(milliseconds: sinceMilliseconds),
    ])
  }
}

extension InstanceReport.Hazard {
  fileprivate var json: String {
    JSONText.object([
      "hazard": JSONText.quote(name),
      "hazard_description": JSONText.quote(sentence),
      "commands": JSONText.array(commands.map(JSONText.quote)),
      "count": JSONText.number(count),
    ])
  }
}

extension StoreReport {
  fileprivate var json: String {
    JSONText.object([
      "store": JSONText.quote(role.rawValue),
      "default": "\(isDefault)",
      "up": "\(problem == nil)",
      "problem": JSONText.quote(problem),
      "address": JSONText.quote(address),
      "encryption": JSONText.quote(encryption),
      "sentinel_master": JSONText.quote(sentinelMaster),
      "server_version": JSONText.quote(version),
      "mean_latency_seconds": JSONText.number(meanLatencySeconds),
      "commands_per_second": JSONText.number(commandsPerSecond),
      "in_flight_commands": JSONText.number(inFlight),
      "failed_commands": JSONText.number(troubles.failedCommands),
      "error_replies": JSONText.number(troubles.errorReplies),
      "lost_connections": JSONText.number(troubles.lostConnections),
      "failed_copies": JSONText.number(troubles.failedCopies),
      "stale_keys": JSONText.number(staleKeys),
      "oldest_stale_key_seconds": JSONText.number(oldestStaleSeconds),
      "trusted": isDefault ? "null" : "\(distrust == nil)",
      "not_trusted_reason": JSONText.quote(distrust?.reason),
      "not_trusted_since_timestamp_seconds": distrust.map { JSONText.seconds(milliseconds: $0.sinceMilliseconds) }
        ?? "null",
      "keys": JSONText.number(keyspace?.keys),
      "expiring_keys": JSONText.number(keyspace?.expiringKeys),
      "average_ttl_seconds": JSONText.number(keyspace?.averageTTLSeconds),
      "longest_ttl_seconds": JSONText.number(keyspace?.longestTTLSeconds),
    ])
  }
}

extension HistoryReport {
  fileprivate var json: String {
    func values(_ value: (Point) -> Double?) -> String {
      JSONText.array(points.map { JSONText.number(value($0)) })
    }
    return JSONText.object([
      "interval_seconds": JSONText.number(intervalSeconds),
      "fallback_ratio": values(\.fallbackRatio),
      "diff_ratio": values(\.diffRatio),
      "commands_per_second": values(\.commandsPerSecond),
      "primary_reads": JSONText.number(totals.primaryReads),
      "fallback_reads": JSONText.number(totals.fallbackReads),
      "true_misses": JSONText.number(totals.trueMisses),
      "compared_pipelines": JSONText.number(totals.comparedPipelines),
      "differing_pipelines": JSONText.number(totals.differingPipelines),
      "persistent_diffs": JSONText.number(totals.persistentDiffs),
      "methods_missing": JSONText.number(totals.methodsMissing),
    ])
  }
}

extension NextStep {
  fileprivate var json: String {
    JSONText.object([
      "step": JSONText.quote(kind.rawValue),
      "title": JSONText.quote(kind.title),
      "safe": JSONText.quote(answer.rawValue),
      "command": JSONText.quote(command),
      "criteria": JSONText.array(criteria.map(\.json)),
    ])
  }
}

extension Criterion {
  fileprivate var json: String {
    JSONText.object([
      "criterion": JSONText.quote(name.rawValue),
      "result": JSONText.quote(result.rawValue),
      "measured": JSONText.quote(measured),
      "wanted": JSONText.quote(threshold),
      "advice": JSONText.quote(advice),
    ])
  }
}
