/// Decides the course of one ``KeyCopy``: what is asked of which store next, and the outcome. It reads neither store;
/// what matters of them comes with the events. An event that is not possible in a state traps and names it.
struct KeyCopyState {
  enum State: Equatable {
    /// It has not begun, or begins anew. ``KeyDumps`` asks for several copies that have not begun.
    case waiting
    /// The target takes no commands, so that the copy fails before the source is asked.
    case unsent
    /// The source is asked for the size of the key.
    case askingForSize
    /// The source is asked for the dump.
    case awaitingDump
    /// The source is asked for the commands that make the key, and the target for executing them.
    case copyingContents
    /// The target is to store the dump.
    case restoring
    /// The target is to delete its value: the source has none, or the failure says why it can't be stored.
    case deleting(because: CopyFailure?)
    case ended
  }

  /// The copy's next step.
  enum Action: Equatable {
    case failUnsent
    case askForSize
    case askForDump
    case copyContents
    /// Store the dump that has arrived, with RESTORE.
    case restore
    /// Delete the key on the target.
    case delete
    /// Begin anew, unless another copy of the key does already.
    case beginAgain
    case finish(KeyCopyOutcome)
  }

  /// The target's answer to RESTORE.
  enum Answer: Equatable {
    case stored
    /// The target has the key already.
    case isPresent
    /// The target can't read the dump.
    case dumpRefused
    case failed(CopyFailure)
  }

  /// The result of a copy by contents; see ``KeyContentsCopy``.
  enum Contents: Equatable {
    case ended(KeyCopyOutcome)
    /// A store refused a command.
    case refused(CopyFailure)
    /// A store did not answer.
    case unanswered(CopyFailure)
  }

  /// The stores and the flags when a value arrives, or the news that there is none.
  struct Circumstances {
    /// Whether the target is the default store now.
    var isToDefaultStore = false
    var isDual = true
    var isStaleOnTarget = false
    /// Whether the target's value stays if the source has none: no client knows of the writes that it lacks.
    var keepsOldValue = false
    /// The failure if the source has come back as another process.
    var sourceWasReplaced: CopyFailure?
  }

  /// The most times that a value without a deadline, or a deadline without a value, is read again; the key of a busy
  /// client may be deleted and made again now and then.
  static let mostQuestions = 10

  let verb: KeyVerb
  /// Whether no client waits for it.
  let isInBackground: Bool
  /// Whether the target was the default store when it began.
  let wasForDefaultStore: Bool
  private(set) var state = State.waiting
  /// Whether the source has no value, and the target's stays.
  private(set) var keepsTarget = false
  /// Whether the target has refused the dump.
  private(set) var dumpWasRefused = false
  /// Whether the target was emptied after the copy had begun.
  private var isVoid = false
  /// How often the source had a value or a deadline alone.
  private var questions = 0

  init(_ verb: KeyVerb, isInBackground: Bool, isForDefaultStore: Bool) {
    self.verb = verb
    self.isInBackground = isInBackground
    wasForDefaultStore = isForDefaultStore
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("the copy of a key gets the event '\(event)' in the state \(state)")
  }

  private mutating func finish(_ outcome: KeyCopyOutcome) -> Action {
    state = .ended
    return .finish(outcome)
  }

  /// The target's value is outdated, since the source's can't be stored there. On the default store it stays, as the
  /// only one that is left.
  private mutating func giveUp(_ failure: CopyFailure, isToDefaultStore: Bool) -> Action {
    guard verb == .copyOver, !isToDefaultStore else { return finish(.failed(failure)) }
    state = .deleting(because: failure)
    return .delete
  }

  /// The outcome if the source's value is not to be stored any more: the default store's may have been accepted or
  /// replaced meanwhile. And if the default store has moved to the target, its value is newer, unless it is stale, so
  /// that commands wait for the copy. Once dual write is off, the other store may be about to be emptied. The copy
  /// fails if the source has come back as another process since it was asked.
  func obstacle(_ now: Circumstances) -> KeyCopyOutcome? {
    if isVoid { return .unneeded }
    if isInBackground, !now.isToDefaultStore, !now.isDual { return .overtaken }
    if isInBackground, now.isToDefaultStore, !wasForDefaultStore, !now.isStaleOnTarget { return .overtaken }
    guard wasForDefaultStore, verb == .copyOver else { return nil }
    guard now.isStaleOnTarget else { return .unneeded }
    return now.sourceWasReplaced.map { .failed($0) }
  }
}

// MARK: The beginning

extension KeyCopyState {
  /// The copy begins, or begins anew.
  ///
  /// - Parameter takesCommands: whether the target does.
  mutating func begins(takesCommands: Bool) -> Action {
    guard case .waiting = state else { impossible("begins") }
    state = takesCommands ? .askingForSize : .unsent
    return takesCommands ? .askForSize : .failUnsent
  }

