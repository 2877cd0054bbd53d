/// The version of the protocol that a client speaks, as `HELLO` numbers them.
public enum ProtocolVersion: UInt8, CaseIterable, Sendable {
  /// RESP2, which every client speaks until it selects another version.
  case resp2 = 2
  /// RESP3.
  case resp3 = 3
}
