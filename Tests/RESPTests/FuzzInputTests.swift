import Foundation
import FuzzChecks
import Testing

@Suite("Fuzzing: the protocol")
struct FuzzInputTests {
  private static let checks: [(target: String, run: @Sendable ([UInt8]) throws(FuzzProblem) -> Void)] = [
    ("requests", RequestCheck.run), ("replies", ReplyCheck.run), ("upgrades", UpgradeCheck.run),
  ]

  @Test func `what is in the corpus finds nothing any more`() throws {
    for (target, run) in Self.checks {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fuzz/Corpus/\(target)").standardized
      let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      #expect(!files.isEmpty, "\(target) has no corpus")
      for file in files {
        #expect(throws: Never.self, "\(file.path)") { try run([UInt8](Data(contentsOf: file))) }
      }
    }
  }

  @Test(arguments: 0..<4) func `random inputs find nothing`(seed: UInt64) {
    var random = FuzzGenerator(seed: seed)
    for _ in 0..<5000 {
      let input = FuzzPieces.input(&random)
      for (target, run) in Self.checks {
        #expect(throws: Never.self, "\(target): \(input)") { try run(input) }
      }
    }
  }
}
