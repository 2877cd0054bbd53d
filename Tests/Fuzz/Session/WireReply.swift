/// Where one reply of RESP2 or RESP3 ends.
struct WireReply {
  /// The position behind its last byte.
  let end: Int
  /// It is a push, which answers no command.
  let isPush: Bool

  /// Finds the end of the reply that begins at `start`; nil if it isn't whole, or no reply at all.
  init?(_ bytes: [UInt8], from start: Int) {
    var position = start
    var valuesLeft = 1
    while valuesLeft > 0 {
      valuesLeft -= 1
      guard let lineEnd = Self.lineEnd(bytes, from: position) else { return nil }
      let text = String(decoding: bytes[(position + 1)..<lineEnd], as: UTF8.self)
      let type = Character(Unicode.Scalar(bytes[position]))
      position = lineEnd + 2
      switch type {
      case "+", "-": break
      case ":": guard Int(text) != nil else { return nil }
      case ",": guard Double(text) != nil else { return nil }
      case "_": guard text.isEmpty else { return nil }
      case "#": guard text == "t" || text == "f" else { return nil }
      case "$", "=":
        guard let length = Int(text), length >= -1 else { return nil }
        guard length >= 0 else { continue }
        position += length + 2
        guard position <= bytes.count, bytes[position - 2] == 13, bytes[position - 1] == 10 else { return nil }
      case "*", "~", ">", "%":
        guard let count = Int(text), count >= -1 else { return nil }
        valuesLeft += max(0, count) * (type == "%" ? 2 : 1)
      default: return nil
      }
    }
    end = position
    isPush = bytes[start] == UInt8(ascii: ">")
  }

  private static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int? {
    var end = start
    while end + 1 < bytes.count {
      if bytes[end] == 13, bytes[end + 1] == 10 { return end > start ? end : nil }
      end += 1
    }
    return nil
  }
}
