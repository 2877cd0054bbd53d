internal import RESP

/// The digest of a large reply that was passed on to the client already, for the comparison with the other store's
/// reply.
///
/// Two replies that a ``ReplyComparer`` considers equal have the same digest. Others have the same one by chance in one
/// case of 2⁶⁴: the hash has 64 bits and is keyed per process.
struct ReplyDigest: Equatable {
  /// The first byte of the encoded reply.
  private let type: UInt8
  /// The bytes of a string, or the elements of an array.
  private let count: Int
  private let hash: Int

  /// Whether replies that are compared like this have digests. Times and scores, which may differ a little, have none.
  static func isPossible(_ comparison: Comparison, _ mode: ReplyComparison) -> Bool {
    if mode == .exact { return true }
    return switch comparison {
    case .ordered, .unordered, .unorderedPairs, .ignored: true
    case .seconds, .milliseconds, .scores: false
    }
  }

  /// Computes the digest of one encoded reply.
  init(_ reply: Span<UInt8>, _ comparison: Comparison, _ mode: ReplyComparison) {
    let header = Self.header(of: reply)
    type = reply.isEmpty ? 0 : reply[0]
    count = header.number
    let elementsAtOnce =
      switch (comparison, mode) {
      case (.unordered, .canonical): 1
      case (.unorderedPairs, .canonical) where header.number.isMultiple(of: 2): 2
      default: 0
      }
    if type == UInt8(ascii: "*"), elementsAtOnce > 0 {
      hash = Self.sum(reply, from: header.end, count: header.number, elementsAtOnce: elementsAtOnce)
    } else {
      hash = Self.hash(reply)
    }
  }

  /// The reply in the format of ``PipelineDiff/describe(_:isFull:)``.
  var description: String {
    let kind = type == UInt8(ascii: "*") ? "array of \(count) elements" : "string of \(count) bytes"
    return "\(kind) \(PipelineDiff.digest(hash))"
  }

  /// The number in the first line, and the offset of the next line.
  private static func header(of reply: Span<UInt8>) -> (number: Int, end: Int) {
    var (number, end) = (0, 1)
    while end < reply.count, case let digit = reply[end] &- UInt8(ascii: "0"), digit <= 9 {
      number = number &* 10 &+ Int(digit)
      end += 1
    }
    return (number, min(end + 2, reply.count))
  }

  /// The sum of the elements' hashes, which does not depend on their order.
  private static func sum(_ reply: Span<UInt8>, from start: Int, count: Int, elementsAtOnce: Int) -> Int {
    var (sum, position, left) = (0, start, count)
    while left > 0 {
      let first = position
      for _ in 0..<elementsAtOnce {
        var scanner = ReplyScanner()
        guard case .complete(let length) = scanner.scan(reply.extracting(position...)) else { return hash(reply) }
        position += length
      }
      sum &+= hash(reply.extracting(first..<position))
      left -= elementsAtOnce
    }
    return sum
  }

  private static func hash(_ bytes: Span<UInt8>) -> Int {
    var hasher = Hasher()
    bytes.hash(into: &hasher)
    return hasher.finalize()
  }
}
