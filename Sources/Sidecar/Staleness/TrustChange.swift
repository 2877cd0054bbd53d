internal import MultiStore
internal import Status

/// The result of an operator's statement that a store is trusted. It decides by its values alone.
enum TrustChange: Equatable, Sendable {
  /// It was not trusted, and is now.
  case trusted(TrustLoss, sinceMilliseconds: Int64)
  /// It was trusted before.
  case alreadyTrusted
  /// It is the default store.
  case isDefault

  /// Judges a store before the change.
  init(_ role: StoreRole, defaultStore: StoreRole, trust: StoreTrust) {
    switch trust {
    case _ where role == defaultStore: self = .isDefault
    case .trusted: self = .alreadyTrusted
    case .lost(let loss, let since): self = .trusted(loss, sinceMilliseconds: since)
    }
  }

  /// The result as a sentence.
  func sentence(_ role: StoreRole, of instance: String) -> String {
    let store = "The \(role.label) store of \(instance)"
    return switch self {
    case .trusted(let loss, let since):
      "\(store) is trusted again. It was not trusted since \(HumanFormat.moment(milliseconds: since)), because "
        + "\(loss.explanation)."
    case .alreadyTrusted: "\(store) is trusted already; nothing was changed."
    case .isDefault:
      "\(store) is the default store: its values are the truth, and trust means nothing there. Nothing was changed."
    }
  }
}
