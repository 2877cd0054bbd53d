/// Replies as they are on the wire, in RESP2 or RESP3, and what is left of them when something does not count.
public enum RESPBytes {
  /// The length of the whole reply that begins at `start`; nil while part of it is missing.
  ///
  /// - Throws: ``TestSupportError`` with code `malformed`.
  public static func length(of bytes: [UInt8], from start: Int = 0) throws -> Int? {
    var at = start
    var left = 1
    while left > 0 {
      guard let line = line(of: bytes, at: at) else { return nil }
      left -= 1
      at += line.count + 3
      let number = Int(text(line)) ?? 0
      switch bytes[at - line.count - 3] {
      case UInt8(ascii: "$"), UInt8(ascii: "="):
        if number >= 0 { at += number + 2 }
        guard at <= bytes.count else { return nil }
      case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"): left += max(0, number)
      case UInt8(ascii: "%"): left += 2 * number
      case let kind where "+-:_,#(".utf8.contains(kind): break
      default: throw TestSupportError(.malformed, "no reply: \(String(decoding: bytes[start...], as: UTF8.self))")
      }
    }
    return at - start
  }

  /// The reply with 0 for each number, lengths and counts included.
  public static func withoutNumbers(_ reply: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var isNumber = false
    for (index, byte) in reply.enumerated() {
      let digit = isDigit(byte)
      let isPart = isNumber && byte == UInt8(ascii: ".") && index + 1 < reply.count && isDigit(reply[index + 1])
      if digit && !isNumber {
        if result.last == UInt8(ascii: "-") { result.removeLast() }
        result.append(UInt8(ascii: "0"))
      } else if !digit && !isPart {
        result.append(byte)
      }
      isNumber = digit || isPart
    }
    return result
  }

  /// The kinds of the values, and how many are in each collection.
  public static func kinds(_ reply: [UInt8]) -> [UInt8] {
    map(reply) { kind, number, _ in
      "*~%>".utf8.contains(kind) ? [kind] + Array("\(number)".utf8) : [kind]
    }
  }

  /// The values, and the headers of the collections, in an order of their own.
  public static func sorted(_ reply: [UInt8]) -> [UInt8] {
    var values: [[UInt8]] = []
    _ = map(reply) { _, _, whole in
      values.append(whole)
      return []
    }
    return values.sorted { $0.lexicographicallyPrecedes($1) }.flatMap(\.self)
  }

  /// The reply as RESP2 has it.
  public static func downgraded(_ reply: [UInt8]) -> [UInt8] {
    map(reply) { kind, number, whole in
      let content = whole.dropFirst().dropLast(2)
      return switch kind {
      case UInt8(ascii: "_"): Array("$-1\r\n".utf8)
      case UInt8(ascii: ","): Array("$\(content.count)\r\n".utf8) + content + [13, 10]
      case UInt8(ascii: "~"), UInt8(ascii: ">"): Array("*\(number)\r\n".utf8)
      case UInt8(ascii: "%"): Array("*\(number * 2)\r\n".utf8)
      default: whole
      }
    }
  }

  /// What `transform` makes of each value, which it gets with its kind and its number; of a collection, the header.
  private static func map(_ reply: [UInt8], _ transform: (UInt8, Int, [UInt8]) -> [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while let line = line(of: reply, at: at) {
      let number = Int(text(line)) ?? 0
      var end = at + line.count + 3
      if "$=".utf8.contains(reply[at]), number >= 0 { end = min(reply.count, end + number + 2) }
      result += transform(reply[at], number, Array(reply[at..<end]))
      at = end
    }
    return result
  }

  /// The line at `at` without its kind and its end.
  private static func line(of bytes: [UInt8], at: Int) -> ArraySlice<UInt8>? {
    guard at < bytes.count, let end = bytes[at...].firstIndex(of: 13), end + 1 < bytes.count else { return nil }
    return bytes[(at + 1)..<end]
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
