internal import DequeModule

/// The keys of a verification that differed when they were looked at last, or could not be compared, until it is known
/// what they are. It only decides, and has no clock of its own.
///
/// A key is different if it differs at two looks and the default store's value is the same at both: then no write is on
/// its way. A key that changes between the looks is looked at again, as often as the request says.
struct DifferenceCandidates {
  /// The most keys that wait; the scan waits at this limit.
  static let limit = 4_096
  /// The time between two looks at a key, in nanoseconds: longer than a copy takes.
  static let pause: UInt64 = 1_000_000_000
  /// The looks at a key that is being mended before it counts as not mended.
  static let healingLooks = 60

  /// A key that waits for its next look.
  struct Candidate {
    let key: [UInt8]
    let database: Int
    fileprivate var looks = 0
    /// The default store's digest at the last look; nil if there was none.
    fileprivate var expected: KeyDigest?
    /// The difference that was found, and is being mended.
    fileprivate var healing: KeyDifference?
    fileprivate var dueAt: UInt64 = 0
  }

  /// The conclusion from a look.
  enum Verdict: Equatable {
    /// The key is the same on both stores.
    case equal
    /// It waits for the next look.
    case undecided
    /// It differs. If differences are mended, it waits for the look after that.
    case different(KeyDifference)
    /// It differed, and was mended.
    case healed
    /// It was not mended in time.
    case unhealed
    /// It changed at each look.
    case changing
    /// It can't be compared.
    case uncompared
    /// No store answered at the last look.
    case failed
  }

  private var waiting = Deque<Candidate>()
  private let rounds: Int
  private let heals: Bool

  init(rounds: Int, heals: Bool) {
    self.rounds = rounds
    self.heals = heals
  }

  var isEmpty: Bool { waiting.isEmpty }

  /// Whether no other key should be added.
  var isFull: Bool { waiting.count >= Self.limit }

  /// The time of the next look, by the loop's clock; nil if no key waits.
  var nextDue: UInt64? { waiting.first?.dueAt }

  /// Adds a key after its first look, or before it.
  mutating func add(_ key: [UInt8], database: Int, expected: KeyDigest?, now: UInt64) {
    add(Candidate(key: key, database: database, looks: expected == nil ? 0 : 1, expected: expected), now: now)
  }

  private mutating func add(_ candidate: Candidate, now: UInt64) {
    var candidate = candidate
    candidate.dueAt = now + Self.pause
    waiting.append(candidate)
  }

  /// Takes up to `count` keys of one database whose pause is over.
  mutating func takeDue(now: UInt64, atMost count: Int) -> [Candidate] {
    var due: [Candidate] = []
    while due.count < count, let next = waiting.first, next.dueAt <= now,
      due.isEmpty || due[0].database == next.database
    { due.append(waiting.removeFirst()) }
    return due
  }

  /// Judges a look at a key that was taken.
  mutating func looked(at candidate: Candidate, _ compared: ComparedKey, now: UInt64) -> Verdict {
    var next = candidate
    next.looks += 1
    if candidate.healing != nil { return lookedAfterHealing(next, compared, now: now) }
    switch compared.outcome {
    case .equal: return .equal
    case .unknown: return .uncompared
    case .different:
      if let expected = compared.expected, let found = compared.found, let before = candidate.expected,
        expected.isSameValue(as: before)
      {
        let difference = expected.difference(from: found)
        guard heals else { return .different(difference) }
        next.healing = difference
        next.looks = 0
        add(next, now: now)
        return .different(difference)
      }
      next.expected = compared.expected
    case .disturbed, .failed: next.expected = nil
    }
    guard next.looks >= rounds else {
      add(next, now: now)
      return .undecided
    }
    return compared.outcome == .failed ? .failed : .changing
  }

  private mutating func lookedAfterHealing(_ next: Candidate, _ compared: ComparedKey, now: UInt64) -> Verdict {
    if compared.outcome == .equal { return .healed }
    guard next.looks < Self.healingLooks else { return .unhealed }
    add(next, now: now)
    return .undecided
  }
}
