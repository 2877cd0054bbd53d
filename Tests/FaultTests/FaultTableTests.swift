import Foundation
import TestSupport
import Testing

@testable import FaultLaboratory

@Suite("The table of faults")
struct FaultTableTests {
  /// The rows of the table in the document, cell by cell, the head first.
  private static func rows() throws -> [[String]] {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let document = try String(contentsOf: root.appendingPathComponent("deploy/semantics.md"), encoding: .utf8)
    let begin = try #require(document.firstRange(of: FaultTable.begin))
    let end = try #require(document.firstRange(of: FaultTable.end))
    return document[begin.upperBound..<end.lowerBound].split(separator: "\n").filter { $0.hasPrefix("| ") }
      .map { row in row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
  }

  @Test func `the document has its columns, faults and states`() throws {
    let rows = try Self.rows()
    #expect(rows.first == FaultTable.columns(FaultCase.Settings.shown))
    let expected = FaultCase.all(with: [.waiting]).map { item in
      [FaultTable.cell(item.fault, of: item.part), item.state.rawValue]
    }
    #expect(rows.dropFirst(2).map { Array($0.prefix(2)) } == expected)
  }

  @Test func `a row says the worst of its cases`() {
    let results = FaultCase.Settings.shown.enumerated().map { index, settings in
      FaultResult(
        item: FaultCase(.stopped, .oldIsDefault, settings),
        commands: 10,
        errors: index == 0 ? [:] : ["ERR a|b": 2],
        wrongAnswers: [],
        longestWait: .milliseconds(index == 0 ? 1_024 : 7),
        longestWaitOfControl: .milliseconds(3),
        unserved: (index, 16),
        unservedAfterFirstTimeout: (0, 13),
        recovery: .milliseconds(40 * (index + 1)),
        keys: 100,
        differingKeys: index == 0 ? [] : ["a", "b", "c"],
        healedKeys: 1
      )
    }
    let table = FaultTable(results, settings: FaultCase.Settings.shown)
    #expect(
      table.markdown.split(separator: "\n").last
        == """
        | other store: stands still (SIGSTOP) | old is default | 2 errors (`ERR a/b`) | 1.02 s | 7 ms | 1 of 16 \
        | 0 of 13 | 80 ms | 1 of 100, 1 of 100 | 3 |
        """
    )
    #expect(table.longestWaitOfControl == .milliseconds(3))
    let broken = results.map { $0.brokenPromises(firstTimeout: .seconds(1)) }
    #expect(broken[0] == [])
    #expect(broken[1].count == 2, "\(broken[1])")
  }
}
