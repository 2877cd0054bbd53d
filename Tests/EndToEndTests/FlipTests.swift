import Synchronization
import TestSupport
import Testing

@Suite("Flags flipped and processes ended under load")
struct FlipTests {
  @Test func `no command is lost or fails while dual writes go on and off`() throws {
    let deployment = try Deployment(.off)
    let totals = try countWhileFlipping(Deployment.dualFlag, of: deployment)
    let secondary = try deployment.secondary.client()
    for (thread, total) in totals.enumerated() {
      #expect(try secondary.command("GET", "n\(thread)") == .text("\(total)"))
    }
    #expect(try deployment.metric("multistore_commands_total", ["store": "secondary", "outcome": "error"]) == 0)
  }

  @Test(arguments: ["both", "default_store"])
  func `no command is lost or fails while the default store changes`(acknowledgement: String) throws {
    let deployment = try Deployment(.dual, instance: ["write_acknowledgement: \(acknowledgement)"])
    let totals = try countWhileFlipping(Deployment.defaultFlag, of: deployment)
    for (thread, total) in totals.enumerated() {
      for store in [deployment.primary, deployment.secondary] {
        let direct = try store.client()
        try eventually("n\(thread) is \(total)") { try direct.command("GET", "n\(thread)") == .text("\(total)") }
      }
    }
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics.sum("multistore_copy_failures_total") == 0)
    #expect(metrics.sum(MultiStoreNames.pipelinedDiff) == 0)
    #expect(metrics.sum("multistore_feature_flag_changes_total") >= 30)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `SIGTERM under load loses no reply, and ends with 0`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let totals = Mutex([Int](repeating: 0, count: 4))
    let traffic = Threads(4) { thread in
      let client = try deployment.client()
      var count = 0
      while true {
        defer { totals.withLock { $0[thread] = count } }
        do {
          try increment("n\(thread)", &count, client)
        } catch let error as TestSupportError where error.code == .closed {
          return
        }
      }
    }
    try eventually("all are at work") { totals.withLock { $0.allSatisfy { $0 > 20 } } }
    try deployment.finish()
    try traffic.join()
    for (thread, total) in totals.withLock({ $0 }).enumerated() {
      // What a client sends too late is not executed; what was executed is answered.
      let value = try deployment.secondary.client().command("GET", "n\(thread)").string.flatMap { Int($0) } ?? -1
      #expect(value == total)
    }
    #expect(deployment.sidecar.log.all.last?.message == "Stopped")
    #expect(deployment.sidecar.log.all.contains { $0.message == "Shutting down" })
    #expect(throws: TestSupportError.self) { try deployment.client() }
  }

  @Test func `SIGTERM waits for a command in flight, for shutdown_timeout at most`() throws {
    let deployment = try Deployment(stores: "command_timeout: 60s", top: ["shutdown_timeout: 500ms"])
    let patient = try deployment.client()
    try deployment.pauseOnceIdle("secondary")
    try patient.send(RESPClient.encode(["SET", "k", "v"]))
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 1)
    try deployment.finish()
    #expect(deployment.sidecar.log.all.contains { $0.message.contains("shutdown_timeout") })
    #expect(deployment.sidecar.log.all.last?.message == "Stopped")

    let other = try Deployment(stores: "command_timeout: 60s", top: ["shutdown_timeout: 60s"])
    let client = try other.client()
    try other.pauseOnceIdle("secondary")
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    try other.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 1)
    other.sidecar.process.signal(15)
    try other.sidecar.waitForEvent { $0.message == "Shutting down" }
    other.secondary.resume()
    #expect(try client.readReply() == .ok)
    #expect(try client.readUntilClosed() == [])
    #expect(try other.sidecar.process.waitForExit() == .status(0))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `SIGTERM waits for what a large reply holds up`(state: MigrationState) throws {
    let deployment = try Deployment(
      state,
      listen: "127.0.0.1:0",
      stores: "command_timeout: 60s",
      top: ["shutdown_timeout: 60s"]
    )
    let client = try deployment.client()
    let value = String(repeating: "v", count: 400_000)
    for _ in 0..<40 { try client.command("RPUSH", "list", value) }
    for store in ["primary", "secondary"] { try deployment.pauseOnceIdle(store) }
    let commands = [["LRANGE", "list", "0", "-1"], ["ECHO", "end"], ["INCR", "n"]]
    try client.send(commands.flatMap { RESPClient.encode($0) })
    try eventually { try deployment.sidecar.metrics().sum("multistore_store_in_flight_commands") > 0 }
    deployment.sidecar.process.signal(15)
    try deployment.sidecar.waitForEvent { $0.message == "Shutting down" }
    for store in [deployment.primary, deployment.secondary] { store.resume() }
    let isWhole = try client.readReply() == .array(Array(repeating: .text(value), count: 40))
    #expect(isWhole)
    #expect(try client.readReplies(2) == [.text("end"), .integer(1)])
    #expect(try deployment.sidecar.process.waitForExit() == .status(0))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `SIGTERM waits for nobody who is blocked, and pops nothing for them`(state: MigrationState) throws {
    // Longer than the end is waited for.
    let deployment = try Deployment(state, top: ["shutdown_timeout: 60s"])
    let endless = [
      ["BLPOP", "k", "0"], ["XREAD", "BLOCK", "0", "STREAMS", "x", "$"], ["BLMOVE", "k", "l", "LEFT", "LEFT", "0"],
    ]
    let commands = endless.map { $0.map { $0 == "0" ? "60000" : $0 } } + endless
    let clients = try commands.map { command in
      let client = try deployment.client()
      try client.send(RESPClient.encode(command) + RESPClient.encode(["ECHO", "end"]))
      return client
    }
    let direct = try deployment.secondary.client()
    try eventually("all are blocked") {
      try direct.command("INFO", "clients").string?.contains("blocked_clients:\(commands.count)\r\n") == true
    }
    #expect(try deployment.sidecar.terminate() == .status(0))
    #expect(!deployment.sidecar.log.all.contains { $0.message.contains("shutdown_timeout") })
    for (command, client) in zip(commands, clients) {
      // No server answers a wait without a timeout with nil.
      if !endless.contains(command) {
        #expect(try [.bulk(nil), .array(nil)].contains(client.readReply()))
        #expect(try client.readReply() == .text("end"))
      }
      #expect(try client.readUntilClosed() == [])
    }
    #expect(try direct.command("RPUSH", "k", "v") == .integer(1))
    #expect(try direct.command("LLEN", "k") == .integer(1))
  }

  @Test func `SIGTERM waits for copies that nobody waits for`() throws {
    let deployment = try Deployment(
      .dual,
      instance: ["write_acknowledgement: default_store"],
      top: ["shutdown_timeout: 60s"]
    )
    let client = try deployment.client()
    deployment.primary.pause()
    // More than the sockets hold, so that most of it has not left.
    let value = String(repeating: "v", count: 1_000_000)
    for number in 0..<20 { #expect(try client.command("SET", "large:\(number)", value) == .ok) }
    #expect(try client.command("SET", "small", "v") == .ok)
    deployment.sidecar.process.signal(15)
    try deployment.sidecar.waitForEvent { $0.message == "Shutting down" }
    #expect(try client.readUntilClosed() == [])
    deployment.primary.resume()
    #expect(try deployment.sidecar.process.waitForExit() == .status(0))
    let primary = try deployment.primary.client()
    #expect(try primary.command("DBSIZE") == .integer(21))
    #expect(try primary.command("STRLEN", "large:19") == .integer(value.utf8.count))
  }
}

