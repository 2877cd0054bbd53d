import Foundation
import TestSupport
import Testing

@Suite("Fuzzing: conversations with a whole sidecar")
struct FuzzSessionTests {
  @Test func `what is in the corpus, and random conversations, find nothing`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fuzz/Corpus/session").standardized
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(!files.isEmpty)
    let program = URL(fileURLWithPath: SidecarProcess.executablePath).deletingLastPathComponent()
      .appendingPathComponent("FuzzSession").path
    let arguments = ["400", "1"] + files.map { folder.appendingPathComponent($0).path }
    let run = try ChildProcess.run(program, arguments, within: .seconds(120))
    #expect(run.exit == .status(0), "\(run.errors)")
    #expect(run.output == "400 conversations, seed 1\n")
  }
}
