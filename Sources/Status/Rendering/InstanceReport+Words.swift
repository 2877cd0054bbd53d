// Words for an instance's state, the same on the page and in the terminal.

extension InstanceReport.State.Stage {
  /// The stage's name.
  var title: String {
    switch self {
    case .oldOnly: "Old store only"
    case .dualOld: "Dual writes, the old store is the default"
    case .dualNew: "Dual writes, the new store is the default"
    case .newOnly: "New store only"
    }
  }

  /// The stage's short name, for the list of stages.
  var stepTitle: String {
    switch self {
    case .oldOnly: "Observe"
    case .dualOld: "Dual writes"
    case .dualNew: "New default"
    case .newOnly: "New only"
    }
  }
}

extension InstanceReport.State {
  /// The stage's name, unless the flags do not apply.
  var title: String {
    if isPassThrough { return "One store, no migration" }
    return storesAreSame ? "Old store only: both stores are one server" : stage.title
  }

  /// The routing of reads and writes in one sentence.
  var sentence: String {
    if isPassThrough { return "Everything goes to the one store; there is no new store in the configuration." }
    let reads =
      switch self.reads {
      case .primary: "Reads go to the new store"
      case .secondary: "Reads go to the old store"
      case .both, .primaryThenSecondary: "Reads go to the new store, and to the old one for what that lacks"
      }
    let writes =
      switch self.writes {
      case .primary, .secondary: "so do writes"
      case .both, .primaryThenSecondary:
        "writes go to both, and the \(replies == .primary ? "new" : "old") one's reply counts"
      }
    return "\(reads); \(writes)."
  }
}

extension StoreReport {
  /// The store's part in the migration.
  func title(in state: InstanceReport.State) -> String {
    state.isPassThrough ? "Store" : isNew ? "New store" : "Old store"
  }
}

extension NextStep.Answer {
  /// The answer to "is it safe?".
  var title: String {
    switch self {
    case .yes: "Yes"
    case .notYet: "Not yet"
    case .unknown: "Unknown"
    }
  }
}

extension Criterion.Result {
  /// The result's name.
  var title: String {
    switch self {
    case .met: "Met"
    case .notMet: "Not met"
    case .unknown: "Unknown"
    }
  }
}

extension StoreReport.Keyspace {
  /// The number of keys, and how many of them never expire.
  var keysText: String {
    switch (keys, persistentKeys) {
    case (0, _): "none"
    case (_, 0): "\(HumanFormat.count(keys)), all expire"
    case (_, let persistent): "\(HumanFormat.count(keys)), \(HumanFormat.count(persistent)) never expire"
    }
  }

  /// The times to live; nil while none is known.
  var ttlText: String? {
    let parts = [
      averageTTLSeconds.map { "\(HumanFormat.duration($0)) on average" },
      longestTTLSeconds.map { "\(HumanFormat.duration($0)) the longest" },
    ]
    let known = parts.compactMap(\.self)
    return known.isEmpty ? nil : known.joined(separator: ", ")
  }
}

extension StoreReport {
  /// A row of the table of stores, on the page and in the terminal.
  struct Row {
    let title: String
    let value: (StoreReport) -> String
  }

  /// The rows of the table of stores, in their order.
  static func rows(windowSeconds: Double) -> [Row] {
    let window = "last \(HumanFormat.duration(windowSeconds))"
    return [
      Row(title: "Health") { $0.problem.map { "down: \($0)" } ?? "up" },
      Row(title: "Address", value: \.addressText),
      Row(title: "Version") { $0.version ?? "unknown" },
      Row(title: "Mean latency, last minute") { $0.meanLatencySeconds.map(HumanFormat.latency) ?? "no command" },
      Row(title: "Commands, last minute") { $0.commandsPerSecond.map(HumanFormat.rate) ?? "not known yet" },
      Row(title: "In flight") { HumanFormat.count($0.inFlight) },
      Row(title: "Failed commands, \(window)") { HumanFormat.count($0.troubles.failedCommands) },
      Row(title: "Error replies, \(window)") { HumanFormat.count($0.troubles.errorReplies) },
      Row(title: "Connections lost, \(window)") { HumanFormat.count($0.troubles.lostConnections) },
      Row(title: "Failed copies, \(window)") { HumanFormat.count($0.troubles.failedCopies) },
      Row(title: "Trusted", value: \.trustText),
      Row(title: "Stale keys", value: \.staleKeysText),
      Row(title: "Keys") { $0.keyspace?.keysText ?? "unknown" },
      Row(title: "Time to live") { $0.keyspace.map { $0.ttlText ?? "-" } ?? "unknown" },
    ]
  }
}

extension StoreReport {
  /// The address, with a lock if connections are encrypted, and the name of a master that sentinels watch.
  var addressText: String {
    let notes = [encryption, sentinelMaster.map { "Sentinel's \($0)" }].compactMap(\.self).joined(separator: ", ")
    return (encryption == nil ? "" : "🔒 ") + address + (notes.isEmpty ? "" : " (\(notes))")
  }

  /// Whether it is trusted, and if not, since when and why, in few words.
  var trustText: String {
    if isDefault { return "it is the default" }
    return distrust.map { "not since \(HumanFormat.moment(milliseconds: $0.sinceMilliseconds)): \($0.reason)" } ?? "yes"
  }

  /// The number of stale keys, with the age of the oldest.
  var staleKeysText: String {
    let count = HumanFormat.count(staleKeys)
    return oldestStaleSeconds.map { "\(count), the oldest for \(HumanFormat.duration($0))" } ?? count
  }
}

extension StoreReport.Distrust {
  /// The loss, as the end of a sentence that begins with "not".
  var text: String { "trusted since \(HumanFormat.moment(milliseconds: sinceMilliseconds)), because \(explanation)" }
}
