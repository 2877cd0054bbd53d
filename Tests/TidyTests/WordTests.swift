import Testing

@Suite("Words")
struct WordTests {
  /// Targets in which unsafe constructs are spelled out, as the manifest's `safe` settings ask for.
  static let safeTargets = [
    "RESP", "MultiStore", "PrometheusExposition", "Proxy", "JSONLog", "Status", "Sidecar", "Threads",
    "multistore-exporter",
  ]

  /// Left-overs, wherever they are.
  static let leftovers = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]

  @Test func `nothing is left for later`() throws {
    for file in SourceTree.swiftFiles + SourceTree.scripts {
      let words = try Regex("\\b(\(Self.leftovers.joined(separator: "|")))\\b")
      for (index, line) in file.lines.enumerated() where line.contains(words) {
        Issue.record("\(file.path):\(index + 1): \(line)")
      }
    }
  }

  @Test func `nobody sleeps for luck`() {
    for file in SourceTree.swiftFiles {
      expectNone(of: /\b(u|nano)?sleep\s*\(|\bsleepForTimeInterval\b/, in: file)
    }
  }

  @Test func `no source gives up without a sentence`() {
    for file in SourceTree.librarySources {
      expectNone(of: /\btry!|\bfatalError\(\s*\)|\bpreconditionFailure\(\s*\)/, in: file)
    }
  }

  @Test func `a library does not print`() {
    for file in SourceTree.librarySources where file.target != "multistore-exporter" {
      expectNone(of: /(^|[^.\w])(debugPrint|print|dump)\(/, in: file)
    }
  }

  @Test func `an unchecked Sendable says what guards it`() {
    let guards = /(?i)guard|lock|mutex|atomic|thread|loop|confined|immutable|never chang/
    for file in SourceTree.swiftFiles where file.code.contains("@unchecked Sendable") {
      for (index, line) in file.codeLines.enumerated() where line.contains("@unchecked Sendable") {
        let says = comments(of: file, from: index - 6, to: index + 3).contains(guards)
        #expect(says, "\(file.path):\(index + 1): a comment is to name what guards it")
      }
    }
  }

  @Test func `an unsafe construct says why it holds`() {
    let word = /\bunsafe\b/
    for file in SourceTree.librarySources where Self.safeTargets.contains(file.target) {
      for (index, line) in file.codeLines.enumerated() where line.contains(word) {
        let says = !comments(of: file, from: index - 12, to: index).isEmpty
        #expect(says, "\(file.path):\(index + 1): a comment in the lines above is to say why this is safe")
      }
    }
  }

  /// Looks into the code as a whole first: a regular expression begun anew for every line takes its time.
  private func expectNone(of pattern: some RegexComponent, in file: SourceFile) {
    let pattern = pattern.regex
    guard file.code.contains(pattern) else { return }
    for (index, line) in file.codeLines.enumerated() where line.contains(pattern) {
      Issue.record("\(file.path):\(index + 1): \(file.lines[index])")
    }
  }

  /// What the comments in some lines say; empty if there are none.
  private func comments(of file: SourceFile, from first: Int, to last: Int) -> String {
    let lines = file.lines[max(0, first)...min(last, file.lines.count - 1)]
    return lines.compactMap { line in line.firstRange(of: "//").map { line[$0.upperBound...] } }
      .joined(separator: "\n")
  }
}
