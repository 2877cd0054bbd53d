/// Finds the end of one RESP2 reply in bytes that arrive in pieces, without decoding it, for replies that are passed on
/// unchanged.
///
/// It counts the values that are still to come and nothing else, so that no nesting is too deep for it and no reply
/// makes it allocate.
public struct ReplyScanner: Sendable {
  /// The outcome of a scan.
  public enum Outcome: Equatable, Sendable {
    /// The reply is not whole yet: call again with the same bytes and more.
    case needsMore
    /// The reply takes `length` bytes.
    case complete(length: Int)
    /// The bytes are not RESP2.
    case malformed
  }

  /// A length or a number takes fewer bytes than this; longer ones are malformed.
  private static let longestNumberLine = 32
  /// More values or bytes in one reply than any server sends.
  private static let mostValues = 1 << 40

  /// Everything before this position was examined and belongs to the reply.
  private var position = 0
  /// The position up to which the line at `position` was searched for its end.
  private var searched = 0
  private var valuesLeft = 1

  /// Creates a scanner at the beginning of a reply.
  public init() {}

  /// Searches for the end of the reply that `bytes` begins with.
  public mutating func scan(_ bytes: Span<UInt8>) -> Outcome {
    while valuesLeft > 0 {
      guard position < bytes.count else { return .needsMore }
      let type = bytes[position]
      guard let lineEnd = lineEnd(in: bytes) else {
        let isText = type == UInt8(ascii: "+") || type == UInt8(ascii: "-")
        return isText || bytes.count - position < Self.longestNumberLine ? .needsMore : .malformed
      }
      var next = lineEnd + 2
      switch type {
      case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"): valuesLeft -= 1
      case UInt8(ascii: "$"):
        guard let length = number(in: bytes, upTo: lineEnd) else { return .malformed }
        if length >= 0 {
          next += length + 2
          guard next <= bytes.count else { return .needsMore }
          guard bytes[next - 2] == UInt8(ascii: "\r"), bytes[next - 1] == UInt8(ascii: "\n") else { return .malformed }
        }
        valuesLeft -= 1
      case UInt8(ascii: "*"):
        guard let count = number(in: bytes, upTo: lineEnd) else { return .malformed }
        valuesLeft += max(0, count) - 1
        guard valuesLeft <= Self.mostValues else { return .malformed }
      default: return .malformed
      }
      position = next
      searched = next
    }
    return .complete(length: position)
  }

  /// Returns the position of the CRLF that ends the line at `position`.
  private mutating func lineEnd(in bytes: Span<UInt8>) -> Int? {
    var at = max(searched, position)
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "\r"), bytes[at + 1] == UInt8(ascii: "\n") {
        searched = at
        return at
      }
      at += 1
    }
    searched = at
    return nil
  }

  /// Returns the length that the line at `position` gives: -1 for nil, and nothing else below 0.
  private func number(in bytes: Span<UInt8>, upTo end: Int) -> Int? {
    guard end - position < Self.longestNumberLine,
      let number = bytes.extracting(position + 1..<end).decimal, number >= -1, number <= Self.mostValues
    else { return nil }
    return number
  }
}
