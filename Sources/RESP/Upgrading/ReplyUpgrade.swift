/// Rewrites one whole RESP2 reply as RESP3, in place and from front to back.
///
/// - Precondition: a ``ReplyExtent`` was found for the reply.
struct ReplyUpgrade {
  /// The depth up to which shapes are followed: deeper than any command's reply, and shallow enough for the stack.
  /// Below it, nulls alone are upgraded.
  private static let maxDepth = 64

  /// Returns the most bytes by which `replies` replies of `values` values in all may grow in RESP3: half of a pair's
  /// header for each value, and `txt:` with another digit for each verbatim text.
  static func mostGrowth(of replies: Int, values: Int) -> Int {
    values * 2 + replies * 5
  }

  private var edit: ReplyEdit

  /// Creates an upgrade of the reply that begins at `start`, which is written from `destination` on.
  init(from start: Int, to destination: Int) {
    edit = ReplyEdit(from: start, to: destination)
  }

  /// Rewrites the reply, and returns the position of its new end.
  mutating func run(as shape: ReplyShape, in bytes: inout MutableSpan<UInt8>) -> Int {
    upgradeValue(as: shape, depth: 0, in: &bytes)
    edit.keep(upTo: edit.position, in: &bytes)
    return edit.end
  }

  /// Rewrites EXEC's reply, an array of `shapes.count` elements, and returns the position of its new end.
  mutating func run(asElements shapes: Span<ReplyShape>, in bytes: inout MutableSpan<UInt8>) -> Int {
    _ = edit.readNumber(in: bytes)
    for index in shapes.indices { upgradeValue(as: shapes[index], depth: 1, in: &bytes) }
    edit.keep(upTo: edit.position, in: &bytes)
    return edit.end
  }

  private mutating func upgradeValue(as shape: ReplyShape, depth: Int, in bytes: inout MutableSpan<UInt8>) {
    let start = edit.position
    switch bytes[start] {
    case UInt8(ascii: "$"):
      let length = edit.readNumber(in: bytes)
      guard length >= 0 else { return edit.replace(from: start, by: UInt8(ascii: "_"), in: &bytes) }
      if shape.isNumber, isPrintable(length, in: bytes) {
        edit.replace(from: start, byPrefix: UInt8(ascii: ","), in: &bytes)
      } else if shape == .verbatim || shape == .verbatimLines && hasLineBreak(length, in: bytes) {
        edit.replace(from: start, by: UInt8(ascii: "="), length + 4, in: &bytes)
        edit.insert("txt:", in: &bytes)
      }
      edit.skipBody(length)
    case UInt8(ascii: "*"):
      let count = edit.readNumber(in: bytes)
      guard count >= 0 else { return edit.replace(from: start, by: UInt8(ascii: "_"), in: &bytes) }
      guard depth < Self.maxDepth else { return upgradeNulls(count, in: &bytes) }
      upgradeElements(count, of: shape, from: start, depth: depth + 1, in: &bytes)
    default: edit.skipLine(in: bytes)
    }
  }

  /// Upgrades an array whose header, of `count` elements, has been read from `start`.
  private mutating func upgradeElements(
    _ count: Int,
    of shape: ReplyShape,
    from start: Int,
    depth: Int,
    in bytes: inout MutableSpan<UInt8>
  ) {
    switch shape.collection {
    case .map where count % 2 == 0:
      edit.replace(from: start, by: UInt8(ascii: "%"), count / 2, in: &bytes)
      for _ in 0..<count / 2 { upgradeField(of: shape, depth: depth, in: &bytes) }
    case .pairs where count % 2 == 0:
      edit.replace(from: start, by: UInt8(ascii: "*"), count / 2, in: &bytes)
      for index in 0..<count {
        if index % 2 == 0 { edit.insert("*2\r\n", in: &bytes) }
        upgradeValue(as: shape.element(at: index % 2, of: 2), depth: depth, in: &bytes)
      }
    case .entries where isArrayOfPairs(count, in: bytes):
      edit.replace(from: start, by: UInt8(ascii: "%"), count, in: &bytes)
      for _ in 0..<count {
        let header = edit.position
        _ = edit.readNumber(in: bytes)
        edit.replace(from: header, byPrefix: nil, in: &bytes)
        upgradeNulls(2, in: &bytes)
      }
    case .set:
      edit.replace(from: start, by: UInt8(ascii: "~"), count, in: &bytes)
      for index in 0..<count {
        upgradeValue(as: shape.element(at: index, of: count), depth: depth, in: &bytes)
      }
    case .array where shape == .subcommands && count == 0:
      edit.replace(from: start, by: UInt8(ascii: "~"), count, in: &bytes)
    case .array where shape != .plain && shape != .same:
      for index in 0..<count {
        upgradeValue(as: shape.element(at: index, of: count), depth: depth, in: &bytes)
      }
    default: upgradeNulls(count, in: &bytes)
    }
  }

  /// Upgrades a field of a map, and its value.
  private mutating func upgradeField(of shape: ReplyShape, depth: Int, in bytes: inout MutableSpan<UInt8>) {
    guard bytes[edit.position] == UInt8(ascii: "$"), bytes[edit.position + 1] != UInt8(ascii: "-") else {
      return upgradeNulls(2, in: &bytes)
    }
    let length = edit.readNumber(in: bytes)
    let value = shape.value(of: bytes.span.extracting(edit.position..<edit.position + length))
    edit.skipBody(length)
    upgradeValue(as: value, depth: depth, in: &bytes)
  }

  /// Upgrades the nulls in the next `count` values, however deep they are nested.
  private mutating func upgradeNulls(_ count: Int, in bytes: inout MutableSpan<UInt8>) {
    var left = count
    while left > 0 {
      left -= 1
      let start = edit.position
      let type = bytes[start]
      guard type == UInt8(ascii: "$") || type == UInt8(ascii: "*") else {
        edit.skipLine(in: bytes)
        continue
      }
      let number = edit.readNumber(in: bytes)
      if number < 0 {
        edit.replace(from: start, by: UInt8(ascii: "_"), in: &bytes)
      } else if type == UInt8(ascii: "*") {
        left += number
      } else {
        edit.skipBody(number)
      }
    }
  }

  /// Whether each of the next `count` values is an array of two.
  private func isArrayOfPairs(_ count: Int, in bytes: borrowing MutableSpan<UInt8>) -> Bool {
    var reader = edit
    for _ in 0..<count {
      guard bytes[reader.position] == UInt8(ascii: "*"), reader.readNumber(in: bytes) == 2 else { return false }
      reader.skipValues(2, in: bytes)
    }
    return true
  }

  /// Whether the next `length` bytes may be part of a line.
  private func isPrintable(_ length: Int, in bytes: borrowing MutableSpan<UInt8>) -> Bool {
    for index in edit.position..<edit.position + length where bytes[index] < UInt8(ascii: " ") { return false }
    return length > 0
  }

  /// Whether the next `length` bytes are more than a line.
  private func hasLineBreak(_ length: Int, in bytes: borrowing MutableSpan<UInt8>) -> Bool {
    for index in edit.position..<edit.position + length where bytes[index] == UInt8(ascii: "\n") { return true }
    return false
  }
}
