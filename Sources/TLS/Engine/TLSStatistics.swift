/// Counts of the handshakes of one ``TLSClient`` or ``TLSServer``.
public struct TLSStatistics: Sendable, Equatable {
  /// Handshakes that have succeeded.
  public private(set) var handshakes = 0
  /// The number of them that resumed an earlier session.
  public private(set) var resumptions = 0
  /// Failures by reason. Those before the first connection, such as files that cannot be read, count too.
  public internal(set) var failures: [TLSFailure.Reason: Int] = [:]
  /// The outcome of the latest handshake; nil before the first.
  public private(set) var last: TLSConnectionInfo?

  mutating func count(_ info: TLSConnectionInfo) {
    handshakes += 1
    if info.isResumed { resumptions += 1 }
    last = info
  }
}
