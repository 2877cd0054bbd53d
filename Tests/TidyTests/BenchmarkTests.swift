import Foundation
import TestSupport
import Testing

/// The benchmark is written in Python; its own tests belong to the suite all the same.
@Suite("Benchmark")
struct BenchmarkTests {
  static let folder = "Tests/Benchmarks"

  static var sources: [SourceFile] {
    SourceTree.paths(below: [folder]).filter { $0.hasSuffix(".py") }.map(SourceFile.init)
  }

  @Test func `its own tests pass`() throws {
    let folder = SourceTree.url(Self.folder).path
    let outcome = try ChildProcess.run(
      "python3",
      ["-m", "unittest", "discover", "--start-directory", folder, "--top-level-directory", folder],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"],
      within: .seconds(120)
    )
    #expect(outcome.exit == .status(0), "\(outcome.errors)")
    // It ends with 0 as well when it finds nothing to run.
    #expect(outcome.errors.contains(/Ran [1-9][0-9]+ tests/), "\(outcome.errors)")
  }

  @Test func `its files and lines are short, and nothing is left for later`() throws {
    #expect(!Self.sources.isEmpty)
    let leftovers = try Regex("\\b(\(WordTests.leftovers.joined(separator: "|")))\\b")
    for file in Self.sources {
      #expect(file.lines.count <= SizeTests.fileLimitLines + 1, "\(file.path) is to be split")
      for (index, line) in file.lines.enumerated() {
        #expect(line.count <= SizeTests.lineLimitCharacters, "\(file.path):\(index + 1): \(line.count) characters")
        #expect(!line.contains(leftovers), "\(file.path):\(index + 1): \(line)")
      }
    }
  }
}
