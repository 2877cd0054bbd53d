internal import Sockets

/// The results of checks that are remembered, and the time that is left for more of them. A value with bounds; no I/O.
struct PasswordLedger {
  /// A keyed digest of a name, a hash and a password.
  typealias Digest = [UInt8]

  /// A result counts for the address that it came from alone.
  private struct Entry: Hashable {
    let network: PeerNetwork?
    let digest: Digest
  }

  /// Entries up to a limit; the oldest are dropped.
  private struct Recent {
    let limit: Int
    private var entries: Set<Entry> = []
    private var order: [Entry] = []

    init(limit: Int) { self.limit = limit }

    func contains(_ entry: Entry) -> Bool { entries.contains(entry) }

    mutating func insert(_ entry: Entry) {
      guard entries.insert(entry).inserted else { return }
      order.append(entry)
      if order.count > limit { entries.remove(order.removeFirst()) }
    }
  }

  /// The number of right passwords that are kept: those of a few scrapers, whose addresses may change.
  private static let acceptedLimit = 1024
  private static let refusedLimit = 128
  /// The number of addresses with a budget that is not full. Beyond it the fullest one is dropped.
  static let networkLimit = 1024

  private var accepted = Recent(limit: acceptedLimit)
  private var refused = Recent(limit: refusedLimit)
  /// The budget of all addresses, which bounds the thread's time.
  private var total = PasswordBudget()
  /// The budgets of addresses that have sent wrong passwords, which bound their guesses.
  private(set) var byNetwork: [PeerNetwork?: PasswordBudget] = [:]
  /// The duration of the last check.
  private var lastCheck = Duration.zero

  /// Returns the verdict that needs no check; nil if one is needed.
  func verdict(on digest: Digest, from network: PeerNetwork?, at now: ContinuousClock.Instant)
    -> BasicAuthentication.Verdict?
  {
    // First of all, so that an address that is refused can't learn what is remembered.
    if byNetwork[network]?.isUsedUp(at: now) == true { return .overloaded }
    let entry = Entry(network: network, digest: digest)
    if accepted.contains(entry) { return .accepted }
    return refused.contains(entry) ? .refused : nil
  }

  /// Whether there is time for a check.
  ///
  /// An attempt that is not checked for lack of time is charged to its address like a wrong password. Otherwise a
  /// client that has others use up the time could try passwords without end at an address whose scraper is remembered.
  mutating func mayCheck(from network: PeerNetwork?, at now: ContinuousClock.Instant) -> Bool {
    guard total.isUsedUp(at: now) else { return true }
    charge(network, lastCheck, at: now)
    return false
  }

  /// Remembers the result of a check. Wrong passwords alone are charged to their address: the first check of the right
  /// one, which may take longer than the whole budget, must not keep its owner out.
  mutating func note(
    _ digest: Digest,
    isRight: Bool,
    from network: PeerNetwork?,
    took duration: Duration,
    at now: ContinuousClock.Instant
  ) {
    lastCheck = duration
    total.spend(duration, at: now)
    let entry = Entry(network: network, digest: digest)
    if isRight {
      accepted.insert(entry)
    } else {
      refused.insert(entry)
      charge(network, duration, at: now)
    }
  }

  private mutating func charge(_ network: PeerNetwork?, _ duration: Duration, at now: ContinuousClock.Instant) {
    byNetwork[network, default: PasswordBudget()].spend(duration, at: now)
    guard byNetwork.count > Self.networkLimit else { return }
    byNetwork = byNetwork.filter { !$0.value.isFull(at: now) }
    while byNetwork.count > Self.networkLimit {
      let others = byNetwork.filter { $0.key != network }
      guard let fullest = others.min(by: { $0.value.fullAt ?? now < $1.value.fullAt ?? now }) else { return }
      byNetwork[fullest.key] = nil
    }
  }
}

/// A budget of time for checks: a second at first, and a quarter of the time that passes.
struct PasswordBudget {
  private static let most = Duration.seconds(1)
  private static let share = 0.25

  /// The time when the budget is full again; nil if it was never used.
  private(set) var fullAt: ContinuousClock.Instant?

  /// Whether it is full.
  func isFull(at now: ContinuousClock.Instant) -> Bool { fullAt.map { $0 <= now } ?? true }

  /// Whether nothing is left.
  func isUsedUp(at now: ContinuousClock.Instant) -> Bool {
    fullAt.map { now.duration(to: $0) * Self.share >= Self.most } ?? false
  }

  /// Takes time out of the budget, which may become negative.
  mutating func spend(_ duration: Duration, at now: ContinuousClock.Instant) {
    fullAt = max(fullAt ?? now, now) + duration / Self.share
  }
}
