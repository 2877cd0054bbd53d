internal import MultiStore

/// The keys that a client watches, from its first WATCH to EXEC, DISCARD, UNWATCH or RESET. Connections are told apart
/// by their epoch, as ``HiredisConnection/epoch`` counts it.
struct WatchState {
  enum State: Equatable {
    /// Nothing is watched.
    case idle
    /// The session's own connection watches, from `epoch` on: it may not be ready yet.
    case watching(KeyWatch, epoch: Int)
    /// The first WATCH failed, and the client has got an error for it.
    case refused
    /// A key may have changed without anybody noticing.
    case lost(WatchLoss)
  }

  private(set) var state = State.idle

  /// The watch, while it is not known to be lost.
  var open: KeyWatch? {
    if case .watching(let watch, _) = state { watch } else { nil }
  }

  @inline(__always)
  var isOpen: Bool {
    if case .watching = state { true } else { false }
  }

  /// A WATCH is sent.
  ///
  /// - Parameters:
  ///   - epoch: the connection's when it executes the command.
  ///   - begin: registers the watch; not called when the client watches already, or has lost what it watched.
  mutating func begin(epoch: Int, _ begin: () -> KeyWatch) {
    switch state {
    case .idle, .refused: state = .watching(begin(), epoch: epoch)
    case .watching, .lost: return
    }
  }

  /// Looks whether the watch still holds.
  ///
  /// - Parameters:
  ///   - epoch: the connection's present one, or its last one.
  ///   - isReady: whether the connection can be used.
  ///   - isOnDefaultStore: whether the default store has not moved since the watch began.
  /// - Returns: the watch, if it was lost by this.
  mutating func check(epoch: Int, isReady: Bool, isOnDefaultStore: Bool) -> KeyWatch? {
    guard case .watching(_, let watchedEpoch) = state else { return nil }
    guard isOnDefaultStore else { return lose(.defaultMoved) }
    let isConnecting = !isReady && epoch < watchedEpoch
    return isConnecting || isReady && epoch == watchedEpoch ? nil : lose(.connectionLost)
  }

  /// A command got no reply since its connection failed, whose epoch is or was `epoch`.
  ///
  /// - Returns: the watch, if it was lost by this.
  mutating func connectionFailed(epoch: Int) -> KeyWatch? {
    guard case .watching(let watch, let watchedEpoch) = state else { return nil }
    guard epoch < watchedEpoch else { return lose(.connectionLost) }
    state = .refused
    return watch
  }

  /// The watch can't be relied on any more.
  ///
  /// - Returns: the watch, if there was one.
  mutating func lose(_ reason: WatchLoss) -> KeyWatch? {
    guard case .watching(let watch, _) = state else { return nil }
    state = .lost(reason)
    return watch
  }

  /// EXEC, or what else ends it.
  ///
  /// - Returns: what it was.
  mutating func end() -> State {
    defer { state = .idle }
    return state
  }
}
