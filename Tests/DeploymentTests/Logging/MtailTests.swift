import Foundation
import TestSupport
import Testing

@Suite("mtail")
struct MtailTests {
  /// mtail with the program of `deploy/logging`, beside a sidecar whose log it follows from the first line on.
  private final class Subject: Sendable {
    let sidecar: EventfulSidecar
    let mtail: ChildProcess
    private let directory: TemporaryDirectory

    init() throws {
      directory = try TemporaryDirectory()
      try directory.write("", to: "events.jsonl")
      mtail = try ChildProcess(
        "mtail",
        [
          "--progs=\(DeployFile.path("deploy/logging/mtail"))", "--logs=\(directory.path("events.jsonl"))",
          "--unix_socket=\(directory.path("mtail.sock"))", "--emit_prog_label=false", "--log_dir=\(directory.path)",
        ]
      )
      let address = SocketAddress.unix(directory.path("mtail.sock"))
      try eventually("mtail listens") { try HTTPClient.request("GET", "/metrics", of: address).status == 200 }
      sidecar = try EventfulSidecar(in: directory)
    }

    func metrics() throws -> MetricsSnapshot {
      let address = SocketAddress.unix(directory.path("mtail.sock"))
      return try MetricsSnapshot(parsing: HTTPClient.request("GET", "/metrics", of: address).text)
    }

    func counts() throws -> EventCounts { EventCounts(try metrics(), "multistore_log_events_total") }
  }

  @Test func `every event is counted, those that were suppressed too`() throws {
    let subject = try Subject()
    try eventually("the instance's counters are there from the start") {
      let metrics = try subject.metrics()
      return EventCounts.classes.allSatisfy {
        metrics["multistore_log_events_total", ["class": $0, "instance_name": "sessions"]] != nil
      }
    }
    try subject.sidecar.makeEvents()
    #expect(Set(try subject.sidecar.told().byClass.keys) == Set(EventCounts.classes))
    try eventually("mtail has counted what the log tells") { try subject.counts() == subject.sidecar.told() }
    #expect(subject.mtail.isRunning)
  }

  @Test func `logrotate moves the log away and neither line nor event is lost`() throws {
    let subject = try Subject()
    let (sidecar, directory) = (subject.sidecar, subject.sidecar.directory)
    let client = try sidecar.client()
    let rules = try DeployFile.text("deploy/logging/logrotate.conf").replacing(all: [
      "/var/log/multistore-exporter": directory.path,
      "systemctl kill --signal=HUP --kill-whom=main multistore-exporter.service": "kill -HUP \(sidecar.process.pid)",
    ])
    let file = try directory.write(rules, to: "logrotate.conf")
    for round in 1...3 {
      for _ in 0..<20 { try client.command("TIME") }
      // The seconds are in the old file's name.
      try eventually("the log is rotated for the \(round). time") {
        let arguments = ["--force", "--state", directory.path("logrotate.state"), file]
        let outcome = try ChildProcess.run("logrotate", arguments)
        guard outcome.exit == .status(0) else { throw TestSupportError(.process, outcome.errors) }
        return try oldFiles(directory).count == round
      }
      try eventually("the sidecar writes to a new file") {
        try client.command("TIME")
        return try !directory.read("events.jsonl").isEmpty
      }
    }
    // Most of the events were suppressed, and the line that told of them is in any of the files.
    try sidecar.settle({ try subject.counts() == sidecar.counted() }, after: { try client.command("TIME") })
    #expect(try sidecar.counted().byClass["MethodMissingError"] ?? 0 >= 60)
    #expect(try sidecar.process.terminate() == .status(0))
    #expect(try linesOfAllFiles(directory).last?.contains("\"Stopped\"") == true)
  }

  /// The names of the files that were rotated away.
  private func oldFiles(_ directory: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix("events.jsonl-") }
  }

  /// All that was ever logged, in its order; every line has to be whole.
  private func linesOfAllFiles(_ directory: TemporaryDirectory) throws -> [String] {
    let old = try oldFiles(directory).sorted()
    let texts = try (old + ["events.jsonl"]).map { name in
      guard name.hasSuffix(".gz") else { return try directory.read(name) }
      return try ChildProcess.run("gzip", ["--decompress", "--stdout", directory.path(name)]).output
    }
    let lines = texts.joined().split(separator: "\n").map(String.init)
    for line in lines { _ = try JSONValue(parsing: line) }
    return lines
  }
}
