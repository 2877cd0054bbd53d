import Testing

@testable import Sidecar

@Suite("The text of feature flag files")
struct FeatureFlagFileTests {
  @Test(
    "Files without flags",
    arguments: ["{}", "{}\n", "# a: true\n", "\n", "---\n", "{ } # none\n"]
  )
  func noFlags(text: String) throws {
    #expect(try FeatureFlagFile(parsing: Array(text.utf8)).entries == [])
  }

  @Test("Flags, in the order of the file")
  func flags() throws {
    let file = try FeatureFlagFile(parsing: Array("b: true\n\"a\": false # no\nx.y-z_1: true".utf8))
    #expect(file.entries.map(\.name) == ["b", "a", "x.y-z_1"])
    #expect(file.entries.map(\.isOn) == [true, false, true])
    #expect(file["a"] == false)
    #expect(file["c"] == nil)
  }

  @Test(
    "Files that are refused, and why",
    arguments: [
      ("", "the file is empty; write {} for no flags"),
      ("a", "line 1, column 1: expected lines such as NAME: true, found text"),
      ("- a: true", "line 1, column 1: expected lines such as NAME: true, found a list"),
      ("a: true\nb: yes", "line 2, column 4: b: expected true or false, found \"yes\""),
      ("a: \"true\"", "line 1, column 4: a: expected true or false, found \"true\""),
      ("a: True", "line 1, column 4: a: expected true or false, found \"True\""),
      ("a: 1", "line 1, column 4: a: expected true or false, found \"1\""),
      ("a:", "line 1, column 3: a: expected true or false, found nothing"),
      ("a: [true]", "line 1, column 4: a: expected true or false, found a list"),
      ("a: { b: true }", "line 1, column 4: a: expected true or false, found a map"),
      ("a: true\na: false", "line 2, column 1: a: given twice; it is already in line 1"),
      ("a b: true", "line 1, column 1: a flag name has letters, digits and _ - . only, and begins with a letter"),
      (
        "a: tru\nb: [",
        "line 3, column 1: not valid YAML: while parsing a flow node, did not find expected node content"
      ),
    ]
  )
  func refused(text: String, problem: String) {
    do {
      let file = try FeatureFlagFile(parsing: Array(text.utf8))
      Issue.record("\(file.entries) instead of: \(problem)")
    } catch {
      #expect(error.description == problem)
    }
  }

  @Test("Rewriting keeps comments, order and spacing, and changes single lines")
  func rewriting() throws {
    let original = "# ours\nb:   true   # since Monday\n\nc: false\na: true\n"
    var file = try FeatureFlagFile(parsing: Array(original.utf8))
    file.entries[0].isOn = false
    file.entries.removeAll { $0.name == "a" }
    file.entries.append(FeatureFlagFile.Entry(name: "d", isOn: true))
    let text = String(decoding: file.text(replacing: Array(original.utf8)), as: UTF8.self)
    #expect(text == "# ours\nb: false   # since Monday\n\nc: false\nd: true\n")
  }

  @Test(
    "What cannot be changed line by line is written anew, and says the same",
    arguments: [
      "{a: true, b: false}\n", "\"a\": true\nb: false\n", "  a: true\n  b: false\n", "a:\n  true\nb: false\n", "{}\n",
    ]
  )
  func rewritingOtherShapes(original: String) throws {
    var file = try FeatureFlagFile(parsing: Array(original.utf8))
    file.entries.append(FeatureFlagFile.Entry(name: "c", isOn: true))
    let text = file.text(replacing: Array(original.utf8))
    let again = try FeatureFlagFile(parsing: text)
    #expect(again.entries.sorted { $0.name < $1.name } == file.entries.sorted { $0.name < $1.name })
    #expect(String(decoding: text, as: UTF8.self).hasPrefix("# Feature flags of multistore-exporter."))
  }

  @Test("The last flag removed leaves a file that says so")
  func rewritingToNothing() throws {
    let text = String(decoding: FeatureFlagFile().text(replacing: Array("# ours\na: true\n".utf8)), as: UTF8.self)
    #expect(text == "# ours\n{}\n")
    var file = FeatureFlagFile()
    file.entries.append(FeatureFlagFile.Entry(name: "a", isOn: true))
    let again = file.text(replacing: Array(text.utf8))
    #expect(try FeatureFlagFile(parsing: again) == file)
  }
}
