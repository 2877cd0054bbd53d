/// Finds functions with a body in Swift code that was through ``CodeScanner``.
struct FunctionFinder {
  /// A function and the lines from its name to its closing brace.
  struct Function: Equatable {
    let name: String
    /// Counted from 1.
    let firstLine: Int
    let lineCount: Int
  }

  private static let keywords = ["func", "init", "deinit", "subscript"].map { Array($0.utf8) }
  /// What begins a line after a declaration that had no body.
  private static let nextDeclarations = [
    "func", "init", "deinit", "subscript", "var", "let", "case", "static", "mutating", "associatedtype",
  ]

  private let code: [UInt8]

  /// The functions, initialisers, deinitialisers and subscripts, nested ones too, in the order of their first lines.
  static func functions(in code: String) -> [Function] {
    let finder = FunctionFinder(code: Array(code.utf8))
    var line = 1
    var functions: [Function] = []
    for index in finder.code.indices {
      if finder.code[index] == UInt8(ascii: "\n") { line += 1 }
      guard let length = finder.keywordLength(at: index), let end = finder.bodyEnd(after: index + length) else {
        continue
      }
      let lineCount = finder.code[index...end].count { $0 == UInt8(ascii: "\n") } + 1
      functions.append(Function(name: finder.name(at: index), firstLine: line, lineCount: lineCount))
    }
    return functions
  }

  /// The length of a declaration's keyword that begins here; nil if none does.
  private func keywordLength(at index: Int) -> Int? {
    switch code[index] {
    case UInt8(ascii: "f"), UInt8(ascii: "i"), UInt8(ascii: "d"), UInt8(ascii: "s"): break
    default: return nil
    }
    if index > 0, isWord(code[index - 1]) || ".`".utf8.contains(code[index - 1]) { return nil }
    let keyword = Self.keywords.first { keyword in
      let end = index + keyword.count
      guard end < code.count, code[index..<end].elementsEqual(keyword) else { return false }
      return !isWord(code[end]) && !"`:".utf8.contains(code[end])
    }
    return keyword?.count
  }

  /// `func` with what it is called, or just the keyword.
  private func name(at index: Int) -> String {
    let text = String(decoding: code[index...].prefix { !"(<{\n".utf8.contains($0) }, as: UTF8.self)
    let words = text.split(separator: " ")
    return words.first == "func" && words.count > 1 ? String(words[1]) : String(words[0].prefix { $0 != "?" })
  }

  /// Where the body's closing brace is; nil for a declaration without a body.
  private func bodyEnd(after start: Int) -> Int? {
    var depth = 0
    for index in start..<code.count {
      switch code[index] {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "{") where depth == 0: return closingBrace(of: index)
      case UInt8(ascii: "}") where depth == 0: return nil
      case UInt8(ascii: "\n") where depth == 0 && startsDeclaration(at: index + 1): return nil
      default: break
      }
      if depth < 0 { return nil }
    }
    return nil
  }

  private func closingBrace(of opening: Int) -> Int? {
    var depth = 0
    for index in opening..<code.count {
      if code[index] == UInt8(ascii: "{") { depth += 1 }
      if code[index] == UInt8(ascii: "}") { depth -= 1 }
      if depth == 0 { return index }
    }
    return nil
  }

  /// Whether a line begins another declaration, so that the one before it had no body.
  private func startsDeclaration(at index: Int) -> Bool {
    let line = code[index...].drop { $0 == UInt8(ascii: " ") }
    if line.first == UInt8(ascii: "@") { return true }
    return Self.nextDeclarations.contains(String(decoding: line.prefix(while: isWord), as: UTF8.self))
  }

  private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...: true
    default: false
    }
  }
}
