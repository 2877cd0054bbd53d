internal import DequeModule
internal import RESP

/// Copies the keys of one page that the other store lacks. Loop-confined; what it waits for retains it.
///
/// Another sidecar may delete a key on both stores between the dump and its RESTORE, which would bring the key back. So
/// the default store is asked afterwards whether it still has the keys, and those that it lacks are removed again: a
/// deletion that comes later reaches the other store later too.
final class BackfillPage {
  /// The most copies in flight.
  static let maxCopies = 32
  /// The bytes of keys in flight at which no other copy begins.
  static let maxBytes = 4 << 20

  /// The results of a page.
  struct Result {
    /// The keys that are on both stores already.
    var present = 0
    /// The keys that the default store did not have any more.
    var vanished = 0
    /// The keys that were copied, or would have been.
    var copied = 0
    var copiedBytes = 0
    /// The keys above the limit of a large key, with their bytes.
    var large: [(key: [UInt8], bytes: Int)] = []
    /// The keys that a store refused, with the reason.
    var failed: [(key: [UInt8], reason: String)] = []
    /// The keys that were not reached, since a store did not answer or the page was stopped.
    var left: [[UInt8]] = []
  }

  private let database: Database
  private let source: Store
  private let target: Store
  private let isDryRun: Bool
  private let largeKeyBytes: Int
  private let then: (Result) -> Void
  private var result = Result()
  /// The keys to copy, with their bytes in the server's memory.
  private var pending = Deque<(key: [UInt8], bytes: Int)>()
  private var inFlight: [ObjectIdentifier: Int] = [:]
  private var bytesInFlight = 0
  private var stored: [[UInt8]] = []
  private var removals = 0
  private var isStopped = false

  /// - Parameter then: called once.
  init(in database: Database, isDryRun: Bool, largeKeyBytes: Int, then: @escaping (Result) -> Void) {
    self.database = database
    self.isDryRun = isDryRun
    self.largeKeyBytes = largeKeyBytes
    self.then = then
    source = database.defaultStore
    target = database.store(source.role.other)
  }

  /// Begins with the keys, of which there is at least one.
  func begin(with keys: [[UInt8]]) {
    KeyQuestions.ask(target, ["EXISTS"], about: keys) { self.askForSizes(of: keys, areThere: $0) }
  }

  /// Begins no other copy.
  func stop() { isStopped = true }

  private func askForSizes(of keys: [[UInt8]], areThere: [Int?]) {
    var missing: [[UInt8]] = []
    for (key, isThere) in zip(keys, areThere) {
      switch isThere {
      case 0: missing.append(key)
      case nil: result.left.append(key)
      default: result.present += 1
      }
    }
    guard !missing.isEmpty else { return then(result) }
    KeyQuestions.ask(source, ["MEMORY", "USAGE"], about: missing) { sizes in
      self.pending = Deque(zip(missing, sizes).map { ($0, $1 ?? 0) })
      if self.isDryRun { self.count() } else { self.copy() }
    }
  }

  private func count() {
    result.copied = pending.count
    result.copiedBytes = pending.reduce(0) { $0 + $1.bytes }
    for (key, bytes) in pending where bytes > largeKeyBytes { result.large.append((key, bytes)) }
    then(result)
  }

  private func copy() {
    while let next = pending.first, mayCopy(next.bytes) {
      pending.removeFirst()
      let key = next.key
      // A client's command copies it already.
      guard target.copyUnderWay(of: key) == nil, !source.isAwaited(key.span) else {
        result.left.append(key)
        continue
      }
      if next.bytes > largeKeyBytes { result.large.append(next) }
      let copy = KeyCopy(key, .copyIfAbsent, from: source, to: target, of: database, isInBackground: true)
      inFlight[ObjectIdentifier(copy)] = next.bytes
      bytesInFlight += next.bytes
      copy.add(self)
      copy.begin()
    }
    if isStopped {
      result.left += pending.map(\.key)
      pending.removeAll()
    }
    if inFlight.isEmpty, pending.isEmpty { lookAgain() }
  }

  private func mayCopy(_ bytes: Int) -> Bool {
    guard !isStopped, target.role != database.defaultStore.role else { return false }
    guard !inFlight.isEmpty else { return true }
    // A large key is copied alone.
    return inFlight.count < Self.maxCopies && bytesInFlight + bytes < Self.maxBytes && bytes <= largeKeyBytes
  }

  /// Looks whether the default store still has the keys that were stored.
  private func lookAgain() {
    guard !stored.isEmpty else { return then(result) }
    KeyQuestions.ask(source, ["EXISTS"], about: stored) { answers in
      for (key, isThere) in zip(self.stored, answers) {
        if isThere == 0 { self.remove(key) } else { self.result.copied += 1 }
      }
      if self.removals == 0 { self.then(self.result) }
    }
  }

  private func remove(_ key: [UInt8]) {
    result.vanished += 1
    // A key that comes back meanwhile is copied again.
    guard database.mayHeal(key, on: target), target.role != database.defaultStore.role else { return }
    removals += 1
    database.heal(key, on: target, for: self)
  }
}

extension BackfillPage: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    guard let bytes = inFlight.removeValue(forKey: ObjectIdentifier(copy)) else {
      removals -= 1
      if removals == 0 { then(result) }
      return
    }
    bytesInFlight -= bytes
    if let failure = copy.failure {
      switch failure.reason {
      case .errorReply: result.failed.append((copy.key, failure.exception.message))
      default: result.left.append(copy.key)
      }
    } else if copy.hasStored {
      stored.append(copy.key)
      result.copiedBytes += copy.dumpBytes
    } else if copy.wasMissing {
      result.vanished += 1
    } else {
      result.present += 1
    }
    self.copy()
  }
}
