// Criteria that depend on the recent counts.

extension NextStepJudge {
  /// The length of a window, such as `15 min`.
  static let windowText = HumanFormat.duration(SampleHistory.length / .seconds(1))

  private var counts: InstanceCounts { evidence.window.whole.counts }

  /// The time that the counts cover: `in the last 3 min`.
  private var lately: String {
    "in the last \(HumanFormat.duration(evidence.window.isFull ? SampleHistory.length / .seconds(1) : watchedSeconds))"
  }

  private var watchedSeconds: Double { min(evidence.window.whole.seconds, evidence.stateSeconds) }

  /// Returns a criterion on the absence of an event, which is unknown until the window is full.
  private func watched(
    _ name: Criterion.Name,
    _ isGood: Bool,
    measured: String,
    threshold: String,
    advice: String
  ) -> Criterion {
    let result: Criterion.Result = !isGood ? .notMet : evidence.window.isFull ? .met : .unknown
    let wait =
      "Watched in this state for \(HumanFormat.duration(watchedSeconds)) of \(Self.windowText) so far: wait."
    return Criterion(
      name,
      result,
      measured: measured,
      threshold: threshold,
      advice: result == .unknown ? wait : advice
    )
  }

  var storesUp: Criterion {
    let isNewAlone = evidence.state.stage == .newOnly
    let needed = isNewAlone ? [evidence.new] : [evidence.old, evidence.new]
    let stores = isNewAlone ? [counts.new] : [counts.old, counts.new]
    let down = needed.compactMap { store in
      store.problem.map { "the \(store.isNew ? "new" : "old") store is down: \($0)" }
    }
    let lost = stores.reduce(0) { $0 + $1.lostConnections }
    let failed = stores.reduce(0) { $0 + $1.failedCommands }
    let up = isNewAlone ? "the new store is up" : "both are up"
    return watched(
      .storesUp,
      down.isEmpty && lost + failed == 0,
      measured: down.isEmpty
        ? "\(up); \(HumanFormat.count(lost, "connection")) lost and "
          + "\(HumanFormat.count(failed, "command")) failed \(lately)"
        : down.joined(separator: "; "),
      threshold: "up, nothing lost or failed in \(Self.windowText)",
      advice: "Look at the store and at the way to it: the log's \"Store unavailable\" and StoreError say why."
    )
  }

  var methodMissing: Criterion {
    watched(
      .methodMissing,
      counts.methodsMissing == 0,
      measured: "\(HumanFormat.count(counts.methodsMissing, "unlisted command")) \(lately)",
      threshold: "none in \(Self.windowText)",
      advice: "The default store alone executes these: find out who sends them, by the inventory and the log's "
        + "MethodMissingError."
    )
  }

  var copyFailures: Criterion {
    let failed = counts.old.failedCopies + counts.new.failedCopies
    return watched(
      .copyFailures,
      failed == 0,
      measured: "\(HumanFormat.count(failed, "write")) failed on the other store \(lately)",
      threshold: "none in \(Self.windowText)",
      advice: "The other store lacks these writes: the reasons are in multistore_copy_failures_total, and the log's "
        + "StoreError has the commands."
    )
  }

  /// Whether keys that the other store lacks count: only before the new store becomes the default without a fallback,
  /// where no other criterion shows what reads will miss after the step. With a fallback, `fallback_ratio` shows it;
  /// and keys that the old store lacks do not matter for leaving it.
  private var gapsCount: Bool { evidence.state.stage == .dualOld && !evidence.fallsBack }

  var diffs: Criterion {
    let differing = gapsCount ? \InstanceCounts.differingPipelines : \.mismatchingPipelines
    let (older, younger) = (evidence.window.older.counts, evidence.window.younger.counts)
    let ratio = Self.ratio(younger[keyPath: differing], of: younger.comparedPipelines)
    let before = Self.ratio(older[keyPath: differing], of: older.comparedPipelines)
    let compared = counts.comparedPipelines
    let gaps = counts.differingPipelines - counts.mismatchingPipelines
    let leftOut = gapsCount || gaps <= 0 ? "" : "; \(HumanFormat.count(gaps)) more only lack keys"
    return watched(
      .diffs,
      ratio <= min(before, Self.diffRatioLimit) || younger[keyPath: differing] == 0,
      measured: compared == 0
        ? "no pipeline was compared \(lately)"
        : "\(HumanFormat.count(counts[keyPath: differing])) of \(HumanFormat.count(compared, "pipeline")) differed "
          + "\(lately), at last \(HumanFormat.percent(ratio))\(leftOut)",
      threshold: "no larger share in the second half of \(Self.windowText) than in the first, and at most "
        + HumanFormat.percent(Self.diffRatioLimit),
      advice: gapsCount
        ? "The log's PipelinedDiffError says which commands differ; as long as keys are missing on the new store this "
          + "decays, and what stays wants an explanation."
        : "The stores have different values: the log's PipelinedDiffError says for which commands. Find out why, and "
          + "write or copy these keys."
    )
  }

  var fallbackRatio: Criterion {
    let (reads, fallbacks) = (counts.primaryReads, counts.fallbackReads)
    let ratio = Self.ratio(fallbacks, of: reads)
    let isOver = fallbacks > Self.fallbackRatioLimit * max(reads, Self.leastReads)
    var criterion = watched(
      .fallbackRatio,
      !isOver,
      measured: reads == 0
        ? "no read \(lately)"
        : "\(HumanFormat.percent(ratio)): \(HumanFormat.count(fallbacks)) of \(HumanFormat.count(reads, "read")) "
          + lately,
      threshold: "at most \(HumanFormat.percent(Self.fallbackRatioLimit)) of at least "
        + "\(HumanFormat.count(Self.leastReads)) reads",
      advice: "The new store still lacks keys that are read: wait until they have been written, or copy them."
    )
    if criterion.result == .met, reads < Self.leastReads {
      criterion.result = .unknown
      criterion.advice = "Too few reads to tell: wait for a busier time, or judge by the stores' keys."
    }
    return criterion
  }

  var oldStoreIdle: Criterion {
    watched(
      .oldStoreIdle,
      counts.old.commands == 0,
      measured: "\(HumanFormat.count(counts.old.commands, "command")) went to it from here \(lately)",
      threshold: "none in \(Self.windowText), and none from elsewhere",
      advice: "Something still uses it: look at its CLIENT LIST, also for clients that do not come through the sidecar."
    )
  }

  private static func ratio(_ part: Double, of whole: Double) -> Double { whole > 0 ? part / whole : 0 }
}
