/// Trust in a store as a whole. Each of its databases has a copy of it, so that a command checks one place.
extension StoreFamily {
  /// Ends the trust in the store: unknown keys may be outdated on it. The first reason stays until the store is trusted
  /// again, unless the store is another process: then it may also lack the keys that it alone had.
  func distrust(because loss: TrustLoss, now: Int64) {
    guard trust.isTrusted || loss == .anotherProcess && !mayHaveLostKeys else { return trustWasLostAgain() }
    set(.lost(loss, sinceMilliseconds: now))
  }

  /// Trusts the store: all keys that are outdated on it are known.
  func becomeTrusted() {
    guard !trust.isTrusted else { return }
    set(.trusted)
  }

  /// Whether the store may have older values than before: its keys are not copied to the default store, where they are
  /// stale.
  var mayHaveLostKeys: Bool { trust.loss == .anotherProcess }

  /// Clears all marks and trusts the store: it was emptied, and is the default one or that was emptied as well.
  func wasEmptied() {
    forEach { $0.clearAllStale() }
    becomeTrusted()
  }

  /// Restores the state of the last process, which is not recorded as a change.
  func restoreTrust(_ trust: StoreTrust) {
    self.trust = trust
    forEach { $0.stale.isDistrusted = !trust.isTrusted }
  }

  /// Records the store's server, as ``ServerIdentity/process`` names it.
  func wasIdentified(_ runID: String) {
    guard runID != lastRunID else { return }
    lastRunID = runID
    recorder?.append(.identified(role, runID: runID))
  }

  private func set(_ trust: StoreTrust) {
    self.trust = trust
    forEach { $0.stale.isDistrusted = !trust.isTrusted }
    recorder?.append(.trust(role, trust))
    trustDidChange(self)
  }
}
