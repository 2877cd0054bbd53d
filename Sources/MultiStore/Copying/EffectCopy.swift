/// Decides how the effect of one command reaches the other store, from the default store's reply to the other store's.
///
/// A single write holds one, a pipeline and a transaction hold one for each command. Each event changes the state and
/// returns the holder's next step. The holder sends, counts and marks; see ``ExecutionCore``. An event that is not
/// possible in a state traps and names it.
struct EffectCopy {
  /// The command that the other store gets. Its reply has the same meaning as the default store's only if it is
  /// comparable.
  enum Form: Equatable {
    /// The client's command, which reads. If it fails on the other store nothing is stale there.
    case read
    /// The command as it stands in the batch.
    case plain(isComparable: Bool)
    /// The command wrapped in the ``PresenceGuard``, at this range of the buffer for guarded commands.
    case guarded(Range<Int>, isComparable: Bool)
  }

  /// The states, each with the data that exists only in it.
  enum State: Equatable {
    /// In flight to the default store, with a question about its key's deadline behind it if `asksForDeadline`.
    case executing(asksForDeadline: Bool)
    /// The command took effect. The copy is planned when the deadline of its key is known.
    case awaitingDeadline
    /// Nothing is to be copied, but the answer about the deadline is still to come.
    case ignoringDeadline
    /// The copy is being planned.
    case planning
    /// The other store is to get a command.
    case ready(Form)
    /// In flight to the other store.
    case sent(Form)
    /// The other store is to get keys of the command whole, or is getting them.
    case copyingKeys(KeySelection)
    /// The other store executed the command.
    case copied
    /// The other store did not execute the command, or that is unknown.
    case failed
    /// The other store answered a read, or did not answer it.
    case answered
    /// There is nothing that the other store could get.
    case uncopied
  }

  /// The holder's next step.
  enum Action: Equatable {
    /// Nothing, until the next event.
    case wait
    /// Plan the copy.
    case plan
    /// Send the command, guarded or not.
    case send
    /// Copy keys of the command whole.
    case copyKeys(KeySelection)
    /// Copy all keys of the command whole, and load the script of the ``PresenceGuard`` again.
    case loadGuardAndCopyKeys
    /// Mark the command's keys as stale, and count it as one that is not copied.
    case leaveUncopied
    /// Clear the marks of the keys that the command replaces on the other store.
    case noteFresh
    /// Mark the command's keys as stale on the other store, and count a failure.
    case noteStale
    /// Nothing more.
    case finish
  }

  /// The other store's reply to a command.
  enum Answer: CaseIterable {
    /// It executed the command.
    case executed
    /// It answered with an error.
    case refused
    /// The guard did not execute the command, because a key is missing.
    case keyAbsent
    /// The store does not know or does not permit the guard's script.
    case guardMissing
    /// The guard executed the command, and the last key is a fragment.
    case leftFragment
    /// It executed a script, and had others of its keys than the default store; or it moved an element that is not the
    /// one of the default store, since it has an older value of the key until a copy arrives.
    case hadOtherKeys
  }

  private(set) var state = State.executing(asksForDeadline: false)

  /// The command that the other store is to get, or that is in flight to it.
  var form: Form? {
    switch state {
    case .ready(let form), .sent(let form): form
    default: nil
    }
  }

  /// Whether the other store is to get a command that is not guarded.
  var isUnguarded: Bool {
    switch form {
    case .read, .plain: true
    case .guarded, nil: false
    }
  }

  /// Whether the two stores' replies have the same meaning. Asked before the other store's reply is judged.
  var isComparable: Bool {
    switch form {
    case .plain(let isComparable), .guarded(_, let isComparable): isComparable
    case .read: true
    case nil: false
    }
  }

  /// The keys that the other store gets whole.
  var keysToCopy: KeySelection? { if case .copyingKeys(let selection) = state { selection } else { nil } }

  /// Whether the command reads, and the other store executes it too.
  var isRead: Bool {
    switch state {
    case .ready(.read), .sent(.read), .answered: true
    default: false
    }
  }

  /// Whether the other store did not execute the command.
  var wasSkipped: Bool {
    switch state {
    case .failed, .copyingKeys: true
    default: false
    }
  }

  /// Whether a write was sent to the other store, whatever its outcome.
  var wasWritten: Bool {
    switch state {
    case .copied, .failed: true
    default: false
    }
  }

