internal import MultiStore
internal import Status

/// Says what the next step of a migration is, and whether it is safe: the criteria of the runbook, each with what was
/// found and what is wanted. It decides by its evidence alone, and refuses nothing.
///
/// What is seen to be wrong is told at once. That something did not happen is told only when it was watched for a whole
/// window in the present state.
struct NextStepJudge {
  /// Reads that may still need the old store, as a share of those that the new one was asked for. GitLab's operators
  /// went on when their counter of fallbacks had all but come to rest.
  static let fallbackRatioLimit = 0.001
  /// Fewer reads than this say nothing about such a small share.
  static let leastReads = 1000.0
  /// Pipelines that may still differ: few enough to look at each in the log.
  static let diffRatioLimit = 0.01
  /// How often the average time to live has to have gone by, by GitLab's runbook.
  static let averageTTLFactor = 2.0
  /// Keys that the new store has to have of the old one's: both expire them when they like.
  static let keyShare = 0.99
  /// How long a state has to last before a step that can't be taken back: a day has all the jobs of a day.
  static let soakSeconds = 86_400.0

  let evidence: NextStepEvidence

  /// The next step; nil where there is one store only.
  var nextStep: NextStep? {
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
    case .dualWriteOn: [differentServers, storesUp, methodMissing, newStoreEmpty]
    case .defaultOn: [differentServers, storesUp, methodMissing] + agreement + warmth
    case .dualWriteOff: [storesUp, methodMissing] + agreement + warmth + [soak]
    case .removeOldStore: [storesUp, oldStoreIdle, soak]
    }
  }

  /// Whether both stores get and say the same.
  private var agreement: [Criterion] {
    [copyFailures, staleKeys, diffs] + (evidence.fallsBack ? [fallbackRatio] : [])
  }

  /// Whether the new store has what the old one has.
  private var warmth: [Criterion] { [warmUp, keysWithoutTTL, keyCounts] }

  private func command(for kind: NextStep.Kind) -> String {
    func set(_ flag: FeatureFlag, _ value: Bool) -> String {
      "multistore-exporter feature set \(flag.name(instance: evidence.instance)) \(value)"
    }
    switch kind {
    case .dualWriteOn: return set(.dualWrite, true)
    case .defaultOn: return set(.primaryAsDefault, true)
    case .dualWriteOff: return set(.dualWrite, false)
    case .removeOldStore: return "multistore-exporter check-config --config.file=FILE"
    }
  }
}
