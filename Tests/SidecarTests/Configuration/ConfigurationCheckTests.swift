@testable import Sidecar
import TestSupport
import Testing

@Suite("check-config")
struct ConfigurationCheckTests {
  @Test("A good file: what it makes the sidecar do")
  func good() throws {
    let folder = try TemporaryDirectory()
    let yaml = """
      stores: { old: { url: "redis://:pw@10.0.0.1/2" } }
      instances:
        - { name: sessions, listen: "unix:/run/s.sock", primary: { url: "unix:///run/r.sock" }, secondary: old }
        - { name: cache, listen: ["127.0.0.1:1", "[::1]:1"], secondary: old }
      """
    let file = try folder.write(yaml, to: "sidecar.yml")
    let report = ConfigurationCheck.report(file: file)
    let summary =
      "2 instances (sessions: unix:/run/s.sock → primary unix:/run/r.sock/0, secondary 10.0.0.1:6379/2; "
      + "cache: 127.0.0.1:1, [::1]:1 → no primary, secondary 10.0.0.1:6379/2)"
    #expect(report.text == "\(file): OK: \(summary)\n")
    #expect(report.exitCode == 0)
  }

  @Test("Mistakes and warnings, counted")
  func bad() throws {
    let folder = try TemporaryDirectory()
    let yaml = minimal(instance: "max_clients: 0\nlog_vales: true", top: "stores: { x: { url: redis://h } }")
    let file = try folder.write(yaml, to: "sidecar.yml")
    let report = ConfigurationCheck.report(file: file)
    let expected = """
      \(file):5:18: instances[0].max_clients: expected a whole number from 1 to 1000000, found "0"
      \(file):6:5: instances[0].log_vales: unknown key; did you mean "log_values"?
      \(file): 2 errors, 1 warning

      """
    #expect(report.warnings == "\(file):7:11: warning: stores.x: no instance uses this store\n")
    #expect(report.text == expected)
    #expect(report.exitCode == 1)
  }

  @Test("A warning alone is no failure")
  func warning() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write(minimal(top: "stores: { x: { url: redis://h } }"), to: "sidecar.yml")
    let report = ConfigurationCheck.report(file: file)
    #expect(
      report.text.hasSuffix(
        "\(file): OK, 1 warning: 1 instance (sessions: 127.0.0.1:6400 → no primary, secondary 127.0.0.1:6379/0)\n"
      )
    )
    #expect(report.exitCode == 0)
  }

  @Test("A state directory that can't be used: a warning, since the sidecar starts nevertheless")
  func stateDirectory() throws {
    let folder = try TemporaryDirectory()
    try folder.write("", to: "file")
    func warnings(_ path: String) throws -> String {
      let file = try folder.write(minimal(top: "state_directory: \(path)"), to: "sidecar.yml")
      let report = ConfigurationCheck.report(file: file)
      #expect(report.exitCode == 0)
      return report.warnings
    }
    #expect(try warnings("state") == "", "it is made beside the configuration")
    #expect(try warnings(folder.path) == "")
    for (path, reason) in [
      ("file", "cannot open \(folder.path("file")): not a directory"),
      ("file/state", "cannot open \(folder.path("file/state")): not a directory"),
      ("missing/state", "cannot make the folder \(folder.path("missing/state")): no such file or directory"),
    ] {
      let message = "warning: state_directory: \(reason): stale keys would be kept in memory only"
      #expect(try warnings(path) == "\(folder.path(path)): \(message)\n")
    }
  }

  @Test("Reads that another sidecar's writes have not reached: a warning for the one combination that has them")
  func earlyReads() throws {
    let folder = try TemporaryDirectory()
    for policy in ["fallback", "default_store"] {
      for acknowledgement in ["both", "default_store"] {
        for primary in ["", "primary: { url: redis://h }"] {
          let yaml = minimal(
            instance: "read_policy: \(policy)\nwrite_acknowledgement: \(acknowledgement)\n\(primary)"
          )
          let file = try folder.write(yaml, to: "sidecar.yml")
          let report = ConfigurationCheck.report(file: file)
          let isWarned = policy == "fallback" && acknowledgement == "default_store" && !primary.isEmpty
          let warning =
            "\(file):6:28: warning: instances[0].write_acknowledgement: \(InstanceConfiguration.readBeforeCopies)\n"
          #expect(report.warnings == (isWarned ? warning : ""), "\(policy), \(acknowledgement), \(primary)")
          #expect(report.exitCode == 0)
        }
      }
    }
  }

  @Test("The flag file is checked too: not there is fine, not understood is not")
  func flagFile() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write(minimal(top: "feature_flags: { file: flags.yml }"), to: "sidecar.yml")
    #expect(ConfigurationCheck.report(file: file).exitCode == 0)
    let flags = try folder.write("use_primary_store_as_default_for_sessions: on\n", to: "flags.yml")
    let report = ConfigurationCheck.report(file: file)
    let expected = """
      \(flags):1:44: use_primary_store_as_default_for_sessions: expected true or false, found "on"
      \(file): 1 error

      """
    #expect(report.text == expected)
    #expect(report.exitCode == 1)
  }
}
