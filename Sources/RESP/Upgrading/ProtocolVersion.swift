/// The version of the protocol that a client speaks, as `HELLO` numbers them.
public enum ProtocolVersion: UInt8, CaseIterable, Sendable {
  /// RESP2: every client until it says something else.
  case resp2 = 2
  /// RESP3.
  case resp3 = 3
}
