/// The error of a client's input that is not RESP. The texts are those of a Redis server, so that the client's
/// developer recognises them.
public struct ProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The mistake, without the `ERR Protocol error: ` before it.
  public let reason: String

  /// The text of the error reply, without the leading `-`.
  public var description: String { "ERR Protocol error: \(reason)" }

  static let invalidMultibulkLength = ProtocolError(reason: "invalid multibulk length")
  static let invalidBulkLength = ProtocolError(reason: "invalid bulk length")
  static let unauthenticatedMultibulkLength = ProtocolError(reason: "unauthenticated multibulk length")
  static let unauthenticatedBulkLength = ProtocolError(reason: "unauthenticated bulk length")
  static let tooBigMultibulkCount = ProtocolError(reason: "too big mbulk count string")
  static let tooBigBulkCount = ProtocolError(reason: "too big bulk count string")
  static let tooBigInline = ProtocolError(reason: "too big inline request")
  /// The quotes of an inline command are not closed, or something follows a closing one.
  public static let unbalancedQuotes = ProtocolError(reason: "unbalanced quotes in request")
  /// The client has begun TLS, which this port does not have.
  public static let handshakeOfTLS = ProtocolError(reason: "this port does not speak TLS; connect without it")
  static let unterminatedLine = ProtocolError(reason: "expected LF after CR")
  static let unterminatedBulk = ProtocolError(reason: "expected CRLF after bulk string")

  static func expectedBulk(got byte: UInt8) -> ProtocolError {
    // A byte that is no printable ASCII would end up raw in the error line.
    let shown = (0x20...0x7e).contains(byte) ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
    return ProtocolError(reason: "expected '$', got '\(shown)'")
  }
}
