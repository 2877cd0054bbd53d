internal import EventLoop
internal import Hiredis
internal import RESP

/// The outcome of a comparison of a key: the label `outcome`.
enum KeyComparisonOutcome: String, CaseIterable {
  /// The key is the same on both stores, or on neither.
  case equal
  /// It differs.
  case different
  /// It was written or copied meanwhile, or is about to expire.
  case disturbed
  /// It is too large for a digest, of a module's type, or a store refuses scripts.
  case unknown
  /// A store did not answer.
  case failed
}

/// A key after its comparison.
struct ComparedKey {
  let key: [UInt8]
  let outcome: KeyComparisonOutcome
  /// The default store's key; nil if it was not found out.
  var expected: KeyDigest?
  /// The other store's.
  var found: KeyDigest?
}

/// Compares keys of one database on both stores: several at a time by their ``KeySummary``, and where that differs, one
/// by one by their ``KeyDigest``. Loop-confined; the stores' connections retain it.
///
/// The other store is asked when the default store has answered, as with a copy: the question is then ordered alike
/// among the writes on both.
final class KeyComparison: ReplyReceiver {
  /// The most keys of a question for digests: a millisecond of the server's time.
  static let maxKeys = 64
  /// The most keys of a question for a summary.
  static let maxSummarised = 128

  /// The question that is in flight.
  private enum Step {
    /// Both stores are asked for a summary, one after the other: `expected` is the default store's.
    case summary(expected: KeySummary?)
    /// Both are asked for the digests of the keys before `end`. The default store's are of the keys after those that
    /// were compared, and may be cut short.
    case digests(expected: [KeyDigest], end: Int)
  }

  private unowned let database: Database
  private let keys: [[UInt8]]
  private let source: Store
  private let target: Store
  private let expectsEqual: Bool
  private let then: ([ComparedKey]) -> Void
  private var compared: [ComparedKey] = []
  private var step: Step
  /// The moment before which a hash's field must not expire to count, in Unix milliseconds: the same for both stores.
  private var leastMoment = 0
  /// Whether the servers are expected to know the scripts.
  private var isLoaded = true

  /// - Parameters:
  ///   - expectsEqual: whether a summary is worth to be asked for.
  ///   - then: called once, with the keys in their order.
  init(of keys: [[UInt8]], in database: Database, expectsEqual: Bool, then: @escaping ([ComparedKey]) -> Void) {
    self.keys = keys
    self.database = database
    self.expectsEqual = expectsEqual
    source = database.defaultStore
    target = database.store(source.role.other)
    self.then = then
    step = expectsEqual ? .summary(expected: nil) : .digests(expected: [], end: keys.count)
    compared.reserveCapacity(keys.count)
  }

  func begin() { askSource() }

  func receive(_ reply: borrowing Reply, token: Int) {
    if reply.kind == .error { return refused(reply) }
    // A flip may have moved the default store.
    guard source.isDefault else { return end(.failed) }
    switch step {
    case .summary(let expected): receiveSummary(reply, expected)
    case .digests(let expected, let end): receiveDigests(reply, expected, end)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) { end(.failed) }

  private func refused(_ reply: borrowing Reply) {
    switch reply.knownErrorCode {
    case .noScript where isLoaded:
      // Both are asked again, so that the questions are ordered alike.
      isLoaded = false
      askSource()
    case .noPermission, .generic: end(.unknown)
    default: end(.failed)
    }
  }

  private func receiveSummary(_ reply: borrowing Reply, _ expected: KeySummary?) {
    guard let summary = KeySummary(reply), (1...keys.count - compared.count).contains(summary.count) else {
      return end(.failed)
    }
    let end = compared.count + (expected ?? summary).count
    if let expected, expected.proves(summary, now: Int(database.loop.wallClockMilliseconds)) {
      for key in keys[compared.count..<end] {
        compared.append(ComparedKey(key: key, outcome: isAwaited(key) ? .disturbed : .equal))
      }
      proceed()
    } else if expected == nil, !summary.digest.isEmpty {
      step = .summary(expected: summary)
      ask(target, about: keys[compared.count..<end])
    } else {
      step = .digests(expected: [], end: end)
      askSource()
    }
  }

  private func receiveDigests(_ reply: borrowing Reply, _ expected: [KeyDigest], _ end: Int) {
    var digests: [KeyDigest] = []
    for index in 0..<reply.count { if let digest = KeyDigest(reply[index]) { digests.append(digest) } }
    guard !digests.isEmpty, digests.count == reply.count else { return self.end(.failed) }
    guard !expected.isEmpty else {
      step = .digests(expected: digests, end: end)
      let first = compared.count
      return ask(target, about: keys[first..<min(end, first + digests.count)])
    }
    compare(expected, with: digests)
    step = .digests(expected: [], end: end)
    if compared.count < end { askSource() } else { proceed() }
  }

  private func compare(_ expected: [KeyDigest], with found: [KeyDigest]) {
    let now = Int(database.loop.wallClockMilliseconds)
    for (expected, found) in zip(expected, found) {
      let key = keys[compared.count]
      var outcome = KeyComparisonOutcome.disturbed
      if !isAwaited(key) {
        outcome =
          switch expected.compared(to: found, now: now) {
          case .equal: .equal
          // Fields may have expired between the answers if these took that long.
          case .different: now < leastMoment ? .different : .disturbed
          case .expiring: .disturbed
          case .unknown: .unknown
          }
      }
      compared.append(ComparedKey(key: key, outcome: outcome, expected: expected, found: found))
    }
  }

  /// Whether a copy of the key is in flight, or is needed.
  private func isAwaited(_ key: [UInt8]) -> Bool { target.isAwaited(key.span) || source.isAwaited(key.span) }

  /// Goes on with the next keys, if there are any.
  private func proceed() {
    guard compared.count < keys.count else { return then(compared) }
    step = expectsEqual ? .summary(expected: nil) : .digests(expected: [], end: keys.count)
    askSource()
  }

  private func end(_ outcome: KeyComparisonOutcome) {
    for key in keys[compared.count...] { compared.append(ComparedKey(key: key, outcome: outcome)) }
    then(compared)
  }

  /// Begins the present step anew.
  private func askSource() {
    leastMoment = Int(database.loop.wallClockMilliseconds) + KeyDigest.lastMoments
    switch step {
    case .summary:
      step = .summary(expected: nil)
      ask(source, about: keys[compared.count..<min(keys.count, compared.count + Self.maxSummarised)])
    case .digests(_, let end):
      step = .digests(expected: [], end: end)
      ask(source, about: keys[compared.count..<min(end, compared.count + Self.maxKeys)])
    }
  }

  private func ask(_ store: Store, about keys: ArraySlice<[UInt8]>) {
    var question = ByteBuffer()
    switch step {
    case .summary(let expected):
      let areShort = expected?.areShort ?? false
      KeySummary.appendQuestion(
        about: keys,
        leastMoment: leastMoment,
        areShort: areShort,
        isLoaded: isLoaded,
        to: &question
      )
    case .digests:
      KeyDigest.appendQuestion(about: keys, leastMoment: leastMoment, isLoaded: isLoaded, to: &question)
    }
    store.ordinary.send(question.span, to: self, token: 0)
  }
}
