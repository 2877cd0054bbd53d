/// The way that a client's commands take in a test.
enum Route: CaseIterable, Sendable {
  /// To a redis-server without a sidecar: the reference.
  case direct
  /// Through a sidecar with both flags off.
  case off
  /// Dual writes, the secondary is the default store.
  case dual
  /// Dual writes, the primary is the default store.
  case dualPrimary
  /// The primary alone.
  case primaryOnly

  /// What the dual write flag says.
  var isDual: Bool { self == .dual || self == .dualPrimary }
  /// What the default flag says.
  var primaryIsDefault: Bool { self == .dualPrimary || self == .primaryOnly }
}
