/// Decides what the end of a ``KeyCopy`` means for the mark of its key, for the check of quiet keys, and for the
/// counters. It reads no other state, and changes none.
struct KeyCopyAccounting {
  let verb: KeyVerb
  /// Whether no client waited for the copy.
  let isInBackground: Bool
  /// Whether the target is the default store now.
  let isToDefaultStore: Bool
  /// Whether the source had no value, and the target's stays.
  let keepsTarget: Bool

  /// The consequences of one outcome.
  struct Consequences: Equatable {
    /// The reason for which the key is stale on the target from now on.
    var mark: StaleReason?
    /// Whether a mark that is older than the copy is cleared.
    var clearsMark = false
    /// Whether the key is compared once it is quiet.
    var isChecked = false
    /// Whether the copy counts as one that a client's command needed.
    var isCounted = false
  }

  /// Returns the consequences of `outcome`.
  func consequences(of outcome: KeyCopyOutcome) -> Consequences {
    let replaces = verb == .copyOver
    switch outcome {
    case .failed(let failure): return Consequences(mark: replaces ? StaleReason(failure.reason) : nil)
    // Without dual write: a client's write may have counted on it.
    case .overtaken: return Consequences(mark: replaces && !isToDefaultStore ? .dualWriteOff : nil)
    case .stored where verb == .copyIfAbsent: return Consequences(isCounted: !isInBackground)
    case .stored, .missing, .unneeded, .withdrawn:
      guard replaces else { return Consequences() }
      // A check would find a key too many where the target's stays, and remove it.
      return Consequences(
        clearsMark: true,
        isChecked: !isToDefaultStore && !keepsTarget,
        isCounted: !isInBackground
      )
    }
  }
}
