internal import CoreMetrics
internal import EventLoop

/// Compares keys that were written to both stores once they have been quiet for a while, and has those copied that
/// differ: several sidecars may have written one in different orders. The last sidecar to write a key is the last to
/// compare it. Loop-confined.
final class SettledChecks {
  /// The time without a write after which a key is compared, in nanoseconds: longer than a copy takes.
  static let quietNanoseconds: UInt64 = 2_000_000_000

  private unowned let database: Database
  private var pace: KeyPace
  private var timer: LoopTimer?

  init(of database: Database, perSecond: Int) {
    self.database = database
    pace = KeyPace(keysPerSecond: perSecond)
  }

  func close() {
    timer?.close()
    timer = nil
    leaveKeysToSuccessor()
  }

  /// Marks the keys that were not compared as stale, so that the next process copies them.
  private func leaveKeysToSuccessor() {
    let flip = database.instance.routingState.flip
    guard flip.current.isDual else { return }
    let other = database.store(flip.current.defaultStore.other)
    while let key = database.quietKeys.takeAny() { other.markStale(key: key, because: .unchecked) }
  }

  /// Compares the keys that are due, for as long as the bounds permit. Called periodically.
  func proceed() {
    while isPossible, database.quietKeys.count > 0 {
      let now = database.loop.now
      guard pace.mayBegin(now: now, isHurried: false) else {
        // The end of a comparison calls this too.
        if let pause = pace.pause(now: now) { proceed(after: pause) }
        return
      }
      guard let key = database.quietKeys.takeDue(now: now, quiet: Self.quietNanoseconds) else { return }
      pace.began()
      KeyComparison(of: key, in: database) { [weak self] in self?.compared($0, $1) }.begin()
    }
  }

  private func compared(_ comparison: KeyComparison, _ outcome: KeyComparisonOutcome) {
    pace.ended(bytes: 0)
    database.metrics.settledChecks.ended(outcome)
    if outcome == .different {
      // The queue copies the key, which is compared again afterwards.
      database.store(database.defaultStore.role.other).markStale(key: comparison.key, because: .difference)
      database.instance.keyQueue.wake()
    }
    proceed()
  }

  private func proceed(after pause: Duration) {
    let timer = timer ?? LoopTimer(on: database.loop) { [unowned self] in proceed() }
    self.timer = timer
    timer.schedule(after: pause)
  }

  /// Whether both stores can be asked, and all other differences are known.
  private var isPossible: Bool {
    let flip = database.instance.routingState.flip
    return flip.isSettled && flip.current.isDual && database.stores.allSatisfy(\.ordinary.takesCommands)
      && !database.store(flip.current.defaultStore.other).stale.isDistrusted
  }
}
