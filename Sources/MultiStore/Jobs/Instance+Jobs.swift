internal import CoreMetrics
internal import Logging

/// Jobs on whole keys, and what a verification proves.
extension Instance {
  /// Starts a job. One at a time may be under way.
  ///
  /// - Parameter who: the operator's name, for the log.
  public func startJob(_ request: KeyJobRequest, who: String) throws(KeyJobRefusal) {
    loop.preconditionOnLoop()
    // A job that is started right after a flip has its direction.
    applyFlags()
    // The cause for which copies of stale keys failed may be gone: the job should not find them stale.
    for store in databases.all.flatMap(\.stores) { store.stale.retryAll() }
    keyQueue.wake()
    try jobs.start(request, who: who)
  }

  /// Changes the job of a kind.
  ///
  /// - Parameter who: the operator's name, for the log.
  public func changeJob(_ kind: KeyJobKind, _ change: KeyJobChange, who: String) throws(KeyJobRefusal) {
    loop.preconditionOnLoop()
    applyFlags()
    try jobs.change(kind, change, who: who)
  }

  /// The progress of the last job of each kind.
  public var jobProgress: [KeyJobProgress] {
    loop.preconditionOnLoop()
    return jobs.progress
  }

  /// Notes that a verification of all keys has found no difference, while nothing happened that makes it worthless.
  /// Both stores are trusted again.
  func verified(defaultStore role: StoreRole) {
    guard routingState.flip.current.isDual else { return }
    setVerified(loop.wallClockMilliseconds)
    // The values of keys that are stale on the default store may be gone from there: the operator decides.
    guard !family(role.other).mayHaveLostKeys || family(role).staleKeyCount == 0 else { return }
    for family in families where !family.trust.isTrusted {
      logger.notice(
        "Store trusted again: a verification found both stores equal",
        metadata: ["instance_name": "\(configuration.name)", "store": "\(family.role.label)"]
      )
      family.becomeTrusted()
    }
  }

  /// Notes an event after which keys may differ that no verification has seen.
  func mayDiffer() {
    epoch += 1
    foundLastingDifference()
  }

  /// Notes a difference that is not being mended: what an earlier verification has proved is not so any more. The one
  /// that is under way goes on.
  func foundLastingDifference() {
    jobs.keysMayDiffer()
    if verifiedMilliseconds != nil { setVerified(nil) }
  }

  /// The keys of a database that can't all have expired on one store alone, which may happen a moment earlier.
  private static let fewestLostKeys = 10
  /// A database was emptied while dual write was off if it has less than this part of the keys when that begins again:
  /// the rest were on their way. At other times only one without a key was emptied, since a store may also evict keys.
  private static let leastPart = 10

  /// Whether a job tells that the other store has keys.
  private var hasResultsOfJobs: Bool { verifiedMilliseconds != nil || jobs.haveFoundKeys }

  /// Looks whether a database of the other store has hardly any of the keys that a job has found there, and that the
  /// default store has. When dual write begins, the question is ahead of the first copy.
  ///
  /// - Parameter dualWriteBegins: whether dual write was off until now.
  func lookForEmptiedStore(dualWriteBegins: Bool = false) {
    let dualWriteBegins = dualWriteBegins || owedLookForEmptiedStore == true
    owedLookForEmptiedStore = nil
    guard hasResultsOfJobs else { return }
    // Before the question: what is copied after it has no part in the answer.
    let (isVerified, foundKeys) = (verifiedMilliseconds != nil, jobs.foundKeys())
    DatabaseSurvey.begin(of: self) { [unowned self] found in
      guard let found else { return owedLookForEmptiedStore = dualWriteBegins }
      guard let expected = found[defaultRole], let others = found[defaultRole.other] else { return }
      let isEmptied = expected.databases.contains { number, keys in
        guard let keys = keys?.keys, keys >= Self.fewestLostKeys, let left = others[number]?.keys else { return false }
        let known = isVerified ? keys : min(keys, foundKeys(number))
        return left == 0 ? known > 0 : dualWriteBegins && left * Self.leastPart < known
      }
      if isEmptied { otherStoreWasEmptied() }
    }
  }

  /// Looks again if a store did not answer, or was busy, once both take commands. Called periodically.
  func lookAgainForEmptiedStore() {
    guard owedLookForEmptiedStore != nil, routingState.flip.current.isDual,
      families.allSatisfy({ $0.first.ordinary.takesCommands })
    else { return }
    lookForEmptiedStore()
  }

  /// Notes that a database of the other store has been emptied: the results of earlier jobs are void.
  private func otherStoreWasEmptied() {
    guard hasResultsOfJobs else { return }
    logger.warning(
      "Store was emptied: the last backfill and verification count no more, and one under way begins again",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(defaultRole.other.label)",
        "hint": "backfill and verify again before the next step",
      ]
    )
    mayDiffer()
    jobs.storeMayHaveLostKeys()
  }

  /// The run IDs of both servers, as far as they are known.
  var runIDs: [StoreRole: String] {
    var found: [StoreRole: String] = [:]
    for family in families { found[family.role] = family.lastRunID }
    return found
  }

  private func setVerified(_ milliseconds: Int64?) {
    verifiedMilliseconds = milliseconds
    status.set(verifiedMilliseconds: milliseconds)
    metrics.jobs.verifiedAt.record(Double(milliseconds ?? 0) / 1e3)
    recorder?.append(.verified(sinceMilliseconds: milliseconds))
  }

  /// Restores the result of a verification of the last process.
  func restoreVerified(_ milliseconds: Int64?) {
    verifiedMilliseconds = milliseconds
    status.set(verifiedMilliseconds: milliseconds)
    metrics.jobs.verifiedAt.record(Double(milliseconds ?? 0) / 1e3)
  }
}
