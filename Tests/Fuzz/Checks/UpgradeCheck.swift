internal import RESP

/// Any bytes as a reply that is upgraded to RESP3: what was no reply stays as it is, and what was one is one of RESP3
/// afterwards, with the same values in the same order.
///
/// The first byte chooses the shape, the rest is the reply; another reply is in front of it, and one that was consumed.
public enum UpgradeCheck {
  /// Upgrades what `data` holds, and throws what is wrong.
  public static func run(_ data: [UInt8]) throws(FuzzProblem) {
    guard let choice = data.first else { return }
    let shape = ReplyShape.allCases[Int(choice) % ReplyShape.allCases.count]
    let reply = Array(data.dropFirst())
    let upgraded = try upgrade(reply) { $0.upgradeReply(from: $1, as: shape) }
    try check(reply, upgraded, isShallow: [.same, .map, .set].contains(shape))
    if shape == .plain, let values = Values(of: reply), !values.hasNull, upgraded != reply {
      throw FuzzProblem("\(reply) became \(upgraded), without a null in it")
    }
    let header = Array("*2\r\n".utf8)
    let transaction = try upgrade(header + reply + reply) { buffer, start in
      buffer.upgradeTransaction(from: start, as: [shape, shape].span)
    }
    if Values(of: reply) != nil {
      try check(header + reply + reply, transaction, isShallow: false)
    }
  }

  /// What becomes of `reply`; throws if something becomes of the bytes before it.
  private static func upgrade(
    _ reply: [UInt8],
    by body: (inout ByteBuffer, Int) -> Void
  ) throws(FuzzProblem) -> [UInt8] {
    var buffer = ByteBuffer()
    let before = Array("+before\r\n".utf8)
    buffer.append("$8\r\nconsumed\r\n")
    buffer.append(before.span)
    buffer.append(reply.span)
    buffer.removeFirst(14)
    body(&buffer, before.count)
    let bytes = buffer.bytes
    guard bytes.starts(with: before) else { throw FuzzProblem("\(reply) changed what was before it: \(bytes)") }
    return Array(bytes.dropFirst(before.count))
  }

  private static func check(_ reply: [UInt8], _ upgraded: [UInt8], isShallow: Bool) throws(FuzzProblem) {
    guard upgraded != reply else { return }
    if isShallow, rest(reply) == rest(upgraded) { return }
    guard let values = Values(of: reply) else { throw FuzzProblem("\(reply), no reply, became \(upgraded)") }
    guard let after = Values(of: upgraded) else { throw FuzzProblem("\(reply) became no reply: \(upgraded)") }
    guard values.leaves == after.leaves else {
      throw FuzzProblem("\(values.leaves) became \(after.leaves): \(reply), \(upgraded)")
    }
  }

  /// What follows the first line.
  private static func rest(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    bytes.firstIndex(of: 10).map { bytes[($0 + 1)...] }
  }
}

/// The values of a reply in RESP2 or RESP3 that aren't collections.
private struct Values {
  /// Their contents in order; nil for null.
  var leaves: [[UInt8]?] = []

  var hasNull: Bool { leaves.contains(nil) }

  /// Nil if `bytes` aren't one whole reply, with or without more behind it.
  init?(of bytes: [UInt8]) {
    var at = 0
    var left = 1
    while left > 0 {
      guard at < bytes.count, let end = Self.lineEnd(bytes, at + 1) else { return nil }
      left -= 1
      let kind = bytes[at]
      let line = bytes[(at + 1)..<end]
      at = end + 2
      switch kind {
      case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: ","): leaves.append(Array(line))
      case UInt8(ascii: "_"): leaves.append(nil)
      default:
        guard let number = Self.number(line) else { return nil }
        if number < 0 {
          leaves.append(nil)
        } else if kind == UInt8(ascii: "$") || kind == UInt8(ascii: "=") {
          guard number + 2 <= bytes.count - at, bytes[at + number] == 13, bytes[at + number + 1] == 10 else {
            return nil
          }
          let isVerbatim = kind == UInt8(ascii: "=")
          guard !isVerbatim || number >= 4 else { return nil }
          leaves.append(Array(bytes[(at + (isVerbatim ? 4 : 0))..<at + number]))
          at += number + 2
        } else if "*~%".utf8.contains(kind) {
          left += kind == UInt8(ascii: "%") ? 2 * number : number
          guard left <= bytes.count else { return nil }
        } else {
          return nil
        }
      }
    }
  }

  private static func lineEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
    var at = start
    while at + 1 < bytes.count {
      if bytes[at] == 13, bytes[at + 1] == 10 { return at }
      at += 1
    }
    return nil
  }

  /// Digits, or -1.
  private static func number(_ line: ArraySlice<UInt8>) -> Int? {
    if line.elementsEqual("-1".utf8) { return -1 }
    guard !line.isEmpty, line.count <= 12, line.allSatisfy({ $0 >= 48 && $0 < 58 }) else { return nil }
    return line.reduce(0) { $0 * 10 + Int($1 - 48) }
  }
}
