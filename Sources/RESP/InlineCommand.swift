/// Inline commands: a line of words, as typed into telnet.
///
/// The quoting rules are those of Redis' `sdssplitargs`: double quotes with `\n \r \t \b \a \xHH \" \\`, single quotes
/// with `\'`, and a closing quote has to be followed by a space or the end. Valkey 9.0 joins what follows to the word.
enum InlineCommand {
  /// Returns the words of `line`; nil when its quotes don't balance.
  ///
  /// - Parameter joiningQuotedParts: Whether a closing quote may be followed by more of the word.
  static func split(_ line: Span<UInt8>, joiningQuotedParts: Bool = false) -> [[UInt8]]? {
    var words: [[UInt8]] = []
    var at = 0
    while true {
      while at < line.count, isSpace(line[at]) { at += 1 }
      guard at < line.count else { return words }
      guard let word = nextWord(line, &at, joiningQuotedParts) else { return nil }
      words.append(word)
    }
  }

  /// Returns `words` as an array of bulk strings, and the range of each word in it.
  static func encode(_ words: [[UInt8]]) -> (bytes: [UInt8], ranges: [Range<Int>]) {
    var buffer = ByteBuffer()
    var ranges: [Range<Int>] = []
    buffer.appendCommand(expecting: words.count) { command in
      for word in words { command.append(word.span) }
    }
    var arguments = ArgumentCursor(buffer.span)
    while let range = arguments.nextRange() { ranges.append(range) }
    return (buffer.bytes, ranges)
  }

  private static func nextWord(_ line: Span<UInt8>, _ at: inout Int, _ joiningQuotedParts: Bool) -> [UInt8]? {
    var word: [UInt8] = []
    while at < line.count, !endsWord(line[at]) {
      switch line[at] {
      case UInt8(ascii: "\""):
        at += 1
        guard readDoubleQuoted(line, &at, &word) else { return nil }
        if joiningQuotedParts { continue }
        return at == line.count || isSpace(line[at]) ? word : nil
      case UInt8(ascii: "'"):
        at += 1
        guard readSingleQuoted(line, &at, &word) else { return nil }
        if joiningQuotedParts { continue }
        return at == line.count || isSpace(line[at]) ? word : nil
      case let byte:
        word.append(byte)
        at += 1
      }
    }
    return word
  }

  private static func readDoubleQuoted(_ line: Span<UInt8>, _ at: inout Int, _ word: inout [UInt8]) -> Bool {
    while at < line.count {
      let byte = line[at]
      at += 1
      if byte == UInt8(ascii: "\"") { return true }
      guard byte == UInt8(ascii: "\\"), at < line.count else {
        word.append(byte)
        continue
      }
      if line[at] == UInt8(ascii: "x"), at + 2 < line.count,
        let high = hexDigit(line[at + 1]), let low = hexDigit(line[at + 2])
      {
        word.append(high << 4 | low)
        at += 3
        continue
      }
      switch line[at] {
      case UInt8(ascii: "n"): word.append(0x0a)
      case UInt8(ascii: "r"): word.append(0x0d)
      case UInt8(ascii: "t"): word.append(0x09)
      case UInt8(ascii: "b"): word.append(0x08)
      case UInt8(ascii: "a"): word.append(0x07)
      case let other: word.append(other)
      }
      at += 1
    }
    return false
  }

  private static func readSingleQuoted(_ line: Span<UInt8>, _ at: inout Int, _ word: inout [UInt8]) -> Bool {
    while at < line.count {
      let byte = line[at]
      at += 1
      if byte == UInt8(ascii: "'") { return true }
      if byte == UInt8(ascii: "\\"), at < line.count, line[at] == UInt8(ascii: "'") {
        word.append(UInt8(ascii: "'"))
        at += 1
      } else {
        word.append(byte)
      }
    }
    return false
  }

  /// Whether a byte ends a word. A form feed or vertical tab is skipped between words, but within one it belongs to it.
  private static func endsWord(_ byte: UInt8) -> Bool {
    isSpace(byte) && byte != 0x0b && byte != 0x0c
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte) || byte == 0
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
