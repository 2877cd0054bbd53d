internal import RESP

/// Compares two stores' replies to the same command.
struct ReplyComparer {
  /// The largest difference between two times that count as equal, in milliseconds: the two stores were asked at
  /// different moments, and a reply in seconds is rounded as well.
  static let toleranceMilliseconds = 1000

  let mode: ReplyComparison

  /// Whether the encoded replies are equal by the rules of `comparison`.
  func areEqual(_ comparison: Comparison, _ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
    // Nearly all replies are equal to the byte, and then nothing has to be decoded.
    if first.hasSameBytes(as: second) { return true }
    if mode == .exact { return false }
    if comparison == .ignored { return true }
    guard comparison != .ordered || Self.isError(first) else { return false }
    var firstPosition = 0
    var secondPosition = 0
    guard let first = RESPValue.decode(first, at: &firstPosition),
      let second = RESPValue.decode(second, at: &secondPosition)
    else { return false }
    return areEqual(comparison, first, second)
  }

  /// Whether a reply is the error of a server that can't execute anything at the moment, or no writes. Servers take one
  /// read for a write: SORT without STORE.
  static func isRefusal(_ reply: Span<UInt8>) -> Bool {
    guard isError(reply) else { return false }
    let beginning = reply.extracting(1..<min(reply.count, 16)).array
    return ServerErrorCode(errorReply: String(decoding: beginning, as: UTF8.self))?.isOfServer == true
  }

  private static func isError(_ reply: Span<UInt8>) -> Bool {
    !reply.isEmpty && reply[0] == UInt8(ascii: "-")
  }

  private func areEqual(_ comparison: Comparison, _ first: RESPValue, _ second: RESPValue) -> Bool {
    switch (first, second) {
    case (.error(let first), .error(let second)):
      // Servers of different versions word the same refusal differently; its code, the first word, is the same.
      return first.prefix { $0 != " " } == second.prefix { $0 != " " }
    case (.integer(let first), .integer(let second)):
      guard let unit = Self.unitMilliseconds(comparison), first >= 0, second >= 0 else { return first == second }
      return (first - second).magnitude <= Self.toleranceMilliseconds / unit
    case (.array(let first), .array(let second)):
      guard first.count == second.count else { return false }
      return areEqual(comparison, first, second)
    case (.string(let first), .string(let second)):
      return first == second || (comparison == .scores && Self.sameNumber(first, second))
    default:
      return first == second
    }
  }

  private func areEqual(_ comparison: Comparison, _ first: [RESPValue], _ second: [RESPValue]) -> Bool {
    switch comparison {
    case .unordered:
      return Self.counted(first) == Self.counted(second)
    case .unorderedPairs where first.count.isMultiple(of: 2):
      return Self.counted(Self.pairs(first)) == Self.counted(Self.pairs(second))
    default:
      return zip(first, second).allSatisfy { areEqual(comparison, $0, $1) }
    }
  }

  private static func unitMilliseconds(_ comparison: Comparison) -> Int? {
    switch comparison {
    case .seconds: 1000
    case .milliseconds: 1
    default: nil
    }
  }

  private static func counted<Value: Hashable>(_ values: [Value]) -> [Value: Int] {
    values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  private static func pairs(_ values: [RESPValue]) -> [[RESPValue]] {
    stride(from: 0, to: values.count, by: 2).map { [values[$0], values[$0 + 1]] }
  }

  private static func sameNumber(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    guard let first = Double(String(decoding: first, as: UTF8.self)),
      let second = Double(String(decoding: second, as: UTF8.self))
    else { return false }
    return first == second
  }
}
