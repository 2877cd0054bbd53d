import Synchronization
import TestSupport
import Testing

@Suite("Stores that fail and come back, under traffic")
struct StoreFailureTests {
  @Test(arguments: ["fallback", "default_store"])
  func `a primary that is not the default may die and come back, and no client notices`(policy: String) throws {
    let deployment = try Deployment(.dual, instance: ["read_policy: \(policy)"])
    let isDone = Atomic(false)
    let written = Atomic(0)
    let traffic = Threads(3) { thread in
      let client = try deployment.client()
      while !isDone.load(ordering: .relaxed) {
        let count = try client.command("INCR", "n\(thread)").integer
        let replies = try client.pipeline([["SET", "k\(thread)", "\(count ?? -1)"], ["GET", "k\(thread)"]])
        guard let count, replies == [.ok, .text("\(count)")] else {
          throw TestSupportError(.malformed, "INCR answered \(String(describing: count)), the pipeline \(replies)")
        }
        try expectNoError(client.command("GET", "none"))
        written.add(1, ordering: .relaxed)
      }
    }
    defer { isDone.store(true, ordering: .relaxed) }
    try eventually { written.load(ordering: .relaxed) > 30 }
    deployment.primary.kill()
    try deployment.waitForMetric("multistore_store_up", ["store": "primary"], 0)
    let before = written.load(ordering: .relaxed)
    try eventually { written.load(ordering: .relaxed) > before + 30 }
    // The store that does not count does not make the sidecar unready.
    #expect(try deployment.sidecar.get("/-/ready").status == 200)
    try deployment.primary.restart()
    let primary = try deployment.primary.client()
    try eventually("the primary is written to again", within: .seconds(20)) {
      try primary.command("EXISTS", "k0", "k1", "k2") == .integer(3)
    }
    isDone.store(true, ordering: .relaxed)
    try traffic.join()
    #expect(try primary.command("GET", "k1") == deployment.secondary.client().command("GET", "n1"))
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") > 0)
  }

