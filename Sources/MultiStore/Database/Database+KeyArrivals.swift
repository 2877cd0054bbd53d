public import RESP

/// Commands that wait until keys are copied to the default store; see ``KeyArrival``.
extension Database {
  /// Whether commands may have to wait for keys. False in the usual case, which is decided without a command.
  @inline(__always)
  public func mayAwaitKeys(_ routing: Routing) -> Bool {
    // No variable holds the store, since the reference would be counted.
    let isWhole = routing.defaultStore == .primary ? primary?.isWhole ?? secondary.isWhole : secondary.isWhole
    return !isWhole || routing.movesMissingKeys
  }

  /// Whether a key of `command` is stale on the default store, or being copied there. So it is with a command that
  /// empties a store.
  public func namesAwaitedKey(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) -> Bool {
    let store = store(routing.defaultStore)
    guard !store.isWhole else { return false }
    return spec.traits.contains(.empties) || spec.hasKey(ofCommand: command) { store.isAwaited($0) }
  }

  /// Whether `command` has to wait for keys, or until it is known that the default store has them.
  public func awaitsKeys(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) -> Bool {
    namesAwaitedKey(command, spec, routing: routing)
      || routing.movesMissingKeys && canMoveKeys && spec.dependsOnKeys(command)
  }

  /// Whether the secondary can be asked for keys that the primary lacks, and is trusted.
  var canMoveKeys: Bool { !secondary.stale.isDistrusted && secondary.ordinary.takesCommands }

  /// Whether a batch has to wait. A read that the primary executes with a fallback does not: the secondary is asked for
  /// keys that the primary lacks or that are stale there.
  func awaitsKeys(_ batch: CommandBatch, _ kind: BatchKind, _ routing: Routing, isOnOrdinary: Bool) -> Bool {
    if kind == .single, isOnOrdinary, !batch.spec(0).traits.contains(.iterates) {
      if batch.commandClass(0) == .read, routing.route(for: .read) == .primaryWithFallback {
        return batch.withCommand(0) { lacksKeysOnEachStore($0, batch.spec(0)) }
      }
    }
    return (0..<batch.count).contains { index in
      batch.withCommand(index) { awaitsKeys($0, batch.spec(index), routing: routing) }
    }
  }

  /// Whether neither store alone can answer a read with a fallback, which is one store's reply: each lacks a key. The
  /// default store then gets those that it lacks first.
  private func lacksKeysOnEachStore(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard let primary, !primary.isWhole, !secondary.isWhole else { return false }
    return (primary.isStale(command, spec) || primary.keysBeingCopied.hasKey(of: command, spec))
      && (secondary.family.mayHaveLostKeys || spec.hasKey(ofCommand: command) { secondary.isAwaited($0) })
  }

  /// Makes a batch wait for its keys, if necessary.
  ///
  /// - Returns: false if it is to be executed at once.
  func waitsForKeys(
    _ batch: CommandBatch,
    _ start: KeyArrival.Start,
    _ routing: Routing,
    _ sink: any ReplySink
  ) -> Bool {
    switch start {
    case .batch(let kind, let connection):
      guard awaitsKeys(batch, kind, routing, isOnOrdinary: connection == nil) else { return false }
      if kind == .single, connection == nil, guards(batch, routing) {
        let execution = pools.guardedWrites.take(for: routing.defaultStore, in: self)
        execution.start(batch, routing: routing, sink: sink)
        return true
      }
    case .blocking, .raw:
      guard awaitsKeys(batch, .single, routing, isOnOrdinary: false) else { return false }
    }
    KeyArrival(of: batch, to: start, routing: routing, in: self, for: sink).begin()
    return true
  }

  /// Whether the default store itself can check that it has the keys of a batch of one.
  private func guards(_ batch: CommandBatch, _ routing: Routing) -> Bool {
    routing.movesMissingKeys && GuardedWrite.isPossible(batch, in: self)
      && !batch.withCommand(0) { namesAwaitedKey($0, batch.spec(0), routing: routing) }
  }
}