/// Has four clients count while a flag is set and unset, and waits until each of them has gone on every time.
///
/// - Returns: how far each has come.
private func countWhileFlipping(_ flag: String, of deployment: Deployment) throws -> [Int] {
  let isDone = Atomic(false)
  let totals = Mutex([Int](repeating: 0, count: 4))
  let traffic = Threads(4) { thread in
    let client = try deployment.client()
    var count = 0
    while !isDone.load(ordering: .relaxed) {
      try increment("n\(thread)", &count, client)
      totals.withLock { $0[thread] = count }
    }
  }
  defer { isDone.store(true, ordering: .relaxed) }
  for round in 0..<30 {
    try deployment.sidecar.setFlag(flag, round % 2 == 0)
    let before = totals.withLock { $0 }
    try eventually("every client goes on") {
      totals.withLock { zip($0, before).allSatisfy { $0 > $1 } }
    }
  }
  isDone.store(true, ordering: .relaxed)
  try traffic.join()
  return totals.withLock { $0 }
}

/// Increments a counter once alone and three times in a pipeline, holding each reply against `count`.
private func increment(_ key: String, _ count: inout Int, _ client: RESPClient) throws {
  for size in [1, 3] {
    try client.send((0..<size).flatMap { _ in RESPClient.encode(["INCR", key]) })
    for _ in 0..<size {
      let reply = try client.readReply()
      guard reply == .integer(count + 1) else {
        throw TestSupportError(.malformed, "INCR of \(key) answered \(reply) after \(count)")
      }
      count += 1
    }
  }
}