  @Test func `a store that comes back as another process is told of, and the warm-up begins anew with it`() throws {
    let deployment = try Deployment(.dual)
    let message = "Store restarted, or another server has taken its place: what it did not keep is gone"
    // Its answer comes after that to the copy of functions, with which the connection would not be idle.
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "0") == .ok)
    // The same process on another connection is no news.
    try deployment.primary.client().command("CLIENT", "KILL", "TYPE", "normal")
    let idle = ["store": "primary", "reason": "idle"]
    try deployment.waitForMetric("multistore_store_connection_failures_total", idle, 1)
    try eventually("the primary is connected again") {
      deployment.sidecar.log.all.count { $0.message == "Store connected" && $0["store"]?.string == "primary" } == 2
    }
    #expect(try deployment.metric("multistore_store_restarts_total", ["store": "primary"]) == 0)
    #expect(try client.command("SET", "k", "v", "EX", "1000") == .ok)
    deployment.primary.kill()
    try deployment.primary.restart()
    try deployment.waitForMetric("multistore_store_restarts_total", ["store": "primary"], 1)
    #expect(try deployment.metric("multistore_store_restarts_total", ["store": "secondary"]) == 0)
    let warning = try deployment.sidecar.waitForEvent("the restart") { $0.message == message }
    #expect(warning["store"]?.string == "primary" && warning["instance_name"]?.string == "sessions")
  }

  @Test func `while the default store is down its commands are refused clearly, and go on afterwards`() throws {
    let deployment = try Deployment(.dual, instance: ["event_rate_limit: 1000"])
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "v") == .ok)
    deployment.secondary.kill()
    try eventually("the loss is noticed") { try deployment.sidecar.get("/-/ready").status == 503 }
    let ready = try deployment.sidecar.get("/-/ready").text
    #expect(ready.contains("sessions") && ready.contains("secondary"))
    for command in [["SET", "k", "w"], ["INCR", "n"], ["CONFIG", "GET", "port"], ["DBSIZE"]] {
      let error = try client.command(command).errorText ?? ""
      #expect(error.hasPrefix("ERR MultiStore: secondary store: "), "\(command): \(error)")
    }
    // What failed on the store that counts must not exist on the other one.
    let primary = try deployment.primary.client()
    #expect(try primary.command("GET", "k") == .text("v"))
    #expect(try primary.command("EXISTS", "n") == .integer(0))
    // What the primary has can be read all the while.
    #expect(try client.command("GET", "k") == .text("v"))
    #expect(try client.command("PING") == .simple("PONG"))
    try deployment.secondary.restart()
    try eventually("it serves again", within: .seconds(20)) { try client.command("SET", "k", "w") == .ok }
    #expect(try deployment.sidecar.get("/-/ready").status == 200)
    #expect(try primary.command("GET", "k") == .text("w"))
  }

  @Test func `a secondary that dies behind the new default store is nobody's trouble`() throws {
    let deployment = try Deployment(.dualPrimary)
    let client = try deployment.client()
    try client.command("SET", "k", "v")
    deployment.secondary.kill()
    for round in 1...20 {
      #expect(try client.command("INCR", "n") == .integer(round))
      #expect(try client.command("GET", "k") == .text("v"))
      #expect(try client.command("GET", "none") == .null)
      #expect(try client.pipeline([["SET", "p", "1"], ["GET", "p"], ["GET", "none"]]) == [.ok, .text("1"), .null])
    }
    #expect(try deployment.sidecar.get("/-/ready").status == 200)
  }

  @Test func `a store that never answers costs its timeout, and the commands that wait`() throws {
    let deployment = try Deployment(stores: "command_timeout: 300ms, connect_timeout: 300ms")
    let client = try deployment.client()
    deployment.secondary.pause()
    let replies = try client.pipeline([["SET", "a", "1"], ["INCR", "n"]])
    for reply in replies {
      #expect(reply.errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true, "\(reply)")
    }
    #expect(replies[0].errorText?.contains("timeout") == true, "\(replies[0])")
    #expect(try deployment.sidecar.metrics().sum("multistore_commands_total", ["outcome": "timeout"]) > 0)
    // Another store may be stuck, but PING and the probes are not.
    #expect(try client.command("PING") == .simple("PONG"))
    try eventually { try deployment.sidecar.get("/-/ready").status == 503 }
    deployment.secondary.resume()
    try eventually(within: .seconds(20)) { try client.command("SET", "a", "2") == .ok }
    #expect(try deployment.secondary.client().command("GET", "a") == .text("2"))
  }

  /// The client has a connection of its own already, on which the command reaches the store.
  @Test func `a blocking command ends when its timeout and the store's have passed on a store that hangs`() throws {
    let deployment = try Deployment(stores: "command_timeout: 300ms")
    let client = try deployment.client()
    try eventually("the store has a connection for the client") {
      try client.command("BLPOP", "q", "0.001") == .array(nil)
    }
    deployment.secondary.pause()
    try client.send(RESPClient.encode(["BLPOP", "q", "0.5"]))
    let error = try client.readReply().errorText
    #expect(error?.hasPrefix("ERR MultiStore: secondary store: no reply") == true, "\(error ?? "no error")")
    deployment.secondary.resume()
    try eventually("the store is served again") { try client.command("SET", "a", "1") == .ok }
  }

  @Test func `commands for a stuck store wait in a bounded queue, and further ones are refused`() throws {
    let deployment = try Deployment(stores: "max_queued_commands: 20, command_timeout: 60s")
    let waiting = try (0..<20).map { _ in try deployment.client() }
    deployment.secondary.pause()
    for client in waiting { try client.send(RESPClient.encode(["INCR", "n"])) }
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 20)
    // At once, while the store still answers nothing.
    let refusal = try deployment.client().command("INCR", "n").errorText ?? ""
    deployment.secondary.resume()
    #expect(refusal.hasPrefix("ERR MultiStore: secondary store: ") && refusal.contains("limit 20"), "\(refusal)")
    #expect(try deployment.sidecar.metrics().sum("multistore_commands_total", ["outcome": "queue_full"]) == 1)
    let counts = try waiting.map { try $0.readReply().integer }
    #expect(Set(counts) == Set(1...20))
    #expect(try deployment.client().command("INCR", "n") == .integer(21))
  }

  /// They wait in their clients' inputs instead.
  @Test func `large values for a store that reads slowly do not fill its queue`() throws {
    let deployment = try Deployment(stores: "max_queued_bytes: 16MiB, command_timeout: 60s")
    let clients = try (0..<6).map { _ in try deployment.client() }
    deployment.secondary.pause()
    let values = clients.indices.map { String(repeating: "\($0)", count: 8 << 20) }
    for (index, client) in clients.enumerated() {
      try client.send(RESPClient.encode(["SET", "value:\(index)", values[index]]), within: .seconds(60))
    }
    deployment.secondary.resume()
    for client in clients { #expect(try client.readReply(within: .seconds(60)) == .ok) }
    let client = try deployment.secondary.client()
    for index in clients.indices {
      let isSame = try client.command("GET", "value:\(index)") == .text(values[index])
      #expect(isSame, "value \(index)")
    }
    #expect(try deployment.sidecar.metrics().sum("multistore_commands_total", ["outcome": "queue_full"]) == 0)
  }

  /// A value that waits for the store gets its error when the store is lost, and the client goes on afterwards.
  @Test func `large values for a store that goes down are answered with errors`() throws {
    let deployment = try Deployment(stores: "command_timeout: 60s")
    let clients = try (0..<6).map { _ in try deployment.client() }
    deployment.secondary.pause()
    let command = RESPClient.encode(["SET", "value", String(repeating: "v", count: 8 << 20)])
    for client in clients { try client.send(command, within: .seconds(60)) }
    deployment.secondary.kill()
    for client in clients {
      let error = try client.readReply(within: .seconds(60)).errorText ?? ""
      #expect(error.hasPrefix("ERR MultiStore: secondary store: "), "\(error)")
    }
    try deployment.secondary.restart()
    for client in clients { try eventually { try client.command("SET", "a", "1") == .ok } }
  }

  @Test func `a store whose connection breaks in the middle of a command has it answered, and not sent twice`() throws {
    let deployment = try Deployment(instance: ["event_rate_limit: 1000"], stores: "command_timeout: 60s")
    let client = try deployment.client()
    try client.command("SET", "n", "0")
    try deployment.pauseOnceIdle("secondary")
    try client.send(RESPClient.encode(["INCR", "n"]))
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 1)
    deployment.secondary.kill()
    let error = try client.readReply().errorText ?? ""
    #expect(error.hasPrefix("ERR MultiStore: secondary store: connection lost"), "\(error)")
    try deployment.secondary.restart()
    try eventually(within: .seconds(20)) { try client.command("PING", "x") == .text("x") }
    try eventually(within: .seconds(20)) { try client.command("GET", "n") == .null }
  }
}
