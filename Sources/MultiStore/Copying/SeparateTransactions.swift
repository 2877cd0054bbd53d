internal import Hiredis

/// Transactions that watch keys run on connections of their own. Commands that are answered meanwhile on the ordinary
/// connection, or on another one of these, may have been executed before or after, and then the copies may be in
/// another order than the default store's. This detects when they can't be. Loop-confined.
struct SeparateTransactions {
  /// The state at the beginning of a transaction with nothing else in flight.
  struct Beginning: Equatable {
    fileprivate let ordinaryReplies: UInt64
    fileprivate let begun: UInt64
  }

  private var active = 0
  private var begun: UInt64 = 0

  /// Begins a transaction.
  ///
  /// - Returns: nil if something else is in flight already.
  mutating func begin(beside ordinary: HiredisConnection) -> Beginning? {
    let isAlone = active == 0 && ordinary.inFlightCount == 0
    active += 1
    begun += 1
    return isAlone ? Beginning(ordinaryReplies: ordinary.replyCount, begun: begun) : nil
  }

  /// Whether nothing else has been executed since `beginning`.
  func wasAlone(since beginning: Beginning?, beside ordinary: HiredisConnection) -> Bool {
    ordinary.inFlightCount == 0 && beginning == Beginning(ordinaryReplies: ordinary.replyCount, begun: begun)
  }

  mutating func end() {
    active -= 1
  }
}
