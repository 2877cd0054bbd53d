internal import Hiredis
internal import RESP

/// Copying whole keys, so that a store never holds a fragment of one.
extension Database {
  /// Copies the keys of `command` that `selection` names from the default store to the other.
  ///
  /// - Parameters:
  ///   - isOnOrdinary: true when the default store's reply came over its ordinary connection. A dump that is in flight
  ///     on it then contains the command.
  ///   - waiter: notified once for each copy.
  /// - Returns: the number of copies of which the waiter will be notified.
  func copyKeys(
    of command: Span<UInt8>,
    _ spec: CommandSpec,
    _ selection: KeySelection,
    from role: StoreRole,
    isOnOrdinary: Bool = true,
    for waiter: any KeyCopyWaiter
  ) -> Int {
    var keys: [[UInt8]] = []
    spec.forEachKey(ofCommand: command) { keys.append($0.array) }
    switch selection {
    case .all: keys = Set(keys).sorted { $0.lexicographicallyPrecedes($1) }
    case .first: keys = Array(keys.prefix(1))
    case .last: keys = Array(keys.suffix(1))
    case .one(let key): keys = [key]
    }
    for key in keys { copy(key, from: role, isOnOrdinary: isOnOrdinary, for: waiter) }
    guard let number = spec.otherDatabase(ofCommand: command), let last = keys.last else { return keys.count }
    guard let other = instance.reach(number) else {
      let failure = CopyFailure(.notConnected(reason: "database \(number) can't be reached"))
      reporter.keyCopyFailed(to: store(role.other), failure)
      return keys.count
    }
    // The dump is asked for after the command was answered, over a connection that is not ordered with this one.
    other.copy(last, from: role, isOnOrdinary: false, for: waiter)
    return keys.count + 1
  }

  private func copy(_ key: [UInt8], from role: StoreRole, isOnOrdinary: Bool, for waiter: any KeyCopyWaiter) {
    let target = store(role.other)
    guard !target.isDefault else {
      // The default store moved while the command was executed, without waiting any longer. The new one lacks the
      // write: commands that name the key wait for the copy.
      target.markStale(key: key, because: .uncopied)
      _ = bring(key, .copyOver, afterWrites: true, for: waiter)
      return
    }
    // From now on it lacks a write, whatever it may have more.
    if target.stale.mark(of: key)?.reason.isUnacknowledged == true { target.markStale(key: key, because: .uncopied) }
    if isOnOrdinary, let pending = pendingDumps[key] { return pending.add(waiter) }
    rechecks?.noteChange(of: key.span)
    let copy = KeyCopy(key, .copyOver, from: store(role), to: target, of: self)
    pendingDumps.insert(copy)
    copy.add(waiter)
    copy.begin()
  }
}

/// Stale keys, and keys that are copied to the default store.
extension Database {
  /// Copies a stale key in the background, from the store that has its value. Writes that arrive meanwhile stay in
  /// order.
  func heal(_ key: [UInt8], on target: Store, for waiter: any KeyCopyWaiter) {
    rechecks?.noteChange(of: key.span)
    let copy = KeyCopy(key, .copyOver, from: store(target.role.other), to: target, of: self, isInBackground: true)
    // Clients' copies join only copies to the other store.
    if !target.isDefault { pendingDumps.insert(copy) }
    copy.add(waiter)
    copy.begin()
  }

  /// Whether a stale key of `target` may be copied there in the background: no client's command does so, and the source
  /// does not wait for the key itself.
  func mayHeal(_ key: [UInt8], on target: Store) -> Bool {
    target.keysBeingCopied.latest(of: key) == nil && (target.isDefault || !defaultStore.isAwaited(key.span))
  }

  /// Copies a key from the other store to the default one, for a command that names it and waits. No other command that
  /// names it is executed meanwhile. If a copy is in flight already, the waiter is added to it, and another copy may be
  /// needed afterwards.
  ///
  /// - Parameters:
  ///   - verb: `copyOver` for a key that is stale on the default store, `copyIfAbsent` for one that it lacks.
  ///   - afterWrites: whether writes in flight there may name the key, since it was not stale before. They have to be
  ///     done, and their copies as well: one of them may have been the last to find the key, and a pipeline copies
  ///     whole keys when the other store has answered the rest.
  ///   - waiter: notified once.
  /// - Returns: the copy, if it was begun.
  func bring(_ key: [UInt8], _ verb: KeyVerb, afterWrites: Bool, for waiter: any KeyCopyWaiter) -> KeyCopy? {
    let store = defaultStore
    if let copy = store.keysBeingCopied.latest(of: key) {
      copy.add(waiter)
      return nil
    }
    let copy = KeyCopy(key, verb, from: self.store(store.role.other), to: store, of: self)
    copy.add(waiter)
    guard afterWrites else {
      copy.begin()
      return copy
    }
    let source = self.store(store.role.other)
    store.fence(hasBlocked: !instance.blockedCommands.isEmpty) {
      source.fence(hasBlocked: false) { copy.beginOnceSettled() }
    }
    return copy
  }
}

/// The keys of a command that are copied whole.
enum KeySelection: Equatable {
  case all
  case first
  case last
  /// One that the reply names.
  case one([UInt8])
}
