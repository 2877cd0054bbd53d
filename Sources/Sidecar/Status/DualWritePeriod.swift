internal import MultiStore

/// The time since which both stores have had every write. A change of the default store between two dual states does
/// not end it; a restart of a store, which may have lost its keys, restarts it.
struct DualWritePeriod: Equatable, Sendable {
  private var routing: Routing?
  private var sinceMilliseconds: Int64 = 0
  /// In milliseconds since 1970; nil while writes go to one store.
  private(set) var beginMilliseconds: Int64?

  /// Notes the current routing, when it began, and the last restart of a store.
  mutating func note(_ routing: Routing, sinceMilliseconds: Int64, lastRestartMilliseconds: Int64?) {
    let hasDefaultMoved = self.routing.map { $0.isDual && $0.defaultStore != routing.defaultStore } ?? false
    if !routing.isDual {
      beginMilliseconds = nil
    } else if self.sinceMilliseconds != sinceMilliseconds, !hasDefaultMoved {
      // The same state with another beginning was left in between.
      beginMilliseconds = sinceMilliseconds
    }
    if let begin = beginMilliseconds, let lastRestartMilliseconds {
      beginMilliseconds = max(begin, lastRestartMilliseconds)
    }
    self.routing = routing
    self.sinceMilliseconds = sinceMilliseconds
  }
}
