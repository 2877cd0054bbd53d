internal import CoreMetrics
internal import EventLoop

/// Compares keys that were written to both stores once they have been quiet for a while, and has those copied that
/// differ: several sidecars may have written one in different orders. The last sidecar to write a key is the last to
/// compare it. Loop-confined.
final class SettledChecks {
  private unowned let database: Database
  /// The time without a write after which a key is compared, in nanoseconds.
  private let quiet: UInt64
  private let heals: Bool
  private var rounds: CheckRounds
  private var timer: LoopTimer?
  /// The keys of the round in flight.
  private var round: [[UInt8]] = []

  init(of database: Database) {
    self.database = database
    let configuration = database.configuration
    quiet = UInt64(configuration.settledCheckDelay / .nanoseconds(1))
    heals = configuration.healsSettledDifferences
    rounds = CheckRounds(keysPerSecond: configuration.settledChecksPerSecond)
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
    for key in round { other.markStale(key: key, because: .unchecked) }
    while let key = database.quietKeys.takeAny() { other.markStale(key: key, because: .unchecked) }
  }

  /// Compares the keys that are due, if a round may begin. Called periodically.
  func proceed() {
    let rejected = database.quietKeys.takeRejected()
    if rejected > 0 { database.metrics.settledChecks.unchecked.increment(by: rejected) }
    let now = database.loop.now
    guard rounds.mayBegin(now: now), isPossible else { return }
    let keys = takeDue(now: now)
    guard !keys.isEmpty else { return }
    rounds.began(keys.count, now: now)
    round = keys
    KeyComparison(of: keys, in: database, expectsEqual: true) { [weak self] in self?.compared($0) }.begin()
  }

  private func takeDue(now: UInt64) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    while keys.count < rounds.size, let key = database.quietKeys.takeDue(now: now, quiet: quiet) { keys.append(key) }
    return keys
  }

  private func compared(_ keys: [ComparedKey]) {
    let target = database.store(database.defaultStore.role.other)
    round = []
    for compared in keys {
      let key = compared.key
      // A key that is written again is compared later.
      let outcome = database.quietKeys.contains(key.span) ? .disturbed : compared.outcome
      database.metrics.settledChecks.ended(outcome)
      if outcome == .failed { database.quietKeys.note(key.span, now: database.loop.now) }
      // The queue copies the key, which is compared again afterwards.
      guard outcome == .different, let expected = compared.expected, let found = compared.found else { continue }
      database.reporter.found(expected.difference(from: found), key: key, by: "settled_check")
      if heals {
        target.markStale(key: key, because: .difference)
      } else {
        database.instance.foundLastingDifference()
      }
    }
    database.instance.keyQueue.wake()
    proceed(after: rounds.ended(now: database.loop.now))
  }

  private func proceed(after pause: Duration) {
    // The connections may be closing, and the timer has been closed then.
    guard isPossible else { return }
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
