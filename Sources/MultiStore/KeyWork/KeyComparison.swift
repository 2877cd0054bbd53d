internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import RESP

/// The outcome of a comparison of a key: the label `outcome`.
enum KeyComparisonOutcome: String, CaseIterable {
  /// The key is the same on both stores, or on neither.
  case equal
  /// It differs, and is copied again.
  case different
  /// It was written or copied meanwhile, or is about to expire.
  case disturbed
  /// It is too large for a digest, or of a module's type.
  case unknown
  /// A store did not answer, or refused the script.
  case failed
}

/// Compares one key on both stores by its ``KeyDigest``. Loop-confined; the stores' connections retain it.
///
/// The other store is asked when the default store has answered, as with a copy: the question is then ordered alike
/// among the writes on both.
final class KeyComparison: ReplyReceiver {
  let key: [UInt8]
  private unowned let database: Database
  private let source: Store
  private let target: Store
  private let then: (KeyComparison, KeyComparisonOutcome) -> Void
  private var expected: KeyDigest?

  /// - Parameter then: called once.
  init(
    of key: [UInt8],
    in database: Database,
    then: @escaping (KeyComparison, KeyComparisonOutcome) -> Void
  ) {
    self.key = key
    self.database = database
    source = database.defaultStore
    target = database.store(source.role.other)
    self.then = then
  }

  func begin() { ask(source) }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard let digest = KeyDigest(reply) else { return then(self, .failed) }
    guard !isDisturbed else { return then(self, .disturbed) }
    guard let expected else {
      self.expected = digest
      return ask(target)
    }
    switch expected.compared(to: digest, now: Int(database.loop.wallClockMilliseconds)) {
    case .equal: then(self, .equal)
    case .different: then(self, .different)
    case .expiring: then(self, .disturbed)
    case .unknown: then(self, .unknown)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) { then(self, .failed) }

  /// Whether the comparison is pointless, because the key is being written or copied, or is stale.
  private var isDisturbed: Bool {
    let key = key
    return database.quietKeys.contains(key.span) || target.isAwaited(key.span) || source.isAwaited(key.span)
      || !source.isDefault
  }

  private func ask(_ store: Store) {
    let key = key
    var question = ByteBuffer()
    KeyDigest.appendQuestion(about: key.span, to: &question)
    store.ordinary.send(question.span, to: self, token: 0)
  }
}
