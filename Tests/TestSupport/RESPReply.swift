/// A reply in RESP2, as a test sees it on the wire.
///
/// Made apart from the product's own types on purpose: two readings of the protocol that agree prove more than one.
public enum RESPReply: Hashable, Sendable {
  /// `+text`.
  case simple(String)
  /// `-text`.
  case error(String)
  /// `:number`.
  case integer(Int)
  /// `$bytes`, or nil.
  case bulk([UInt8]?)
  /// `*elements`, or nil.
  case array([RESPReply]?)

  /// `+OK`.
  public static let ok = RESPReply.simple("OK")
  /// The nil of one value, `$-1`.
  public static let null = RESPReply.bulk(nil)

  /// A bulk string with the UTF-8 of `text`.
  public static func text(_ text: String) -> RESPReply { .bulk(Array(text.utf8)) }

  /// The text of a simple or bulk string or of an error; nil for anything else.
  public var string: String? {
    switch self {
    case .simple(let text), .error(let text): text
    case .bulk(let bytes?): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }

  /// The number of an integer reply; nil for anything else.
  public var integer: Int? {
    if case .integer(let number) = self { number } else { nil }
  }

  /// The elements of an array that isn't nil; nil for anything else.
  public var elements: [RESPReply]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The text of an error; nil for anything else.
  public var errorText: String? {
    if case .error(let text) = self { text } else { nil }
  }
}

extension RESPReply: CustomStringConvertible {
  /// Short enough for a failing test's output: long strings are cut.
  public var description: String {
    switch self {
    case .simple(let text): "+\(text)"
    case .error(let text): "-\(text)"
    case .integer(let number): ":\(number)"
    case .bulk(nil), .array(nil): "nil"
    case .bulk(let bytes?):
      bytes.count <= 200
        ? "\"\(String(decoding: bytes, as: UTF8.self))\""
        : "\"\(String(decoding: bytes.prefix(100), as: UTF8.self))…\" (\(bytes.count) bytes)"
    case .array(let elements?): "\(elements)"
    }
  }
}

/// Reads replies out of bytes that arrive in pieces.
struct RESPReader {
  private var bytes: [UInt8] = []
  private var position = 0

  /// Bytes that no reply was made of yet.
  var rest: ArraySlice<UInt8> { bytes[position...] }

  mutating func append(_ more: [UInt8]) {
    if position > 65536, position > bytes.count / 2 {
      bytes.removeFirst(position)
      position = 0
    }
    bytes += more
  }

  mutating func removeAll() {
    bytes = []
    position = 0
  }

  /// Takes the first `count` bytes, which are there.
  mutating func take(_ count: Int) -> [UInt8] {
    defer { position += count }
    return Array(rest.prefix(count))
  }

  /// The next reply if it is there as a whole.
  mutating func next() throws -> RESPReply? {
    let start = position
    guard let reply = try readValue() else {
      position = start
      return nil
    }
    return reply
  }

  private mutating func readValue() throws -> RESPReply? {
    guard let line = readLine() else { return nil }
    guard let kind = line.first else { throw malformed("an empty line") }
    let text = String(decoding: line.dropFirst(), as: UTF8.self)
    switch kind {
    case UInt8(ascii: "+"): return .simple(text)
    case UInt8(ascii: "-"): return .error(text)
    case UInt8(ascii: ":"): return .integer(try number(text))
    case UInt8(ascii: "$"): return try readBulk(count: try number(text))
    case UInt8(ascii: "*"): return try readArray(count: try number(text))
    default: throw malformed("a reply of unknown kind: \(String(decoding: line, as: UTF8.self))")
    }
  }

  private mutating func readBulk(count: Int) throws -> RESPReply? {
    if count == -1 { return .bulk(nil) }
    guard count >= 0 else { throw malformed("a bulk string of \(count) bytes") }
    guard bytes.count - position >= count + 2 else { return nil }
    let value = Array(bytes[position..<position + count])
    position += count + 2
    guard bytes[position - 2] == 13, bytes[position - 1] == 10 else { throw malformed("a bulk string without its end") }
    return .bulk(value)
  }

  private mutating func readArray(count: Int) throws -> RESPReply? {
    if count == -1 { return .array(nil) }
    guard count >= 0 else { throw malformed("an array of \(count)") }
    var elements: [RESPReply] = []
    for _ in 0..<count {
      guard let element = try readValue() else { return nil }
      elements.append(element)
    }
    return .array(elements)
  }

  private mutating func readLine() -> ArraySlice<UInt8>? {
    guard let end = bytes[position...].firstIndex(of: 13), end + 1 < bytes.count, bytes[end + 1] == 10 else {
      return nil
    }
    defer { position = end + 2 }
    return bytes[position..<end]
  }

  private func number(_ text: String) throws -> Int {
    guard let number = Int(text) else { throw malformed("\"\(text)\" where a number has to be") }
    return number
  }

  private func malformed(_ what: String) -> TestSupportError {
    TestSupportError(.malformed, "not RESP2: \(what)")
  }
}
