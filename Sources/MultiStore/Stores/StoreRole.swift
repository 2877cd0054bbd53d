/// The role of one of an instance's two stores: fixed by configuration, never swapped in code.
public enum StoreRole: Hashable, Sendable, CaseIterable {
  /// The new Redis, the one being migrated to.
  case primary
  /// The old Redis, the one being migrated from.
  case secondary

  /// The role of the other store.
  public var other: StoreRole {
    switch self {
    case .primary: .secondary
    case .secondary: .primary
    }
  }

  /// The value of the label `store`.
  public var label: String {
    switch self {
    case .primary: "primary"
    case .secondary: "secondary"
    }
  }

  /// The role whose label has this value.
  public init?(label: String) {
    guard let role = Self.allCases.first(where: { $0.label == label }) else { return nil }
    self = role
  }

  /// The store's name in GitLab's messages.
  var messageName: String { "\(label)_store" }
}
