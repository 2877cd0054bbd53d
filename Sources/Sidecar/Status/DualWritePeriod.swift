internal import MultiStore

/// Since when every write has gone to both stores, and both still have it. A change of the default between two dual
/// states does not end that; a store that was restarted may have lost everything, so it begins anew with it.
struct DualWritePeriod: Equatable, Sendable {
  private var routing: Routing?
  private var sinceMilliseconds: Int64 = 0
  /// In milliseconds since 1970; nil while writes go to one store.
  private(set) var beginMilliseconds: Int64?

  /// Looks at what is in force now, and since when, and at when a store was restarted last.
  mutating func note(_ routing: Routing, sinceMilliseconds: Int64, lastRestartMilliseconds: Int64?) {
    let hasDefaultMoved = self.routing.map { $0.isDual && $0.defaultStore != routing.defaultStore } ?? false
    if !routing.isDual {
      beginMilliseconds = nil
    } else if self.sinceMilliseconds != sinceMilliseconds, !hasDefaultMoved {
      // Begun anew, the same state was left in between.
      beginMilliseconds = sinceMilliseconds
    }
    if let begin = beginMilliseconds, let lastRestartMilliseconds {
      beginMilliseconds = max(begin, lastRestartMilliseconds)
    }
    self.routing = routing
    self.sinceMilliseconds = sinceMilliseconds
  }
}
