import Foundation

/// A document for operators, parsed: the commands that it tells a person to type, and the names that it uses.
struct Runbook: Sendable {
  /// What stands between two lines of three backticks.
  struct Block: Sendable {
    /// The language of the block: `bash`, `yaml` or `promql`.
    let language: String
    /// The NAME of `rehearse=NAME`; nil for a block that the rehearsal can't run.
    let name: String?
    /// Its lines, without the indentation of the block.
    let text: String
  }

  /// All of it.
  let text: String
  /// Its blocks, in its order.
  let blocks: [Block]
  /// What is no block.
  let prose: String

  /// Reads a file of this repository.
  init(_ path: String = "deploy/runbook.md") throws {
    try self.init(text: Repository.text(path))
  }

  private init(text: String) {
    self.text = text
    var blocks: [Block] = []
    var prose: [Substring] = []
    var open: (fence: Substring, indentation: Int, lines: [Substring])?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let bare = line.drop { $0 == " " }
      guard bare.hasPrefix("```") else {
        if open == nil { prose.append(line) } else { open!.lines.append(line.dropFirst(open!.indentation)) }
        continue
      }
      if let block = open {
        blocks.append(Self.block(block.fence, block.lines))
        open = nil
      } else {
        open = (bare.dropFirst(3), line.count - bare.count, [])
      }
    }
    self.blocks = blocks
    self.prose = prose.joined(separator: "\n")
  }

  private static func block(_ fence: Substring, _ lines: [Substring]) -> Block {
    let words = fence.split(separator: " ")
    let name = words.dropFirst().first { $0.hasPrefix("rehearse=") }?.dropFirst("rehearse=".count)
    return Block(
      language: words.first.map(String.init) ?? "",
      name: name.map(String.init),
      text: lines.joined(separator: "\n") + "\n"
    )
  }

  /// The block of a name.
  func block(_ name: String) -> Block? { blocks.first { $0.name == name } }

  /// The titles of all headings.
  var headings: [String] {
    prose.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
      line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
    }
  }

  /// What follows the heading of this title, up to the next one of any level.
  func section(_ title: String) -> String {
    let lines = prose.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.firstIndex(where: { $0.hasPrefix("#") && $0.hasSuffix("# \(title)") }) else { return "" }
    return lines[(first + 1)...].prefix { !$0.hasPrefix("#") }.joined(separator: "\n")
  }

  /// The paragraph of a section that begins with a bold word, such as `Go on when`.
  func paragraph(_ word: String, of title: String) -> String {
    section(title).components(separatedBy: "\n\n").first { $0.hasPrefix("**\(word)** ") } ?? ""
  }

  /// Rows of the table whose first heading this is, cell by cell.
  func rows(ofTable heading: String) -> [[String]] {
    let lines = prose.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.firstIndex(where: { $0.hasPrefix("| \(heading) |") }) else { return [] }
    return lines[(first + 2)...].prefix { $0.hasPrefix("|") }.map { line in
      line.dropFirst().dropLast().split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// What stands between backticks.
  static func codeSpans(in text: String) -> [String] {
    text.matches(of: /`([^`]+)`/).map { String($0.1) }
  }
}

/// Files of this repository.
enum Repository {
  /// Its top folder.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The text of a file in it.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
}
