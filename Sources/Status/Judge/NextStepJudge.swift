/// Determines the next step of a migration and whether it is safe: the criteria of the runbook, each with its
/// measurement and its threshold. It decides by its evidence alone, and prevents nothing.
///
/// A violation counts at once. The absence of one counts only after a whole window in the present state.
package struct NextStepJudge {
  /// The largest share of reads that may still fall back to the old store. GitLab's operators took the step when their
  /// counter of fallbacks had almost stopped.
  static let fallbackRatioLimit = 0.001
  /// The number of reads below which such a small share means nothing.
  static let leastReads = 1000.0
  /// The largest share of pipelines that may still differ: few enough to examine each in the log.
  static let diffRatioLimit = 0.01
  /// The number of average times to live that dual writes have to last, by GitLab's runbook.
  static let averageTTLFactor = 2.0
  /// The share of the old store's number of keys that the new one has to have: the two expire keys at different times.
  static let keyShare = 0.99
  /// The time that a state has to last before a step that can't be taken back: in a day every daily job runs once.
  static let soakSeconds = 86_400.0

  let evidence: NextStepEvidence

  /// Creates a judge.
  package init(evidence: NextStepEvidence) {
    self.evidence = evidence
  }

  /// The next step; nil for an instance with one store.
  package var nextStep: NextStep? {
    guard !evidence.state.isPassThrough else { return nil }
    let kind: NextStep.Kind =
      switch evidence.state.stage {
      case .oldOnly: .dualWriteOn
      case .dualOld: .defaultOn
      case .dualNew: .dualWriteOff
      case .newOnly: .removeOldStore
      }
    return NextStep(kind: kind, criteria: criteria(for: kind), command: command(for: kind))
  }

  private func criteria(for kind: NextStep.Kind) -> [Criterion] {
    switch kind {
    case .dualWriteOn: [differentServers, storesUp, methodMissing, newStoreEmpty, trusted]
    case .defaultOn: [differentServers, storesUp, methodMissing] + agreement + warmth + [verified]
    case .dualWriteOff: [storesUp, methodMissing] + agreement + warmth + [verified, soak]
    case .removeOldStore: [storesUp, oldStoreIdle, soak]
    }
  }

  /// The criteria for both stores having the same values.
  private var agreement: [Criterion] {
    [trusted, copyFailures, staleKeys, diffs] + (evidence.fallsBack ? [fallbackRatio] : [])
  }

  /// The criteria for the new store having the old one's keys.
  private var warmth: [Criterion] {
    evidence.isBackfilled || evidence.verifiedSeconds != nil ? [backfilled] : [warmUp, keysWithoutTTL, keyCounts]
  }

  private func command(for kind: NextStep.Kind) -> String {
    func set(_ flag: String, _ value: Bool) -> String { "multistore-exporter feature set \(flag) \(value)" }
    switch kind {
    case .dualWriteOn: return set(evidence.dualWriteFlag, true)
    case .defaultOn: return set(evidence.primaryAsDefaultFlag, true)
    case .dualWriteOff: return set(evidence.dualWriteFlag, false)
    case .removeOldStore: return "multistore-exporter check-config --config.file=FILE"
    }
  }
}
