import TestSupport
import Testing

@Suite("systemd units")
struct UnitTests {
  private static let folder = "deploy/systemd"
  /// How exposed the service may be by systemd's own measure, from 0 to 10; a service without any protection has 9.6.
  private static let greatestExposure = 1.5

  @Test func `systemd-analyze verify has nothing to say`() throws {
    let directory = try TemporaryDirectory()
    let service = try DeployFile.text("\(Self.folder)/multistore-exporter.service")
      .replacing(all: ["/usr/bin/multistore-exporter": SidecarProcess.executablePath])
    let files = [
      try directory.write(service, to: "multistore-exporter.service"),
      try directory.write(
        DeployFile.text("\(Self.folder)/multistore-exporter.socket"),
        to: "multistore-exporter.socket"
      ),
    ]
    let outcome = try ChildProcess.run("systemd-analyze", ["verify", "--man=no"] + files)
    #expect(outcome.exit == .status(0))
    #expect(outcome.output + outcome.errors == "")
  }

  @Test func `the service is hardly exposed`() throws {
    let outcome = try ChildProcess.run(
      "systemd-analyze",
      ["security", "--offline=true", "--no-pager", DeployFile.path("\(Self.folder)/multistore-exporter.service")]
    )
    let exposure = try #require(outcome.output.firstMatch(of: /Overall exposure level for [^:]+: ([\d.]+)/)).1
    #expect(try #require(Double(exposure)) <= Self.greatestExposure, "\(outcome.output)")
  }

  @Test func `the paths of unit, logrotate and shippers are the same`() throws {
    let service = try DeployFile.text("\(Self.folder)/multistore-exporter.service")
    let log = try #require(service.firstMatch(of: /MULTISTORE_LOG_FILE=(\S+)/)).1
    let readers = [
      "logrotate.conf", "alloy/config.alloy", "fluent-bit/fluent-bit.yaml", "promtail/promtail.yml",
      "vector/vector.yaml",
      "rsyslog/multistore-exporter.conf",
    ]
    for reader in readers { #expect(try DeployFile.text("deploy/logging/\(reader)").contains(log), "\(reader)") }
  }
}
