/// Whether the sidecar can serve clients.
enum Readiness: Hashable {
  /// Every default store is up.
  case ready
  /// These stores are down.
  case unready([UnreadyStore])
  /// The sidecar is stopping; no new client should connect.
  case shuttingDown
}

/// A store that an instance needs and that is down.
struct UnreadyStore: Hashable {
  /// The instance's name.
  let instance: String
  /// The store's name, such as `primary`.
  let store: String
  /// The reason why it is down, without secrets.
  let reason: String
}
