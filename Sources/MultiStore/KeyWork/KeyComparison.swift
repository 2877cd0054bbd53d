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

/// Compares keys of one database on both stores by their ``KeyDigest``. Loop-confined; the stores' connections retain
/// it.
///
/// The other store is asked when the default store has answered, as with a copy: the question is then ordered alike
/// among the writes on both.
final class KeyComparison: ReplyReceiver {
  /// The most keys of a question: a millisecond of the server's time.
  static let maxKeys = 64

  private unowned let database: Database
  private let keys: [[UInt8]]
  private let source: Store
  private let target: Store
  private let then: ([ComparedKey]) -> Void
  private var compared: [ComparedKey] = []
  /// The default store's digests of the keys after those that were compared. It may have cut its answer short.
  private var expected: [KeyDigest] = []
  /// Whether the servers are expected to know the script.
  private var isLoaded = true

  /// - Parameter then: called once, with the keys in their order.
  init(of keys: [[UInt8]], in database: Database, then: @escaping ([ComparedKey]) -> Void) {
    self.keys = keys
    self.database = database
    source = database.defaultStore
    target = database.store(source.role.other)
    self.then = then
    compared.reserveCapacity(keys.count)
  }

  func begin() { askSource() }

  func receive(_ reply: borrowing Reply, token: Int) {
    if reply.kind == .error { return refused(reply) }
    var digests: [KeyDigest] = []
    for index in 0..<reply.count { if let digest = KeyDigest(reply[index]) { digests.append(digest) } }
    guard !digests.isEmpty, digests.count == reply.count else { return end(.failed) }
    // A flip may have moved the default store.
    guard source.isDefault else { return end(.failed) }
    if expected.isEmpty {
      expected = digests
      let first = compared.count
      ask(target, about: keys[first..<min(keys.count, first + digests.count)])
    } else {
      compare(with: digests)
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

  private func compare(with found: [KeyDigest]) {
    let now = Int(database.loop.wallClockMilliseconds)
    for (expected, found) in zip(expected, found) {
      let key = keys[compared.count]
      var outcome = KeyComparisonOutcome.disturbed
      if !target.isAwaited(key.span), !source.isAwaited(key.span) {
        outcome =
          switch expected.compared(to: found, now: now) {
          case .equal: .equal
          case .different: .different
          case .expiring: .disturbed
          case .unknown: .unknown
          }
      }
      compared.append(ComparedKey(key: key, outcome: outcome, expected: expected, found: found))
    }
    if compared.count < keys.count { askSource() } else { then(compared) }
  }

  private func end(_ outcome: KeyComparisonOutcome) {
    for key in keys[compared.count...] { compared.append(ComparedKey(key: key, outcome: outcome)) }
    then(compared)
  }

  private func askSource() {
    expected = []
    ask(source, about: keys[compared.count..<min(keys.count, compared.count + Self.maxKeys)])
  }

  private func ask(_ store: Store, about keys: ArraySlice<[UInt8]>) {
    var question = ByteBuffer()
    KeyDigest.appendQuestion(about: keys, isLoaded: isLoaded, to: &question)
    store.ordinary.send(question.span, to: self, token: 0)
  }
}
