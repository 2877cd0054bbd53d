import Foundation

/// A Markdown file: its links, and the anchors that links can lead to.
struct MarkdownDocument: Sendable {
  /// Relative to the repository's top folder.
  let path: String
  /// The targets of all links and images, in their order.
  let links: [String]
  /// The anchors of its headings, as GitHub makes them.
  let anchors: Set<String>

  /// Reads a file of this repository.
  init(_ path: String) throws {
    self.init(path: path, text: try String(contentsOf: SourceTree.url(path), encoding: .utf8))
  }

  init(path: String, text: String) {
    self.path = path
    let prose = Self.prose(of: text)
    links = prose.joined(separator: "\n").replacing(/`[^`\n]*`/, with: "").matches(of: /\]\(([^)\s]+)\)/).map {
      String($0.1)
    }
    var anchors: Set<String> = []
    for line in prose where line.hasPrefix("#") {
      let anchor = Self.anchor(of: line.drop { $0 == "#" }.drop { $0 == " " })
      // A repeated heading gets a number.
      let repetitions = (1...).lazy.map { "\(anchor)-\($0)" }
      anchors.insert(anchors.contains(anchor) ? repetitions.first { !anchors.contains($0) }! : anchor)
    }
    self.anchors = anchors
  }

  /// Its lines without those of code between fences.
  private static func prose(of text: String) -> [Substring] {
    var isCode = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      guard line.drop(while: { $0 == " " }).hasPrefix("```") else { return !isCode }
      isCode.toggle()
      return false
    }
  }

  private static func anchor(of heading: some StringProtocol) -> String {
    heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacing(" ", with: "-")
  }

  /// The path that a relative link leads to, relative to the repository's top folder, and the anchor there; nil for an
  /// address on the web.
  func destination(of link: String) -> (path: String, anchor: String?)? {
    guard !link.contains(/^[a-z]+:/) else { return nil }
    let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let anchor = parts.count > 1 ? String(parts[1]) : nil
    guard !parts[0].isEmpty else { return (path, anchor) }
    var folders = path.split(separator: "/").dropLast()
    for part in parts[0].split(separator: "/") where part != "." {
      if part == ".." { _ = folders.popLast() } else { folders.append(part) }
    }
    return (folders.joined(separator: "/"), anchor)
  }
}
