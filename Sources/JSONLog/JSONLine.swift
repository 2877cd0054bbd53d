internal import Logging

/// The JSON value `null`, as metadata: `.stringConvertible(JSONNull())`.
///
/// swift-log's metadata has no such value, and GitLab's events have fields that are always present and may be null.
public struct JSONNull: CustomStringConvertible, Sendable {
  /// The word for handlers that do not write JSON.
  public var description: String { "null" }

  /// Creates the only value.
  public init() {}
}

/// Writes one JSON object as a line. The line is valid and shorter than ``maxBytes`` for any fields.
struct JSONLine {
  /// The longest line, in bytes. Log shippers cut longer lines (64 KiB or 256 KiB are usual limits), which are then no
  /// longer JSON.
  static let maxBytes = 64 * 1024

  /// The longest string in bytes, escaped: one long message must not push the other fields out of the line.
  static let maxStringBytes = 16 * 1024

  /// The depth to which lists and dictionaries may be nested; deeper values are omitted.
  static let maxDepth = 8

  /// The length from which on nothing is added. The remainder of `maxBytes` is for the ends of a string and of the
  /// lists around it, and for the mark.
  private static let softLimitBytes = maxBytes - 1024

  private static let truncationMark = "…[truncated]"

  private var bytes: [UInt8] = [UInt8(ascii: "{")]
  private var isTruncated = false
  private var depth = 0

  init() {
    bytes.reserveCapacity(512)
  }

  /// Adds a field whose value is text.
  mutating func append(_ key: String, _ text: String) {
    guard appendKey(key) else { return }
    append(string: text)
  }

  /// Adds a field with a metadata value; nil is `null`.
  mutating func append(_ key: String, _ value: Logger.MetadataValue?) {
    guard appendKey(key) else { return }
    append(value: value)
  }

  /// Returns the line without its line end. It has a field `truncated` if a value was cut off or omitted.
  consuming func finished() -> [UInt8] {
    if isTruncated { append(raw: ",\"truncated\":true") }
    append(raw: "}")
    return bytes
  }

  private mutating func appendKey(_ key: String) -> Bool {
    if bytes.count >= JSONLine.softLimitBytes {
      isTruncated = true
      return false
    }
    if bytes.last != UInt8(ascii: "{") { append(raw: ",") }
    append(string: key)
    append(raw: ":")
    return true
  }

  private mutating func append(value: Logger.MetadataValue?) {
    switch value {
    case nil: append(raw: "null")
    case .string(let text): append(string: text)
    case .stringConvertible(let value): append(convertible: value)
    case .array(let values): appendNested { $0.append(list: values) }
    case .dictionary(let fields): appendNested { $0.append(dictionary: fields) }
    }
  }

  private mutating func appendNested(_ body: (inout JSONLine) -> Void) {
    guard depth < JSONLine.maxDepth else {
      isTruncated = true
      append(string: JSONLine.truncationMark)
      return
    }
    depth += 1
    body(&self)
    depth -= 1
  }

  private mutating func append(list values: [Logger.MetadataValue]) {
    append(raw: "[")
    for (index, value) in values.enumerated() {
      if bytes.count >= JSONLine.softLimitBytes {
        isTruncated = true
        break
      }
      if index > 0 { append(raw: ",") }
      append(value: value)
    }
    append(raw: "]")
  }

  private mutating func append(dictionary fields: Logger.Metadata) {
    append(raw: "{")
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      guard appendKey(key) else { break }
      append(value: value)
    }
    append(raw: "}")
  }

  /// Appends numbers and booleans as such, every other value as text.
  private mutating func append(convertible value: any CustomStringConvertible & Sendable) {
    switch value {
    case is JSONNull: append(raw: "null")
    case let bool as Bool: append(raw: bool ? "true" : "false")
    case let integer as any FixedWidthInteger: append(raw: String(describing: integer))
    // JSON has no infinities; they become text.
    case let number as Double where number.isFinite: append(raw: number.description)
    case let number as Float where number.isFinite: append(raw: number.description)
    default: append(string: value.description)
    }
  }

  private mutating func append(string text: String) {
    append(raw: "\"")
    let limit = min(bytes.count + JSONLine.maxStringBytes, JSONLine.softLimitBytes)
    for byte in text.utf8 {
      // Not in the middle of a character.
      if bytes.count >= limit && byte & 0xC0 != 0x80 {
        append(raw: JSONLine.truncationMark)
        isTruncated = true
        break
      }
      append(escaping: byte)
    }
    append(raw: "\"")
  }

  /// Escapes quotes, backslashes and control characters, and no others (RFC 8259 section 7).
  private mutating func append(escaping byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case UInt8(ascii: "\n"): append(raw: "\\n")
    case UInt8(ascii: "\r"): append(raw: "\\r")
    case UInt8(ascii: "\t"): append(raw: "\\t")
    case 0..<0x20:
      append(raw: byte < 0x10 ? "\\u000" : "\\u00")
      append(raw: String(byte, radix: 16))
    default: bytes.append(byte)
    }
  }

  private mutating func append(raw text: String) {
    bytes += text.utf8
  }
}
