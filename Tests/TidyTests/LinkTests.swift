import Foundation
import Testing

@Suite("Links between documents")
struct LinkTests {
  private let documents: [String: MarkdownDocument]

  init() throws {
    let paths = ["README.md"] + SourceTree.paths(below: ["Sources", "Tests", "deploy", "dashboards"])
    let all = try paths.filter { $0.hasSuffix(".md") }.map(MarkdownDocument.init)
    documents = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })
  }

  @Test func `every relative link leads to a file, and its anchor to a heading there`() {
    let documents = documents.values
    #expect(documents.reduce(0) { $0 + $1.links.count } > 100)
    #expect(documents.flatMap(problems).sorted() == [])
  }

  @Test func `every document can be reached from the README`() {
    var reached: Set = ["README.md"]
    var open = ["README.md"]
    while let path = open.popLast() {
      for link in documents[path]?.links ?? [] {
        guard let next = documents[path]?.destination(of: link)?.path, documents[next] != nil else { continue }
        if reached.insert(next).inserted { open.append(next) }
      }
    }
    // The pages of a DocC catalogue link to each other in their own way.
    let others = documents.keys.filter { !$0.contains(".docc/") }
    #expect(Set(others).subtracting(reached) == [])
  }

  @Test func `every document that another file names exists, with the anchor`() throws {
    let kinds = [".swift", ".sh", ".yml", ".yaml", ".py", ".json"]
    let paths = SourceTree.paths(below: ["Sources", "Tests", "deploy", "dashboards", ".ci"])
    var found = 0
    for path in paths where kinds.contains(where: path.hasSuffix) || path.hasPrefix(".ci/") {
      let text = try String(contentsOf: SourceTree.url(path), encoding: .utf8)
      for match in text.matches(of: /\b((?:deploy|Tests|Sources)\/[\w\/.+-]*\.md)(?:#([\w-]+))?/) {
        found += 1
        let problem = problem(at: String(match.1), match.2.map(String.init))
        #expect(problem == nil, "\(path): \(match.0)")
      }
    }
    #expect(found > 30)
  }

  @Test func `pages of a DocC catalogue lead to each other, and every one can be reached`() throws {
    let pages = documents.keys.filter { $0.contains(".docc/") }
    #expect(pages.count > 3)
    for (folder, paths) in Dictionary(grouping: pages, by: { $0.prefix { $0 != "." } }) {
      let names = Set(paths.map { $0.split(separator: "/").last?.dropLast(3) ?? "" })
      let root = try #require(names.first { folder.contains("/\($0)/") }, "\(folder) has a page named after it")
      let texts = try paths.map { try String(contentsOf: SourceTree.url($0), encoding: .utf8) }.joined()
      let linked = texts.matches(of: /<doc:(\w+)>/).map(\.1)
      #expect(Set(linked).union([root]) == names, "\(folder)")
    }
  }

  /// A code span that is written as a type is one, and its member exists.
  @Test func `types that the architecture names exist`() throws {
    let path = "Sources/Sidecar/Documentation.docc/Architecture.md"
    let text = try String(contentsOf: SourceTree.url(path), encoding: .utf8)
    let code = SourceTree.librarySources.map(\.code).joined(separator: "\n")
    let types = Set(code.matches(of: /\b(?:class|struct|enum|protocol|actor|typealias) (\w+)/).map(\.1))
    let members = Set(code.matches(of: /\b(?:func|var|let) (\w+)/).map(\.1))
    let named = text.matches(of: /`([A-Z]+[a-z]\w*)(?:\.(\w+)(?:\(\))?)?`/).filter { match in
      !FileManager.default.fileExists(atPath: SourceTree.url(String(match.0.dropFirst().dropLast())).path)
    }
    #expect(named.count > 30)
    for match in named where match.1 != "TidyTests" {
      #expect(types.contains(match.1), "\(match.0)")
      if let member = match.2 { #expect(members.contains(member), "\(match.0)") }
    }
  }

  @Test func `a link that leads nowhere is found`() {
    let text = """
      # A title: `some_name` & more

      ## Twice
      ## Twice
      [here](#a-title-some_name--more) [the second](#twice-1) [no third](#twice-2)
      ![a picture](no/such.png) [a folder](..) [elsewhere](https://example.com) `[code](x.md)`

      ```bash
      # Not a heading
      ```
      [a comment](#not-a-heading) [not there](../README.md#no-such-heading)
      """
    let document = MarkdownDocument(path: "deploy/" + "made-up.md", text: text)
    let links = ["#twice-2", "no/such.png", "#not-a-heading", "../README.md#no-such-heading"]
    #expect(problems(of: document).map { $0.split(separator: " ")[1] } == links.map { $0[...] })
  }

  /// The links of a document that lead nowhere.
  private func problems(of document: MarkdownDocument) -> [String] {
    document.links.compactMap { link in
      guard let (path, anchor) = document.destination(of: link) else { return nil }
      return problem(at: path, anchor, in: document).map { "\(document.path): \(link) \($0)" }
    }
  }

  private func problem(at path: String, _ anchor: String?, in document: MarkdownDocument? = nil) -> String? {
    let isOwn = path == document?.path
    guard isOwn || FileManager.default.fileExists(atPath: SourceTree.url(path).path) else { return "has no file" }
    guard let anchor else { return nil }
    let anchors = isOwn ? document?.anchors : documents[path]?.anchors
    return anchors?.contains(anchor) == true ? nil : "has no heading"
  }
}
