/// Takes comments and the insides of strings and regular expressions out of Swift source, and leaves the lines where
/// they are.
///
/// Enough of Swift's lexical structure to count braces and look for words; not a parser.
struct CodeScanner {
  private let source: [UInt8]
  private var position = 0
  private var output: [UInt8] = []

  /// What is left: as many lines as the source has.
  private(set) var code = ""

  init(_ text: String) {
    source = Array(text.utf8)
    scanCode(until: nil)
    code = String(decoding: output, as: UTF8.self)
  }

  /// Copies code until the parenthesis that closes an interpolation, or until the end.
  private mutating func scanCode(until closing: UInt8?) {
    var depth = 0
    while position < source.count {
      let byte = source[position]
      if !Self.mayBegin(byte) {
        output.append(byte)
        position += 1
      } else if starts("//") {
        skipLine()
      } else if starts("/*") {
        skipBlockComment()
      } else if let hashes = stringStart() {
        skipString(hashes: hashes)
      } else if byte == UInt8(ascii: "/"), startsRegex() {
        skipRegex()
      } else {
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") {
          if closing == byte, depth == 0 { return }
          depth -= 1
        }
        output.append(byte)
        position += 1
      }
    }
  }

  /// Whether a byte may begin anything but plain code; most bytes don't.
  private static func mayBegin(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "("), UInt8(ascii: ")"): true
    default: false
    }
  }

  private func starts(_ text: StaticString, at offset: Int = 0) -> Bool {
    let start = position + offset
    guard start + text.utf8CodeUnitCount <= source.count else { return false }
    return (0..<text.utf8CodeUnitCount).allSatisfy { source[start + $0] == text.utf8Start[$0] }
  }

  private mutating func skipLine() {
    while position < source.count, source[position] != UInt8(ascii: "\n") { position += 1 }
  }

  /// Passes over bytes; only their line ends are kept.
  private mutating func skip(_ count: Int) {
    for _ in 0..<min(count, source.count - position) {
      if source[position] == UInt8(ascii: "\n") { output.append(source[position]) }
      position += 1
    }
  }

  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if starts("/*") {
        depth += 1
        skip(2)
      } else if starts("*/") {
        depth -= 1
        skip(2)
      } else {
        skip(1)
      }
    } while depth > 0 && position < source.count
  }

  /// The number of `#` before a string that begins here; nil if none does.
  private func stringStart() -> Int? {
    var hashes = 0
    while position + hashes < source.count, source[position + hashes] == UInt8(ascii: "#") { hashes += 1 }
    return starts("\"", at: hashes) ? hashes : nil
  }

  private mutating func skipString(hashes: Int) {
    skip(hashes)
    let quotes = starts("\"\"\"") ? 3 : 1
    // Quotes stay, so that an empty string and none are not the same.
    output.append(UInt8(ascii: "\""))
    skip(quotes)
    while position < source.count {
      if source[position] == UInt8(ascii: "\\"), isHashes(hashes, at: 1) {
        skip(1 + hashes)
        if starts("(") {
          skip(1)
          output.append(UInt8(ascii: " "))
          scanCode(until: UInt8(ascii: ")"))
        }
        skip(1)
      } else if quotes == 3 ? starts("\"\"\"") : starts("\""), isHashes(hashes, at: quotes) {
        skip(quotes + hashes)
        output.append(UInt8(ascii: "\""))
        return
      } else {
        skip(1)
      }
    }
  }

  private func isHashes(_ count: Int, at offset: Int) -> Bool {
    (0..<count).allSatisfy { starts("#", at: offset + $0) }
  }

  /// Whether the slash here begins a regular expression: after what can't end an operand, and not before a space.
  private func startsRegex() -> Bool {
    guard position + 1 < source.count, !" =\n/*)".utf8.contains(source[position + 1]) else { return false }
    let before = output.last { $0 != UInt8(ascii: " ") }
    return before.map { "(,=:[{\n".utf8.contains($0) } ?? true
  }

  private mutating func skipRegex() {
    skip(1)
    while position < source.count, source[position] != UInt8(ascii: "\n") {
      let byte = source[position]
      skip(byte == UInt8(ascii: "\\") ? 2 : 1)
      if byte == UInt8(ascii: "/") { return }
    }
  }
}
