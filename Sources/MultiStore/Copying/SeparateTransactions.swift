internal import Hiredis

/// Transactions that watch keys run on connections of their own. What the ordinary connection or another one of these
/// is answered meanwhile may have been executed before or after, and then the copies may stand in another order than
/// the default store's. This tells when that can't be. Loop-confined.
struct SeparateTransactions {
  /// What was true when a transaction began that nothing else was going on beside.
  struct Beginning: Equatable {
    fileprivate let ordinaryReplies: UInt64
    fileprivate let begun: UInt64
  }

  private var active = 0
  private var begun: UInt64 = 0

  /// A transaction begins.
  ///
  /// - Returns: nil if something is under way even now.
  mutating func begin(beside ordinary: HiredisConnection) -> Beginning? {
    let isAlone = active == 0 && ordinary.inFlightCount == 0
    active += 1
    begun += 1
    return isAlone ? Beginning(ordinaryReplies: ordinary.replyCount, begun: begun) : nil
  }

  /// True when nothing else has been executed since it began.
  func wasAlone(since beginning: Beginning?, beside ordinary: HiredisConnection) -> Bool {
    ordinary.inFlightCount == 0 && beginning == Beginning(ordinaryReplies: ordinary.replyCount, begun: begun)
  }

  mutating func end() {
    active -= 1
  }
}