  /// Whether the default store was asked for the deadline, and has answered neither the command nor that.
  var isAskingForDeadline: Bool { if case .executing(asksForDeadline: true) = state { true } else { false } }

  /// Whether the copy may still change the client's reply, or delay it.
  var isPending: Bool {
    switch state {
    case .awaitingDeadline, .planning, .ready, .sent, .copyingKeys: true
    case .executing, .ignoringDeadline, .copied, .failed, .answered, .uncopied: false
    }
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("the copy of an effect gets the event '\(event)' in the state \(state)")
  }
}

// MARK: The default store

extension EffectCopy {
  /// The default store was asked for the deadline of the command's key, right behind the command.
  mutating func askedForDeadline() {
    guard case .executing(asksForDeadline: false) = state else { impossible("asked for the deadline") }
    state = .executing(asksForDeadline: true)
  }

  /// The default store answered a read, which the other store executes as well.
  mutating func readReplied() {
    guard case .executing(asksForDeadline: false) = state else { impossible("read replied") }
    state = .ready(.read)
  }

  /// The default store answered, or failed, which has no effect that could be copied.
  mutating func defaultStoreReplied(hasEffect: Bool) -> Action {
    guard case .executing(let asksForDeadline) = state else { impossible("default store replied") }
    if asksForDeadline {
      state = hasEffect ? .awaitingDeadline : .ignoringDeadline
      return .wait
    }
    state = hasEffect ? .planning : .uncopied
    return hasEffect ? .plan : .finish
  }

  /// The default store has answered with the key's deadline, or could not.
  mutating func deadlineKnown() -> Action {
    switch state {
    case .awaitingDeadline:
      state = .planning
      return .plan
    case .ignoringDeadline:
      state = .uncopied
      return .finish
    default: impossible("deadline known")
    }
  }

  /// The copy was planned. A command that is to be sent may be guarded before it is.
  mutating func planned(_ plan: CopyPlan) -> Action {
    guard case .planning = state else { impossible("planned") }
    switch plan {
    case .verbatim: state = .ready(.plain(isComparable: true))
    case .rewritten(let isComparable): state = .ready(.plain(isComparable: isComparable))
    case .keys(let selection):
      state = .copyingKeys(selection)
      return .copyKeys(selection)
    case .noEffect:
      state = .uncopied
      return .finish
    case .notRepeatable:
      state = .uncopied
      return .leaveUncopied
    }
    return .send
  }

  /// The command changes a part of its keys, and was wrapped at `range`; nil if it can't be used, because the
  /// other store's value of a key is outdated or the command is too long.
  mutating func guarded(at range: Range<Int>?) -> Action {
    guard case .ready(.plain(let isComparable)) = state else { impossible("guarded") }
    guard let range else {
      state = .copyingKeys(.all)
      return .copyKeys(.all)
    }
    state = .ready(.guarded(range, isComparable: isComparable))
    return .send
  }
}

// MARK: The other store

extension EffectCopy {
  /// The command was sent to the other store.
  mutating func wasSent() {
    guard case .ready(let form) = state else { impossible("sent") }
    state = .sent(form)
  }

  /// The other store answered.
  mutating func otherStoreReplied(_ answer: Answer) -> Action {
    guard case .sent(let form) = state else { impossible("other store replied") }
    switch (form, answer) {
    case (.read, _):
      state = .answered
      return .finish
    case (.guarded, .keyAbsent), (.guarded, .guardMissing):
      state = .copyingKeys(.all)
      return answer == .guardMissing ? .loadGuardAndCopyKeys : .copyKeys(.all)
    case (.guarded, .leftFragment):
      state = .copyingKeys(.last)
      return .copyKeys(.last)
    case (.plain, .hadOtherKeys), (.guarded, .hadOtherKeys):
      state = .copyingKeys(.all)
      return .copyKeys(.all)
    case (_, .refused):
      state = .failed
      return .noteStale
    case (_, .executed):
      state = .copied
      return .noteFresh
    case (.plain, _): impossible("the guard's answer")
    }
  }

  /// The command could not be sent to the other store, or its connection failed.
  mutating func failed() -> Action {
    guard let form else { impossible("failed") }
    state = form == .read ? .answered : .failed
    return form == .read ? .finish : .noteStale
  }
}
