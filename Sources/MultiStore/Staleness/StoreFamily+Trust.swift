/// Trust in a store as a whole. Each of its databases knows of it, so that a command looks at one place.
extension StoreFamily {
  /// Keys may be outdated on the store that are not known. The first reason stays until the store is trusted again.
  func distrust(because loss: TrustLoss, now: Int64) {
    guard trust.isTrusted else { return }
    set(.lost(loss, sinceMilliseconds: now))
  }

  /// All keys that are outdated on the store are known.
  func becomeTrusted() {
    guard !trust.isTrusted else { return }
    set(.trusted)
  }

  /// The store was emptied, as the default one was: nothing differs.
  func wasEmptied() {
    forEach { $0.clearAllStale() }
    becomeTrusted()
  }

  /// The state of the last process, which is no change.
  func restoreTrust(_ trust: StoreTrust) {
    self.trust = trust
    forEach { $0.stale.isDistrusted = !trust.isTrusted }
  }

  private func set(_ trust: StoreTrust) {
    self.trust = trust
    forEach { $0.stale.isDistrusted = !trust.isTrusted }
    recorder?.append(.trust(role, trust))
    trustDidChange(self)
  }
}
