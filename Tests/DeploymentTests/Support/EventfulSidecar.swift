import Foundation
import TestSupport

/// A sidecar that logs events of every class, most of them suppressed by its rate limit, to a file.
///
/// All its listeners are unix sockets in a folder of its own. It is there when the initialiser returns, and gone with
/// the object.
final class EventfulSidecar: Sendable {
  let directory: TemporaryDirectory
  let primary: RedisServer
  let secondary: RedisServer
  let process: ChildProcess

  /// Where the JSON log is.
  var logFile: String { directory.path("events.jsonl") }

  /// Starts the stores and the sidecar in a folder that may have something prepared in it.
  init(in directory: TemporaryDirectory) throws {
    self.directory = directory
    primary = try RedisServer()
    secondary = try RedisServer()
    // A store's errors are to begin when it is killed, and not when a busy machine stands still.
    let configuration = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          primary: { url: "\(primary.url)", command_timeout: 30s }
          secondary: { url: "\(secondary.url)", command_timeout: 30s }
          other_store_timeout: 30s
          recheck_diffs: true
          event_rate_limit: 1
      """
    process = try ChildProcess(
      SidecarProcess.executablePath,
      [
        "--config.file=\(try directory.write(configuration, to: "sidecar.yml"))",
        "--web.listen-address=unix:\(directory.path("web.sock"))",
        "--admin.listen-address=unix:\(directory.path("admin.sock"))", "--log.file=\(directory.path("events.jsonl"))",
      ]
    )
    try eventually("both stores are connected") { try metrics().sum("multistore_store_up") == 2 }
    try secondary.client().command("MSET", "a", "1", "b", "1")
    try primary.client().command("SET", "b", "2")
    let flag = "use_primary_and_secondary_stores_for_sessions"
    let address = SocketAddress.unix(directory.path("admin.sock"))
    let response = try HTTPClient.request("POST", "/api/v4/features/\(flag)", of: address, form: ["value": "true"])
    guard (200..<300).contains(response.status) else { throw TestSupportError(.process, response.text) }
  }

  func metrics() throws -> MetricsSnapshot {
    try MetricsSnapshot(
      parsing: HTTPClient.request("GET", "/metrics", of: .unix(directory.path("web.sock"))).text
    )
  }

  func client() throws -> RESPClient { try RESPClient(unix: directory.path("sessions.sock")) }

  /// The log's lines so far.
  func lines() throws -> [JSONValue] {
    try directory.read("events.jsonl").split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  /// Makes events of every class, and goes on until the log has told of all that were suppressed: of each class at some
  /// time, for events may still follow, such as those of checks that wait.
  func makeEvents() throws {
    let client = try client()
    for _ in 0..<5 { try makeMigrationEvents(client) }
    var untold = Set(EventCounts.classes).subtracting(["StoreError"])
    try settle({ try areTold(&untold) }, after: { try makeMigrationEvents(client) })
    primary.kill()
    try eventually("the primary is gone") { try metrics().sum("multistore_store_up") == 1 }
    for _ in 0..<5 { try client.command("SET", "c", "3") }
    untold = ["StoreError"]
    try settle({ try areTold(&untold) }, after: { try client.command("SET", "c", "3") })
  }

  /// Makes one more event whenever the rate limit lets it through, which tells of those that were suppressed before it,
  /// until a condition holds.
  func settle(_ condition: () throws -> Bool, after makeOneMore: () throws -> Void) throws {
    var last = ContinuousClock.now
    try eventually("all events have been told") {
      if ContinuousClock.now - last > .milliseconds(1100) {
        try makeOneMore()
        last = ContinuousClock.now
      }
      return try condition()
    }
  }

  /// What the sidecar's own counters say.
  func counted() throws -> EventCounts {
    EventCounts(try metrics(), "multistore_events_total", "multistore_events_suppressed_total")
  }

  /// What the log says, every event counted for itself and for those before it that were suppressed.
  func told() throws -> EventCounts {
    let events = try lines().compactMap { line -> String? in
      guard let name = line["exception.class"]?.string, let instance = line["extra.instance_name"]?.string,
        let suppressed = line["extra.suppressed_events"]?.number
      else { return nil }
      return "\(name) \(instance) \(1 + Int(suppressed))"
    }
    return try EventCounts(listing: events.joined(separator: "\n"))
  }

  /// Takes out the classes of which there were events and the log now tells of each, and says whether none is left.
  private func areTold(_ untold: inout Set<String>) throws -> Bool {
    let (events, logged) = (try counted().byClass, try told().byClass)
    untold = untold.filter { events[$0] == nil || logged[$0] != events[$0] }
    return untold.isEmpty
  }

  /// One event of each class but the store's errors.
  private func makeMigrationEvents(_ client: RESPClient) throws {
    try client.command("TIME")
    try client.command("GET", "a")
    _ = try client.pipeline([["GET", "b"], ["GET", "nobody"]])
    // A settled check finds what was changed behind the sidecar's back.
    let key = "changed-\(UInt64.random(in: 0 ... .max))"
    try client.command("SET", key, "v")
    try primary.client().command("SET", key, "w")
  }
}
