internal import RESP

/// Any bytes as replies: what can be decoded is written anew and decoded again, and has to be the same; a part of it is
/// no reply.
public enum ReplyCheck {
  /// Inputs up to this length are cut off at every byte.
  private static let longestCutEverywhere = 48

  /// Reads `data`, and throws what is wrong.
  public static func run(_ data: [UInt8]) throws(FuzzProblem) {
    let span = data.span
    var position = 0
    while position < data.count {
      let start = position
      guard let value = RESPValue.decode(span, at: &position) else { return }
      guard position > start, position <= data.count else {
        throw FuzzProblem("a reply from \(start) to \(position) in \(data.count) bytes")
      }
      try check(value)
      guard position - start <= longestCutEverywhere else { continue }
      for end in start..<position {
        var part = 0
        let isReply = RESPValue.decode(span.extracting(start..<end), at: &part) != nil
        guard !isReply else { throw FuzzProblem("the first \(end - start) bytes of \(value) are a reply") }
      }
    }
  }

  private static func check(_ value: RESPValue) throws(FuzzProblem) {
    var encoded = ByteBuffer()
    encoded.append(value)
    let bytes = encoded.bytes
    var position = 0
    guard let again = RESPValue.decode(bytes.span, at: &position), position == bytes.count else {
      throw FuzzProblem("\(value) is written as what is no reply: \(bytes)")
    }
    // An error's line breaks become spaces; nothing else may change.
    guard again == value || hasLineBreak(value) else { throw FuzzProblem("\(value) is read again as \(again)") }
  }

  private static func hasLineBreak(_ value: RESPValue) -> Bool {
    switch value {
    case .error(let text), .status(let text): text.utf8.contains { $0 == 0x0a || $0 == 0x0d }
    case .array(let elements): elements.contains(where: hasLineBreak)
    default: false
    }
  }
}
