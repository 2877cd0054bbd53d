/// The text of a Lua script or of a library of functions, as far as it shows whether a second server would do the same.
///
/// It only looks at the text: a name that a script puts together when it runs is not seen.
struct ScriptText {
  /// Commands whose result depends on the server's clock or on chance.
  private static let unrepeatable: Set<String> = [
    "TIME", "RANDOMKEY", "SRANDMEMBER", "SPOP", "HRANDFIELD", "ZRANDMEMBER",
  ]

  private enum Token: Equatable {
    case name(String)
    case text(String)
    case other(UInt8)
  }

  /// The command or function because of which it can't be repeated on another server; nil if there is none.
  let unrepeatable: String?
  /// The texts that may be names of functions, if it is a library.
  let texts: Set<String>

  init(_ bytes: Span<UInt8>) {
    var tokens = TokenReader(bytes)
    var found: String?
    var (callsRandom, setsSeed) = (false, false)
    var texts: Set<String> = []
    var (before, last) = (Token.other(0), Token.other(0))
    while let token = tokens.next() {
      switch token {
      case .text(let text):
        texts.insert(text)
        if found == nil, Self.isCommand(text, after: last) { found = text.uppercased() }
      case .name("random") where last == .other(UInt8(ascii: ".")) && before == .name("math"): callsRandom = true
      case .name("randomseed"): setsSeed = true
      default: break
      }
      (before, last) = (last, token)
    }
    unrepeatable = found ?? (callsRandom && !setsSeed ? "math.random" : nil)
    self.texts = texts
  }

  /// Whether a text may be a command's name: the first argument of a call, whatever the function is called, or assigned
  /// or listed in capitals. A later argument is an option, or a part of a value.
  private static func isCommand(_ text: String, after token: Token) -> Bool {
    let name = text.uppercased()
    guard unrepeatable.contains(name) else { return false }
    switch token {
    case .name, .other(UInt8(ascii: "(")): return true
    case .other(UInt8(ascii: "=")), .other(UInt8(ascii: "{")): return text == name
    default: return false
    }
  }

  /// Reads the tokens that matter; comments and spaces do not.
  private struct TokenReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
      self.bytes = bytes
    }

    private func byte(_ offset: Int = 0) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    mutating func next() -> Token? {
      while position < bytes.count {
        let first = byte()
        switch first {
        case UInt8(ascii: " "), 0x09...0x0d: position += 1
        case UInt8(ascii: "-") where byte(1) == first: skipComment()
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(quoted(by: first))
        case UInt8(ascii: "["):
          if let level = longBracket() { return .text(long(level)) }
          position += 1
          return .other(first)
        case UInt8(ascii: "=") where byte(1) == first:
          position += 2
          return .other(UInt8(ascii: "~"))  // a comparison, not an assignment
        default:
          guard Self.isNamePart(first) else {
            position += 1
            return .other(first)
          }
          let start = position
          while Self.isNamePart(byte()) { position += 1 }
          return .name(text(start..<position))
        }
      }
      return nil
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: false
      }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes.extracting(range).array, as: UTF8.self) }

    private mutating func skipComment() {
      position += 2
      if let level = longBracket() {
        _ = long(level)
      } else {
        while position < bytes.count, byte() != 0x0a { position += 1 }
      }
    }

    private mutating func quoted(by quote: UInt8) -> String {
      let start = position + 1
      position = start
      while position < bytes.count, byte() != quote { position += byte() == UInt8(ascii: "\\") ? 2 : 1 }
      let end = min(position, bytes.count)
      position = end + 1
      return text(start..<end)
    }

    /// The number of `=` in the long bracket that begins here; nil if none does.
    private func longBracket() -> Int? {
      guard byte() == UInt8(ascii: "[") else { return nil }
      var level = 0
      while byte(1 + level) == UInt8(ascii: "=") { level += 1 }
      return byte(1 + level) == UInt8(ascii: "[") ? level : nil
    }

    private mutating func long(_ level: Int) -> String {
      let start = position + level + 2
      position = start
      while position < bytes.count {
        if byte() == UInt8(ascii: "]"), byte(1 + level) == UInt8(ascii: "]"),
          (1...max(1, level)).allSatisfy({ level == 0 || byte($0) == UInt8(ascii: "=") })
        {
          let end = position
          position += level + 2
          return text(start..<end)
        }
        position += 1
      }
      return text(min(start, bytes.count)..<bytes.count)
    }
  }
}