  /// The size of the key is known, from the source's answer or from before.
  ///
  /// - Parameters:
  ///   - takesCommands: whether the target does.
  ///   - refusal: the failure with which the target has refused a key of this size lately.
  ///   - refusesDumps: whether the target can't read the source's dumps.
  mutating func sizeKnown(takesCommands: Bool, refusal: CopyFailure?, refusesDumps: Bool) -> Action {
    switch state {
    case .waiting, .askingForSize: break
    default: impossible("size known")
    }
    guard takesCommands else {
      state = .unsent
      return .failUnsent
    }
    if !isInBackground, !wasForDefaultStore, let refusal { return finish(.failed(refusal)) }
    let copiesContents = dumpWasRefused || refusesDumps
    state = copiesContents ? .copyingContents : .awaitingDump
    return copiesContents ? .copyContents : .askForDump
  }

  /// Nothing is to be done any more: a client's command has replaced the key, or its value is outdated on the source as
  /// well.
  mutating func isUnneeded() -> Action {
    guard case .waiting = state else { impossible("is unneeded") }
    return finish(.unneeded)
  }

  /// The key is too large to be copied with others, or there is no time for it.
  mutating func wasWithdrawn() -> Action {
    guard case .waiting = state else { impossible("was withdrawn") }
    return finish(.withdrawn)
  }
}

// MARK: The source

extension KeyCopyState {
  /// Whether the source's answer may arrive.
  private var awaitsSource: Bool { state == .waiting || state == .awaitingDump || state == .copyingContents }

  /// The dump has arrived.
  mutating func dumpArrived(_ now: Circumstances) -> Action {
    guard awaitsSource else { impossible("dump arrived") }
    if let obstacle = obstacle(now) { return finish(obstacle) }
    state = .restoring
    return .restore
  }

  /// The source does not have the key.
  mutating func sourceLacksKey(_ now: Circumstances) -> Action {
    guard awaitsSource else { impossible("source lacks the key") }
    if let obstacle = obstacle(now) { return finish(obstacle) }
    keepsTarget = now.keepsOldValue
    guard verb == .copyOver, !keepsTarget else { return finish(.missing) }
    state = .deleting(because: nil)
    return .delete
  }

  /// The key had no deadline when it was asked for, and a value afterwards.
  ///
  /// - Parameter failure: that of a source which answers so each time.
  mutating func deadlineMissing(otherwise failure: CopyFailure) -> Action {
    guard case .awaitingDump = state else { impossible("deadline missing") }
    questions += 1
    guard questions < Self.mostQuestions else { return finish(.failed(failure)) }
    state = .waiting
    return .beginAgain
  }

  /// The source did not answer, or not as a server does.
  mutating func sourceFailed(_ failure: CopyFailure) -> Action {
    guard awaitsSource || state == .askingForSize else { impossible("source failed") }
    return finish(.failed(failure))
  }

  /// The copy by contents has ended.
  mutating func contentsEnded(_ result: Contents, _ now: Circumstances) -> Action {
    guard case .copyingContents = state else { impossible("contents ended") }
    switch result {
    case .ended(.missing): return sourceLacksKey(now)
    case .ended(let outcome): return finish(outcome)
    case .refused(let failure): return giveUp(failure, isToDefaultStore: now.isToDefaultStore)
    case .unanswered(let failure): return finish(.failed(failure))
    }
  }
}

// MARK: The target

extension KeyCopyState {
  /// The target has answered RESTORE.
  mutating func restoreReplied(_ answer: Answer, isToDefaultStore: Bool) -> Action {
    guard case .restoring = state else { impossible("restore replied") }
    switch answer {
    case .stored: return finish(.stored)
    case .isPresent: return finish(.unneeded)
    case .dumpRefused:
      dumpWasRefused = true
      state = .waiting
      return .beginAgain
    case .failed(let failure): return giveUp(failure, isToDefaultStore: isToDefaultStore)
    }
  }

  /// The target has answered DEL; with a failure if it did not delete the key, whose value is outdated then.
  mutating func deleteReplied(_ failure: CopyFailure?) -> Action {
    guard case .deleting(let reason) = state else { impossible("delete replied") }
    return finish((reason ?? failure).map { .failed($0) } ?? .missing)
  }

  /// The target did not answer, or was not asked.
  mutating func targetFailed(_ failure: CopyFailure) -> Action {
    switch state {
    case .deleting: return deleteReplied(failure)
    case .unsent, .restoring: return finish(.failed(failure))
    default: impossible("target failed")
    }
  }

  /// The target was emptied. What a client's command stores stays.
  ///
  /// - Returns: whether the key is to be deleted there, since the source may have been asked already.
  mutating func targetWasEmptied() -> Bool {
    guard verb != .replace, !isVoid else { return false }
    isVoid = true
    return true
  }
}
