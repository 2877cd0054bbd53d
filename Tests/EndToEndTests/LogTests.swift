import Foundation
import TestSupport
import Testing

@Suite("The JSON log of a running sidecar")
struct LogTests {
  /// The sidecar with every address a unix socket of a known path, so that a test may do anything to its log.
  private final class LogSubject: Sendable {
    let store: RedisServer
    let directory: TemporaryDirectory
    let process: ChildProcess

    init(_ arguments: [String], errors: Int32? = nil, instance: [String] = [], top: [String] = []) throws {
      store = try RedisServer()
      directory = try TemporaryDirectory()
      let primary = "unix://\(directory.path("nobody.sock"))"
      let configuration = Deployment.configuration(
        in: directory,
        primary: primary,
        secondary: store.url,
        instance: instance,
        top: top
      )
      let file = try directory.write(configuration, to: "sidecar.yml")
      let folder = directory.path
      process = try ChildProcess(
        SidecarProcess.executablePath,
        [
          "--config.file=\(file)", "--web.listen-address=unix:\(folder)/web.sock",
          "--admin.listen-address=unix:\(folder)/admin.sock",
        ] + arguments.map { $0.replacing("DIR", with: folder) },
        errors: errors
      )
      try eventually("it is ready") { try get("/-/ready").status == 200 }
    }

    func get(_ path: String) throws -> HTTPResponse {
      try HTTPClient.request("GET", path, of: .unix(directory.path("web.sock")))
    }

    func metrics() throws -> MetricsSnapshot { try MetricsSnapshot(parsing: get("/metrics").text) }

    func client() throws -> RESPClient { try RESPClient(unix: directory.path("sessions.sock")) }

    /// The lines of a file of its folder.
    func lines(of name: String) throws -> [JSONValue] {
      try directory.read(name).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }
  }

  @Test func `every line is one JSON object with severity and time`() throws {
    let deployment = try Deployment(.dual)
    try deployment.secondary.client().command("SET", "k", "v")
    try deployment.client().command("GET", "k")
    try deployment.finish()
    for line in deployment.sidecar.log.all {
      #expect(["INFO", "WARN", "ERROR"].contains(line["severity"]?.string), "\(line)")
      #expect(line["time"]?.string?.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) == true, "\(line)")
      #expect(!line.message.isEmpty, "\(line)")
    }
    let event = try #require(deployment.events(MultiStoreNames.readFromPrimaryError).first)
    #expect(event.text.contains("\"correlation_id\":null"))
    #expect(event.text.contains("\"extra.multi_store_error_message\":null"))
    #expect(event["extra.suppressed_events"]?.number == 0)
  }

  @Test func `too many events are suppressed and counted, and the counters never are`() throws {
    let deployment = try Deployment(instance: ["event_rate_limit: 2"])
    let client = try deployment.client()
    for _ in 0..<100 { try client.command("TIME") }
    let metrics = try deployment.sidecar.metrics()
    let labels = ["class": "MethodMissingError", "instance_name": "sessions"]
    let written = metrics["multistore_events_total", labels] ?? 0
    #expect(metrics["multistore_events_suppressed_total", labels] == 100 - written)
    #expect(written >= 2 && written < 50)
    #expect(metrics[MultiStoreNames.methodMissing, ["command": "time", "instance_name": "sessions"]] == 100)
    // The next one that is written says how many were not.
    try eventually("an event with a count") {
      try client.command("TIME")
      return deployment.events(MultiStoreNames.methodMissingError)
        .contains { $0["extra.suppressed_events"]?.number ?? 0 > 0 }
    }
  }

  @Test func `a file is written to, at the level asked for, and opened anew on SIGHUP`() throws {
    let subject = try LogSubject(["--log.file=DIR/log.json", "--log.level=warning"])
    let client = try subject.client()
    try client.command("TIME")
    try eventually { try subject.lines(of: "log.json").contains { $0["exception.class"] != nil } }
    #expect(try subject.lines(of: "log.json").allSatisfy { $0["severity"]?.string != "INFO" })
    #expect(rename(subject.directory.path("log.json"), subject.directory.path("log.1")) == 0)
    subject.process.signal(SIGHUP)
    try eventually("events in the new file") {
      try client.command("TIME")
      return try subject.lines(of: "log.json").contains { $0["exception.class"] != nil }
    }
    #expect(try subject.process.terminate() == .status(0))
  }

  @Test func `a full disk costs events, which are counted, and nothing else`() throws {
    let subject = try LogSubject(["--log.file=/dev/full"], instance: ["event_rate_limit: 1000"])
    let client = try subject.client()
    for round in 1...200 {
      #expect(try client.command("INCR", "n") == .integer(round))
      try client.command("TIME")
    }
    try eventually {
      try subject.metrics()["multistore_log_lines_dropped_total", ["reason": "write_error"]] ?? 0 > 200
    }
    #expect(try subject.process.terminate() == .status(0))
  }

  @Test func `a blocked pipe costs events, which are counted, and nothing else`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    let subject = try LogSubject(
      ["--log.file=-"],
      errors: ends[1],
      instance: ["event_rate_limit: 100000"],
      top: ["log: { queue_limit: 64KiB }"]
    )
    let client = try subject.client()
    var answered = 0
    try eventually("the queue is full") {
      for _ in 0..<100 {
        answered += 1
        guard try client.command("INCR", "n") == .integer(answered) else { throw TestSupportError(.malformed, "lost") }
        try client.command("TIME")
      }
      return try subject.metrics()["multistore_log_lines_dropped_total", ["reason": "queue_full"]] ?? 0 > 0
    }
    #expect(try subject.metrics()["multistore_log_queued_bytes"] ?? 0 <= 65536)
    #expect(try subject.process.terminate() == .status(0))
  }

  @Test func `no password is in the log, the metrics, the pages or the process list`() throws {
    let primary = try RedisServer(password: "pw-primary")
    let secondary = try RedisServer(password: "pw-secondary")
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dual), to: "flags.yml")
    try directory.write("pw-secondary", to: "password")
    let text = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          primary: { url: "\(primary.url)", password: "${PRIMARY_PASSWORD}" }
          secondary: { url: "\(secondary.url)", password_file: password }
          password: pw-clients
      """
    let sidecar = try SidecarProcess(
      configuration: text,
      in: directory,
      arguments: ["--log.level=trace"],
      environment: ["PRIMARY_PASSWORD": "pw-primary"]
    )
    try eventually { try sidecar.get("/-/ready").status == 200 }
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("AUTH", "pw-wrong").errorText?.hasPrefix("WRONGPASS") == true)
    #expect(try client.command("AUTH", "pw-clients") == .ok)
    #expect(try client.command("SET", "k", "v") == .ok)
    primary.kill()
    secondary.kill()
    try sidecar.waitForEvent { $0.message == "Store unavailable" }
    let error = try client.command("SET", "k", "v").errorText ?? ""
    #expect(error.hasPrefix("ERR MultiStore: "))
    let commandLine = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(sidecar.process.pid)/cmdline"))
    var places = ["error": error, "command line": String(decoding: commandLine, as: UTF8.self)]
    for path in ["/", "/metrics", "/-/ready"] { places[path] = try sidecar.get(path).text }
    places["flags"] = try sidecar.admin("GET", "/api/v4/features").text
    places["client"] = try client.command("CLIENT", "INFO").string ?? ""
    #expect(try sidecar.terminate() == .status(0))
    places["log"] = sidecar.log.text
    for (place, text) in places { #expect(!text.contains("pw-"), "\(place): \(text)") }
  }
}
