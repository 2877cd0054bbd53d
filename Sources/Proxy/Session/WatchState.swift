internal import MultiStore

/// The keys that a client watches, from its first WATCH to EXEC, DISCARD, UNWATCH or RESET. Connections are
/// distinguished by their epoch, as ``HiredisConnection/epoch`` counts it.
struct WatchState {
  enum State: Equatable {
    /// Nothing is watched.
    case idle
    /// The session's own connection watches, from `epoch` on: it may not be ready yet. `commands` is the number of
    /// WATCH commands.
    case watching(KeyWatch, epoch: Int, commands: Int)
    /// A key may have changed unnoticed.
    case lost(WatchLoss)
  }

  private(set) var state = State.idle

  /// The watch, unless it is known to be lost.
  var open: KeyWatch? {
    if case .watching(let watch, _, _) = state { watch } else { nil }
  }

  @inline(__always)
  var isOpen: Bool {
    if case .watching = state { true } else { false }
  }

  /// Records that a WATCH is sent.
  ///
  /// - Parameters:
  ///   - epoch: the connection's when it executes the command.
  ///   - begin: registers the watch; not called when the client watches already, or has lost what it watched.
  mutating func begin(epoch: Int, _ begin: () -> KeyWatch) {
    switch state {
    case .idle: state = .watching(begin(), epoch: epoch, commands: 1)
    case .watching(let watch, let epoch, let commands):
      state = .watching(watch, epoch: epoch, commands: commands + 1)
    case .lost: return
    }
  }

  /// Records that the last WATCH was answered with an error and not executed: as on a server it has no effect.
  ///
  /// - Returns: the watch, if this was its only command.
  mutating func refused() -> KeyWatch? {
    guard case .watching(let watch, let epoch, let commands) = state else { return nil }
    state = commands > 1 ? .watching(watch, epoch: epoch, commands: commands - 1) : .idle
    return commands > 1 ? nil : watch
  }

  /// Checks whether the watch is still valid.
  ///
  /// - Parameters:
  ///   - epoch: the connection's present one, or its last one.
  ///   - isReady: whether the connection can be used.
  ///   - isOnDefaultStore: whether the default store has not moved since the watch began.
  /// - Returns: the watch, if this call has found it lost.
  mutating func check(epoch: Int, isReady: Bool, isOnDefaultStore: Bool) -> KeyWatch? {
    guard case .watching(_, let watchedEpoch, _) = state else { return nil }
    guard isOnDefaultStore else { return lose(.defaultMoved) }
    let isConnecting = !isReady && epoch < watchedEpoch
    return isConnecting || isReady && epoch == watchedEpoch ? nil : lose(.connectionLost)
  }

  /// Records that a command got no reply because its connection failed. Before the connection was ready, nothing was
  /// watched, and the only WATCH watches nothing if it is the command.
  ///
  /// - Parameters:
  ///   - epoch: the connection's present one, or its last one.
  ///   - isLastWatch: whether the command is the last WATCH.
  /// - Returns: the watch, if this call has found it lost.
  mutating func connectionFailed(epoch: Int, isLastWatch: Bool) -> KeyWatch? {
    guard case .watching(let watch, let watchedEpoch, let commands) = state else { return nil }
    guard epoch < watchedEpoch || isLastWatch && commands == 1 else { return lose(.connectionLost) }
    state = .idle
    return watch
  }

  /// Records that the watch can't be relied on any more.
  ///
  /// - Returns: the watch, if there was one.
  mutating func lose(_ reason: WatchLoss) -> KeyWatch? {
    guard case .watching(let watch, _, _) = state else { return nil }
    state = .lost(reason)
    return watch
  }

  /// Ends the watch, because of EXEC or another command that ends it.
  ///
  /// - Returns: the state before.
  mutating func end() -> State {
    defer { state = .idle }
    return state
  }
}
