/// The result of a ``KeyCopy``.
enum KeyCopyOutcome: Equatable {
  /// The source's value is on the target.
  case stored
  /// The source had no value.
  case missing
  /// There was nothing to do: the target has the key, or a client's command has replaced it.
  case unneeded
  /// Nothing was stored because the feature flags have changed: the default store has moved to the target, whose value
  /// is newer, or dual write is off.
  case overtaken
  /// It ended before anything was done.
  case withdrawn
  case failed(CopyFailure)

  var isOvertaken: Bool { if case .overtaken = self { true } else { false } }

  /// The failure of a copy that has failed.
  var failure: CopyFailure? { if case .failed(let failure) = self { failure } else { nil } }
}
