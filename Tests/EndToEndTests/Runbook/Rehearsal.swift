import Foundation
import TestSupport

/// Everything that a migration by the runbook takes: an old Redis with data, a new Valkey, and the sidecar between them
/// with the runbook's own configuration.
final class Rehearsal {
  let runbook: Runbook
  let old: RedisServer
  let new: RedisServer
  let shell: RunbookShell
  private(set) var sidecar: SidecarProcess
  private let directory: TemporaryDirectory
  private let port: UInt16
  private let webPort: UInt16

  init() throws {
    runbook = try Runbook()
    old = try RedisServer(tcp: true)
    new = try RedisServer(.valkey, tcp: true)
    try OldData.write(to: old.client())
    // The flag file is written to the disk at each flip, and an operator's command does not wait long for that.
    directory = try TemporaryDirectory(in: "/dev/shm")
    (port, webPort) = (try freePort(), try freePort())
    try directory.write("{}\n", to: "flags.yml")
    shell = try RunbookShell(
      runbook,
      [
        "INSTANCE": "sessions", "OLD": old.tcpURL, "NEW": new.tcpURL, "SIDECAR": "redis://127.0.0.1:\(port)",
        "METRICS": "http://127.0.0.1:\(webPort)",
        "MULTISTORE_ADMIN_LISTEN_ADDRESS": "unix:\(directory.path("admin.sock"))",
        "CONFIG": directory.path("sidecar.yml"), "FLAGS": directory.path("flags.yml"),
      ]
    )
    let configuration = try Self.configuration("configuration", of: shell, old: old, new: new, port, in: directory)
    try shell.run("check_configuration")
    sidecar = try Self.start(configuration, webPort, in: directory)
  }

  /// Starts the sidecar anew with the runbook's last configuration.
  func restart() throws {
    let configuration = try Self.configuration(
      "final_configuration",
      of: shell,
      old: old,
      new: new,
      port,
      in: directory
    )
    try shell.run("check_final_configuration")
    let exit = try sidecar.terminate()
    guard exit == .status(0) else { throw TestSupportError(.process, "the sidecar ended with \(exit)") }
    sidecar = try Self.start(configuration, webPort, in: directory)
  }

  /// The contents of the flag file.
  func flags() throws -> String { try directory.read("flags.yml") }

  /// Waits until what is in force is the state of this number.
  func waitForState(_ number: Double) throws {
    try eventually("the effective state is \(number)") {
      try sidecar.metrics()["multistore_effective_state", ["instance_name": "sessions"]] == number
    }
  }

  /// What the sidecar's judge says of the next step.
  func nextStep() throws -> JSONValue {
    let report = try JSONValue(parsing: sidecar.get("/api/v4/status").text)
    guard let step = report["instances"]?.elements?.first?["next_step"] else {
      throw TestSupportError(.malformed, "no next step in \(report)")
    }
    return step
  }

  /// A configuration of the runbook with the addresses that are used here, which is also put into its file.
  ///
  /// Its time limits are far above the defaults. A busy machine may stand still for longer than these, and no test here
  /// expects the copy that fails then.
  private static func configuration(
    _ name: String,
    of shell: RunbookShell,
    old: RedisServer,
    new: RedisServer,
    _ port: UInt16,
    in directory: TemporaryDirectory
  ) throws -> String {
    var text = try shell.text(of: name)
      .replacing("127.0.0.1:6400", with: "127.0.0.1:\(port)")
      .replacing("redis://127.0.0.1:6380", with: new.tcpURL)
      .replacing("redis://127.0.0.1:6379", with: old.tcpURL)
      .replacing("/var/lib/multistore-exporter/feature_flags.yml", with: directory.path("flags.yml"))
      .replacing("state_directory: /var/lib/multistore-exporter", with: "state_directory: \(directory.path("state"))")
    text = text.replacing("{ url: ", with: "{ command_timeout: 60s, url: ")
    text = text.replacing("recheck_diffs: true\n", with: "recheck_diffs: true\n    other_store_timeout: 60s\n")
    try directory.write(text, to: "sidecar.yml")
    return text
  }

  private static func start(
    _ configuration: String,
    _ webPort: UInt16,
    in directory: TemporaryDirectory
  ) throws -> SidecarProcess {
    try SidecarProcess(
      configuration: configuration,
      in: directory,
      arguments: ["--web.listen-address=127.0.0.1:\(webPort)"]
    )
  }
}
