import Testing

@Suite("Sizes")
struct SizeTests {
  static let fileLimitLines = 500
  static let functionLimitLines = 70
  static let lineLimitCharacters = 120

  @Test func `files, functions and lines are short`() {
    for file in SourceTree.swiftFiles {
      #expect(file.lines.count <= Self.fileLimitLines + 1, "\(file.path) is to be split")
      for (index, line) in file.lines.enumerated() where line.count > Self.lineLimitCharacters {
        Issue.record("\(file.path):\(index + 1): \(line.count) characters")
      }
      let functions = FunctionFinder.functions(in: file.code)
      for function in functions where function.lineCount > Self.functionLimitLines {
        Issue.record("\(file.path):\(function.firstLine): \(function.name) has \(function.lineCount) lines")
      }
    }
  }

  @Test func `a file has something in it`() {
    for file in SourceTree.swiftFiles {
      let code = file.codeLines.filter { !$0.allSatisfy(\.isWhitespace) && ImportLine($0) == nil }
      #expect(!code.isEmpty, "\(file.path) holds nothing but comments and imports")
    }
  }

  @Test func `functions are found with their lengths`() {
    let text = #"""
      protocol P { func none(_ x: Int) -> Int
        func noneEither()
        var x: Int { get } }
      struct S {
        init(a: () -> Void = {}) {
          self.init(b: 1)
        }
        // func comment() {
        func one() { let text = "}}} \(call("{", { 2 })) func" }
        func two<T>(
          _ x: [T]
        ) -> String where T: P {
          /* } */
          let pattern = /[{"]/
          return """
            } \#("{")
            """
        }
        deinit { }
      }
      """#
    let code = CodeScanner(text).code
    #expect(code.count { $0 == "\n" } == text.count { $0 == "\n" })
    let found = FunctionFinder.functions(in: code).map { "\($0.name) \($0.firstLine) \($0.lineCount)" }
    #expect(found == ["init 5 3", "one 9 1", "two 10 9", "deinit 19 1"])
  }

  @Test(arguments: [
    ("a // b", "a "), ("a /* b /* c */ d */ e", "a  e"), (#"a "b\"c" d"#, #"a "" d"#), (##"#"a"b"# c"##, #""" c"#),
    (#""\(x + "y")" z"#, #"" x + """ z"#), ("a / b / c", "a / b / c"), ("f(/a\\/\"b/, c)", "f(, c)"),
  ])
  func `comments, strings and regular expressions are taken out`(text: String, code: String) {
    #expect(CodeScanner(text).code == code)
  }
}
