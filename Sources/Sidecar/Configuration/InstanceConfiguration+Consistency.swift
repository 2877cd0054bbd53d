internal import MultiStore

/// The guarantees for reads where several sidecars serve the same stores.
extension InstanceConfiguration {
  /// Whether a client is answered before its write is on the new store, and clients of other sidecars read from there.
  var isReadBeforeCopies: Bool {
    primary != nil && readPolicy == .fallback && writeAcknowledgement == .defaultStore
  }

  /// The warning about that.
  static let readBeforeCopies =
    "with read_policy: fallback, clients of another sidecar can read what an acknowledged write has replaced; where "
    + "several sidecars serve the same stores, take read_policy: default_store"
}
