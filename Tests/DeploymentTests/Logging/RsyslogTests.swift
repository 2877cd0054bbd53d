import TestSupport
import Testing

@Suite("rsyslog")
struct RsyslogTests {
  @Test func `events are told apart and counted, and every line reaches the central server as it was`() throws {
    let directory = try TemporaryDirectory()
    let port = try freePort()
    let server = """
      global(workDirectory="\(directory.path)" maxMessageSize="128k")
      module(load="imptcp")
      template(name="message" type="string" string="%msg%\\n")
      input(type="imptcp" address="127.0.0.1" port="\(port)")
      action(type="omfile" file="\(directory.path("received"))" template="message")
      """
    let receiver = try rsyslogd(server, "receiver", in: directory)
    let shipped = try DeployFile.text("deploy/logging/rsyslog/multistore-exporter.conf").replacing(all: [
      "/var/log/multistore-exporter": directory.path,
      "loghost.example.com": "127.0.0.1",
      "port=\"514\"": "port=\"\(port)\"",
    ])
    let sidecar = try EventfulSidecar(in: directory)
    let shipper = try rsyslogd("global(workDirectory=\"\(directory.path)\")\n\(shipped)", "shipper", in: directory)
    try sidecar.makeEvents()

    try eventually("alerts.log tells of the same events as the log") {
      try EventCounts(listing: directory.read("alerts.log")) == sidecar.told()
    }
    #expect(try sidecar.process.terminate() == .status(0))
    try eventually("every line has arrived") { try directory.read("received") == directory.read("events.jsonl") }
    #expect(shipper.isRunning && receiver.isRunning)
  }

  @Test func `a line of the greatest length arrives whole`() throws {
    let directory = try TemporaryDirectory()
    let log = directory.path("events.jsonl")
    let long = "{\"severity\":\"INFO\",\"message\":\"\(String(repeating: "x", count: 65_000))\"}\n"
    try directory.write(long, to: "events.jsonl")
    let shipped = try DeployFile.text("deploy/logging/rsyslog/multistore-exporter.conf").replacing(all: [
      "/var/log/multistore-exporter/events.jsonl": log,
      "/var/log/multistore-exporter/alerts.log": directory.path("alerts.log"),
    ])
    let forwarding = try #require(shipped.firstRange(of: "action(type=\"omfwd\""))
    let copy = "template(name=\"message\" type=\"string\" string=\"%msg%\\n\")\n"
    // To a file instead of a server, so that only the shipping side's own limit counts.
    let local =
      shipped[..<forwarding.lowerBound]
      + "action(type=\"omfile\" file=\"\(directory.path("copy"))\" template=\"message\")\n}\n"
    let shipper = try rsyslogd("global(workDirectory=\"\(directory.path)\")\n\(copy)\(local)", "shipper", in: directory)
    try eventually("the line is there") { try directory.read("copy") == long }
    #expect(shipper.isRunning)
  }

  /// An rsyslogd of the test's own with nothing but this configuration, which is checked before.
  private func rsyslogd(_ text: String, _ name: String, in directory: TemporaryDirectory) throws -> ChildProcess {
    let file = try directory.write(text, to: "\(name).conf")
    let check = try ChildProcess.run("/usr/sbin/rsyslogd", ["-N1", "-f", file])
    guard check.exit == .status(0), !check.errors.lowercased().contains("error") else {
      throw TestSupportError(.malformed, check.errors)
    }
    return try ChildProcess("/usr/sbin/rsyslogd", ["-n", "-f", file, "-i", directory.path("\(name).pid")])
  }
}
