// Criteria that depend on the present state.

extension NextStepJudge {
  /// The advice for a store whose keys are not known.
  private static let askForKeys =
    "Nothing is known of the keys: the store has to be up, and its user to be allowed INFO, RANDOMKEY and PTTL."

  var differentServers: Criterion {
    let isKnown = evidence.old.version != nil && evidence.new.version != nil
    let result: Criterion.Result = evidence.state.storesAreSame ? .notMet : isKnown ? .met : .unknown
    return Criterion(
      .differentServers,
      result,
      measured: evidence.state.storesAreSame
        ? "both stores are one server and database" : isKnown ? "two servers, or two databases" : "not known yet",
      threshold: "not one server and database",
      advice: evidence.state.storesAreSame
        ? "Every INCR would count double, so both flags count as off: give the primary another address."
        : "Both stores have to have been connected, and their users to be allowed INFO."
    )
  }

  var newStoreEmpty: Criterion {
    let keys = evidence.new.keyspace.map { $0.keys + $0.keysElsewhere }
    return Criterion(
      .newStoreEmpty,
      keys.map { $0 == 0 ? .met : .notMet } ?? .unknown,
      measured: keys.map { HumanFormat.count($0, "key") } ?? "not known",
      threshold: "no key, or only what was copied there on purpose",
      advice: keys == nil
        ? Self.askForKeys
        : "What is there from earlier would be read as if it were fresh: empty the new store, unless the keys were "
          + "copied there just now."
    )
  }

  var trusted: Criterion {
    let other = evidence.state.replies == .primary ? evidence.old : evidence.new
    let name = other.isNew ? "new" : "old"
    // After a forced move the store that was left may have the right values.
    let mayEmpty = other.isNew ? "empty that store, or " : ""
    return Criterion(
      .trusted,
      other.distrust == nil ? .met : .notMet,
      measured: "the \(name) store is \(other.distrust.map { "not \($0.text)" } ?? "trusted")",
      threshold: "every key that is outdated there is known",
      advice:
        "Reads go to the default store meanwhile, and keys are copied whole. To end it, \(mayEmpty)compare it with "
        + "the default store, and run multistore-exporter trust --store \(other.role.rawValue)."
    )
  }

  var staleKeys: Criterion {
    let stores = [evidence.old, evidence.new]
    let keys = stores.reduce(0) { $0 + $1.staleKeys }
    let oldest = stores.compactMap(\.oldestStaleSeconds).max().map { ", the oldest for \(HumanFormat.duration($0))" }
    return Criterion(
      .staleKeys,
      keys == 0 ? .met : .notMet,
      measured: HumanFormat.count(keys, "key") + (oldest ?? ""),
      threshold: "none",
      advice: "The last write of these keys failed on a store. They are copied again while both stores are up and dual "
        + "writes are on, key_work_rate in a second: wait. multistore-exporter stale list says which they are, and why."
    )
  }

  var warmUp: Criterion {
    let been = HumanFormat.duration(evidence.dualSeconds)
    func criterion(_ result: Criterion.Result, _ threshold: String, _ advice: String) -> Criterion {
      Criterion(
        .warmUp,
        result,
        measured: "writes have gone to both for \(been)",
        threshold: threshold,
        advice: advice
      )
    }
    guard let keyspace = evidence.old.keyspace else {
      return criterion(.unknown, "as long as the old store's keys live", Self.askForKeys)
    }
    if keyspace.expiringKeys == 0 {
      return criterion(.met, "no time: no key of the old store expires", "")
    }
    let times = [keyspace.longestTTLSeconds, keyspace.averageTTLSeconds.map { $0 * Self.averageTTLFactor }]
    guard let wanted = times.compactMap(\.self).max() else {
      return criterion(.unknown, "as long as the old store's keys live", Self.askForKeys)
    }
    let isLongest = keyspace.longestTTLSeconds == wanted
    let left = HumanFormat.duration(wanted - evidence.dualSeconds)
    return criterion(
      evidence.dualSeconds >= wanted ? .met : .notMet,
      "\(HumanFormat.duration(wanted)): "
        + (isLongest ? "the longest time to live found in the old store" : "twice its keys' average time to live"),
      "Keys from before that are not written again are on the old store alone until they expire: wait for \(left). "
        + "A restart of the sidecar or of a store restarts the count."
    )
  }

  var keysWithoutTTL: Criterion {
    compare(
      .keysWithoutTTL,
      \.persistentKeys,
      share: 1,
      what: "that never expire",
      threshold: "as many on the new store as on the old one",
      advice:
        "Keys without a time to live move only when they are written: copy the others by other means, unless they "
        + "belong to another application that shares the old store."
    )
  }

  var keyCounts: Criterion {
    compare(
      .keyCounts,
      \.keys,
      share: Self.keyShare,
      what: "in all",
      threshold: "on the new store at least \(HumanFormat.percent(Self.keyShare)) of the old one's",
      advice:
        "The old store has keys that the new one lacks: wait until they expire, or copy them, unless they belong to "
        + "another application that shares the old store."
    )
  }

  private func compare(
    _ name: Criterion.Name,
    _ figure: (StoreReport.Keyspace) -> Double,
    share: Double,
    what: String,
    threshold: String,
    advice: String
  ) -> Criterion {
    guard let old = evidence.old.keyspace.map(figure), let new = evidence.new.keyspace.map(figure) else {
      return Criterion(name, .unknown, measured: "not known", threshold: threshold, advice: Self.askForKeys)
    }
    return Criterion(
      name,
      new >= old * share ? .met : .notMet,
      measured: "\(HumanFormat.count(old, "key")) \(what) on the old store, \(HumanFormat.count(new)) on the new one",
      threshold: threshold,
      advice: advice
    )
  }

  var soak: Criterion {
    let left = HumanFormat.duration(Self.soakSeconds - evidence.stateSeconds)
    return Criterion(
      .soak,
      evidence.stateSeconds >= Self.soakSeconds ? .met : .notMet,
      measured: HumanFormat.duration(evidence.stateSeconds),
      threshold: "at least \(HumanFormat.duration(Self.soakSeconds))",
      advice: "Let every job of a day run once, as long as there is a way back: wait for \(left). A restart of the "
        + "sidecar restarts the count."
    )
  }
}
