import TestSupport
import Testing

@Suite("Reads before copies")
struct ConsistencyWarningTests {
  private static let words = "with read_policy: fallback, clients of another sidecar can read"

  @Test func `check-config and the log warn of them, and it starts all the same`() throws {
    let deployment = try Deployment(instance: ["write_acknowledgement: default_store"])
    let file = deployment.sidecar.directory.path("sidecar.yml")
    let check = try SidecarProcess.run(["check-config", "--config.file=\(file)"])
    #expect(check.exit == .status(0))
    #expect(check.errors.contains("warning: instances[0].write_acknowledgement: \(Self.words)"), "\(check.errors)")
    #expect(check.output.contains("OK, 1 warning") && !check.output.contains(Self.words), "\(check.output)")
    let warnings = deployment.sidecar.log.all.filter { $0.message.contains(Self.words) }
    #expect(warnings.map { $0["severity"]?.string } == ["WARN"])
    #expect(warnings.first?["instance_name"]?.string == "sessions")
    #expect(deployment.sidecar.log.text.contains(":28: warning: instances[0].write_acknowledgement"))
  }

  @Test(arguments: [["write_acknowledgement: default_store", "read_policy: default_store"], []])
  func `otherwise nothing is said`(instance: [String]) throws {
    let deployment = try Deployment(instance: instance)
    let file = deployment.sidecar.directory.path("sidecar.yml")
    let check = try SidecarProcess.run(["check-config", "--config.file=\(file)"])
    #expect(check.exit == .status(0))
    #expect(check.errors.isEmpty)
    #expect(!deployment.sidecar.log.text.contains("warning"))
  }
}
