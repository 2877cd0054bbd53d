import TestSupport
import Testing

@Suite("Alerts on the counter of mtail and Vector")
struct LogAlertTests {
  @Test func `promtool has nothing to say about them`() throws {
    let outcome = try ChildProcess.run(
      "promtool",
      ["check", "rules", DeployFile.path("deploy/logging/alerts.rules.yml")]
    )
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("SUCCESS: 5 rules found"))
  }

  @Test func `they fire when they have to and never otherwise`() throws {
    let outcome = try ChildProcess.run(
      "promtool",
      ["test", "rules", DeployFile.path("deploy/logging/alerts.test.yml")],
      within: .seconds(180)
    )
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }
}
