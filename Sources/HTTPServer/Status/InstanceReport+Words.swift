// What an instance's state is called, the same on the page and in the terminal.

extension InstanceReport.State.Stage {
  /// The state by its name.
  var title: String {
    switch self {
    case .oldOnly: "Old store only"
    case .dualOld: "Dual writes, the old store is the default"
    case .dualNew: "Dual writes, the new store is the default"
    case .newOnly: "New store only"
    }
  }

  /// The state as one stage of the way.
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
  /// The state by its name, with what overrules it.
  var title: String {
    if isPassThrough { return "One store, no migration" }
    return storesAreSame ? "Old store only: both stores are one server" : stage.title
  }

  /// Where everything goes, in one sentence.
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
  /// The store by its part in the migration.
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
  /// The result by its name.
  var title: String {
    switch self {
    case .met: "Met"
    case .notMet: "Not met"
    case .unknown: "Unknown"
    }
  }
}

extension StoreReport.Keyspace {
  /// How many keys there are, and how many of them expire.
  var keysText: String {
    switch (keys, persistentKeys) {
    case (0, _): "none"
    case (_, 0): "\(HumanFormat.count(keys)), all expire"
    case (_, let persistent): "\(HumanFormat.count(keys)), \(HumanFormat.count(persistent)) never expire"
    }
  }

  /// How long keys live; nil while nobody knows.
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
  /// One row of the figures that both the page and the terminal show.
  struct Row {
    let title: String
    let value: (StoreReport) -> String
  }

  /// What is told of a store, in this order.
  static func rows(windowSeconds: Double) -> [Row] {
    let window = "last \(HumanFormat.duration(windowSeconds))"
    return [
      Row(title: "Health") { $0.problem.map { "down: \($0)" } ?? "up" },
      Row(title: "Address", value: \.address),
      Row(title: "Version") { $0.version ?? "unknown" },
      Row(title: "Mean latency, last minute") { $0.meanLatencySeconds.map(HumanFormat.latency) ?? "no command" },
      Row(title: "Commands, last minute") { $0.commandsPerSecond.map(HumanFormat.rate) ?? "not known yet" },
      Row(title: "In flight") { HumanFormat.count($0.inFlight) },
      Row(title: "Failed commands, \(window)") { HumanFormat.count($0.troubles.failedCommands) },
      Row(title: "Error replies, \(window)") { HumanFormat.count($0.troubles.errorReplies) },
      Row(title: "Connections lost, \(window)") { HumanFormat.count($0.troubles.lostConnections) },
      Row(title: "Failed copies, \(window)") { HumanFormat.count($0.troubles.failedCopies) },
      Row(title: "Stale keys") {
        $0.staleKeysOverflowed ? "more than are remembered" : HumanFormat.count($0.staleKeys)
      },
      Row(title: "Keys") { $0.keyspace?.keysText ?? "unknown" },
      Row(title: "Time to live") { $0.keyspace.map { $0.ttlText ?? "-" } ?? "unknown" },
    ]
  }
}
