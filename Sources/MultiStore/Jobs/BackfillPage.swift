internal import DequeModule
internal import RESP

/// Copies the keys of one page that the other store lacks. Loop-confined; what it waits for retains it.
///
/// Another sidecar may delete a key on both stores between the dump and its RESTORE, which would bring the key back. So
/// the default store is asked afterwards whether it still has the keys, and those that it lacks are removed again: a
/// deletion that comes later reaches the other store later too.
final class BackfillPage {
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
  private let budget: CopyBudget
  private let then: (Result) -> Void
  private var result = Result()
  /// The questions about keys that are not answered.
  private var questionsInFlight = 0
  private var copiesInFlight = 0
  /// The keys to copy one by one, with their bytes in the server's memory.
  private var pending = Deque<(key: [UInt8], bytes: Int)>()
  private var waitsForBudget = false
  private var stored: [[UInt8]] = []
  /// Whether copies that end now remove what should not have been stored.
  private var isRemoving = false
  private var isStopped = false

  /// - Parameters:
  ///   - budget: bounds the copies of all pages together.
  ///   - then: called once.
  init(
    in database: Database,
    isDryRun: Bool,
    largeKeyBytes: Int,
    budget: CopyBudget,
    then: @escaping (Result) -> Void
  ) {
    self.database = database
    self.isDryRun = isDryRun
    self.largeKeyBytes = largeKeyBytes
    self.budget = budget
    self.then = then
    source = database.defaultStore
    target = database.store(source.role.other)
  }

  /// Begins with the keys, of which there is at least one.
  func begin(with keys: [[UInt8]]) {
    KeyPresence.ask(target, about: keys) { self.look(at: keys, $0) }
  }

  /// Begins no other copy.
  func stop() { isStopped = true }

  private func look(at keys: [[UInt8]], _ answers: [KeyAnswer]) {
    var missing: [[UInt8]] = []
    for (key, answer) in zip(keys, answers) {
      switch answer {
      case .number(0): missing.append(key)
      case .number: result.present += 1
      case .failed(let failure): failed(key, failure)
      }
    }
    if isDryRun || target.server.refusesDumps { askForSizes(of: missing) } else { copyTogether(missing) }
    proceed()
  }

  private func askForSizes(of keys: [[UInt8]]) {
    guard !keys.isEmpty else { return }
    questionsInFlight += 1
    KeyQuestions.ask(source, ["MEMORY", "USAGE"], about: keys) { sizes in
      self.questionsInFlight -= 1
      self.pending += zip(keys, sizes).map { ($0, $1.number ?? 0) }
      self.proceed()
    }
  }

  // MARK: Copies

  /// Copies small keys several at a time.
  private func copyTogether(_ keys: [[UInt8]]) {
    for start in stride(from: 0, to: keys.count, by: KeyDumps.maxKeys) {
      let copies = keys[start..<min(keys.count, start + KeyDumps.maxKeys)].compactMap { makeCopy(of: $0) }
      guard !copies.isEmpty else { continue }
      questionsInFlight += 1
      KeyDumps.ask(for: copies, from: source) { remainder in
        for (copy, bytes) in remainder.large {
          copy.withdraw()
          self.pending.append((copy.key, bytes))
        }
        for copy in remainder.refused { copy.withdraw() }
        self.askForSizes(of: remainder.refused.map(\.key))
        // The page must not end before all of them are noted.
        self.questionsInFlight -= 1
        self.proceed()
      }
    }
  }

  /// Returns nil for a key that is left, since it may not be copied now.
  private func makeCopy(of key: [UInt8]) -> KeyCopy? {
    // A client's command copies it already.
    guard mayCopy, target.keysBeingCopied.latest(of: key) == nil, !source.isAwaited(key.span) else {
      result.left.append(key)
      return nil
    }
    let copy = KeyCopy(key, .copyIfAbsent, from: source, to: target, of: database, isInBackground: true)
    copiesInFlight += 1
    copy.add(self)
    return copy
  }

  private var mayCopy: Bool {
    !isStopped && target.role != database.defaultStore.role && database.instance.routingState.flip.current.isDual
  }

  /// Copies the next keys, and ends when there is nothing left.
  private func proceed() {
    if isDryRun { count() }
    while let next = pending.first, !mayCopy || budget.mayBegin(next.bytes) {
      pending.removeFirst()
      guard let copy = makeCopy(of: next.key) else { continue }
      if next.bytes > largeKeyBytes { result.large.append(next) }
      budget.began(copy, next.bytes)
      copy.begin(bytes: next.bytes)
    }
    if !pending.isEmpty, !waitsForBudget {
      waitsForBudget = true
      budget.wait {
        self.waitsForBudget = false
        self.proceed()
      }
    }
    if questionsInFlight == 0, copiesInFlight == 0, pending.isEmpty, !isRemoving { lookAgain() }
  }

  private func count() {
    for next in pending {
      result.copied += 1
      result.copiedBytes += next.bytes
      if next.bytes > largeKeyBytes { result.large.append(next) }
    }
    pending.removeAll()
  }

  // MARK: The end

  /// Looks whether the default store still has the keys that were stored.
  private func lookAgain() {
    guard !stored.isEmpty else { return then(result) }
    isRemoving = true
    KeyPresence.ask(source, about: stored) { answers in
      for (key, answer) in zip(self.stored, answers) {
        if answer.number == 0 {
          self.remove(key)
        } else {
          self.result.copied += 1
          // It may have been deleted: the queue looks.
          if answer.number == nil, !self.target.isDefault { self.target.markStale(key: key, because: .lost) }
        }
      }
      if self.copiesInFlight == 0 { self.then(self.result) }
    }
  }

  private func remove(_ key: [UInt8]) {
    result.vanished += 1
    // A key that comes back meanwhile is copied again.
    guard database.mayHeal(key, on: target), target.role != database.defaultStore.role else { return }
    copiesInFlight += 1
    database.heal(key, on: target, for: self)
  }
}

extension BackfillPage: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    copiesInFlight -= 1
    if isRemoving {
      if copiesInFlight == 0 { then(result) }
      return
    }
    note(copy)
    budget.ended(copy)
    proceed()
  }

  /// A store that refuses a key would do so again.
  private func failed(_ key: [UInt8], _ failure: CopyFailure) {
    if failure.isRefusal { result.failed.append((key, failure.exception.message)) } else { result.left.append(key) }
  }

  private func note(_ copy: KeyCopy) {
    switch copy.outcome {
    case .failed(let failure): failed(copy.key, failure)
    case .overtaken: result.left.append(copy.key)
    case .stored:
      stored.append(copy.key)
      result.copiedBytes += copy.dumpBytes
    case .missing: result.vanished += 1
    case .unneeded: result.present += 1
    case .withdrawn: break
    }
  }
}
