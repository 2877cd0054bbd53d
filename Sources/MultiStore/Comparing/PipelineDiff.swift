internal import RESP

/// The differences between two stores' replies to one pipeline: the first of them in full, the others counted.
struct PipelineDiff {
  /// The longest text of a reply in an event that shows values, in bytes.
  private static let longestValue = 256

  /// The index of the first element that differs.
  private(set) var firstIndex = 0
  /// The command of the first element that differs.
  private(set) var firstCommand: CommandID?
  private(set) var defaultDescription = ""
  private(set) var otherDescription = ""
  /// The kind of the first difference.
  private(set) var firstKind = DiffKind.gap
  /// All elements that differ, in the order of the other store's replies.
  private(set) var elements: [(command: CommandID, kind: DiffKind)] = []
  /// Elements that differ because the other store lacks their keys.
  private(set) var gapCount = 0

  /// Elements that differ.
  var count: Int { elements.count }

  var isEmpty: Bool { elements.isEmpty }

  /// The kind of the whole: a mismatch if one of its elements is.
  var kind: DiffKind { gapCount == count ? .gap : .mismatch }

  /// Adds one element whose replies differ.
  ///
  /// - Parameters:
  ///   - defaultReply: Describes the default store's reply; evaluated for the first element that differs.
  ///   - otherReply: Describes the other store's reply; evaluated likewise.
  mutating func add(
    index: Int,
    command: CommandID,
    kind: DiffKind,
    defaultReply: @autoclosure () -> String,
    otherReply: @autoclosure () -> String
  ) {
    elements.append((command, kind))
    if kind == .gap { gapCount += 1 }
    guard count == 1 || index < firstIndex else { return }
    firstIndex = index
    firstCommand = command
    firstKind = kind
    defaultDescription = defaultReply()
    otherDescription = otherReply()
  }

  /// Describes a reply, without revealing values unless `isFull`.
  ///
  /// The digest is keyed per process: guessed values can't be tested against it, and the same value has the same digest
  /// in all events of one process.
  static func describe(_ reply: Span<UInt8>, isFull: Bool) -> String {
    var position = 0
    guard let value = RESPValue.decode(reply, at: &position) else { return "an unreadable reply" }
    if isFull { return String("\(plain(value))".prefix(longestValue)) }
    switch value {
    case .null: return "nil"
    case .status(let text): return "status \(text)"
    case .error(let text): return "error \(text.prefix { $0 != " " })"
    case .integer: return "integer \(digest(value))"
    case .string(let bytes): return "string of \(bytes.count) bytes \(digest(value))"
    case .array(let elements): return "array of \(elements.count) elements \(digest(value))"
    }
  }

  private static func digest(_ value: RESPValue) -> String { digest(value.hashValue) }

  /// The text of a hash, of which 32 bits are shown.
  static func digest(_ hash: Int) -> String {
    let digits = String(UInt32(truncatingIfNeeded: hash), radix: 16)
    return "(digest \(String(repeating: "0", count: 8 - digits.count))\(digits))"
  }

  private static func plain(_ value: RESPValue) -> String {
    switch value {
    case .null: "nil"
    case .status(let text): text
    case .error(let text): "error \(text)"
    case .integer(let integer): "\(integer)"
    case .string(let bytes): "\"\(String(decoding: bytes.prefix(longestValue), as: UTF8.self))\""
    case .array(let elements): "[\(elements.prefix(16).map(plain).joined(separator: ", "))]"
    }
  }
}
