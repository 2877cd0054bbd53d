import Foundation
import TestSupport

/// A systemd that runs as process 1 in namespaces of its own, on a copy of this machine's files; `boot.sh` makes it.
///
/// It is up when the initialiser returns, and gone with the object. The network is this machine's.
final class BootedSystem: Sendable {
  /// Why this machine can't; nil if it can.
  static let missingReason: String? = {
    do {
      let outcome = try ChildProcess.run(script, [TemporaryDirectory().path, "check"])
      return outcome.exit == .status(0) ? nil : outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    } catch {
      return "\(error)"
    }
  }()

  private static let script = DeployFile.path("Tests/DeploymentTests/Scripts/boot.sh")

  private let directory: TemporaryDirectory
  private let process: ChildProcess
  private let processOne: String

  /// Boots with the executable in `/usr/bin` and these files, by their absolute paths.
  init(files: [String: String]) throws {
    directory = try TemporaryDirectory()
    for (path, text) in files.merging(["/usr/bin/multistore-exporter": ""], uniquingKeysWith: { $1 }) {
      let file = URL(fileURLWithPath: directory.path("files\(path)"))
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: false, encoding: .utf8)
    }
    let executable = directory.path("files/usr/bin/multistore-exporter")
    try FileManager.default.removeItem(atPath: executable)
    try FileManager.default.copyItem(atPath: SidecarProcess.executablePath, toPath: executable)
    let output = directory.path("boot.out")
    let file = open(output, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    let process = try ChildProcess(Self.script, [directory.path, "boot"], output: file, errors: file)
    self.process = process
    do {
      let children = "/proc/\(process.pid)/task/\(process.pid)/children"
      var child = ""
      try eventually("systemd is up", within: .seconds(120)) {
        guard process.isRunning else { return true }
        child = try String(contentsOfFile: children, encoding: .utf8).trimmingCharacters(in: .whitespaces)
        return try Self.enter(child, ["systemctl", "is-system-running"]).output == "running\n"
      }
      processOne = child
      guard process.isRunning else { throw TestSupportError(.process, "it has ended") }
    } catch {
      throw TestSupportError(.process, "\(error)\n\((try? directory.read("boot.out")) ?? "")")
    }
  }

  deinit {
    process.kill()
    // The kernel takes its time for the processes inside.
    try? eventually("its control group is gone", within: .seconds(10)) {
      try ChildProcess.run(Self.script, [directory.path, "clean-up"]).exit == .status(0)
    }
  }

  /// Runs a command in it as root.
  func outcome(_ command: String...) throws -> ProcessOutcome { try Self.enter(processOne, command) }

  /// The output of a command that succeeds in it as root.
  @discardableResult
  func run(_ command: String...) throws -> String {
    let outcome = try Self.enter(processOne, command)
    guard outcome.exit == .status(0) else {
      let journal = try? Self.enter(processOne, ["journalctl", "--no-pager", "--lines=30"]).output
      throw TestSupportError(
        .process,
        "\(command): \(outcome.exit)\n\(outcome.output)\(outcome.errors)\(journal ?? "")"
      )
    }
    return outcome.output
  }

  /// A property of the service.
  func property(_ name: String) throws -> String {
    try run("systemctl", "show", "--property=\(name)", "--value", "multistore-exporter.service")
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func enter(_ process: String, _ command: [String]) throws -> ProcessOutcome {
    let namespaces = ["--target", process, "--mount", "--pid", "--uts", "--ipc", "--cgroup"]
    let environment = ["env", "--ignore-environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    return try ChildProcess.run("nsenter", namespaces + environment + command)
  }
}
