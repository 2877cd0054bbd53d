import TestSupport
import Testing

@Suite("Dual writes, over the wire")
struct DualWriteTests {
  @Test func `both stores see the writes of all clients in the same order`() throws {
    let deployment = try Deployment(.dual)
    try inThreads(4) { thread in
      let client = try deployment.client()
      for round in 0..<50 {
        let element = "\(thread)-\(round)"
        try expectNoError(client.command("RPUSH", "list", element))
        try expectNoError(client.command("SET", "last", element))
        for reply in try client.pipeline([["APPEND", "text", element], ["LPUSH", "list", element]]) {
          try expectNoError(reply)
        }
      }
    }
    let primary = try deployment.primary.client()
    let secondary = try deployment.secondary.client()
    for command in [["LRANGE", "list", "0", "-1"], ["GET", "last"], ["GET", "text"]] {
      #expect(try primary.command(command) == secondary.command(command))
    }
    #expect(try primary.command("LLEN", "list") == .integer(400))
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `what a client sends after a write does not bring its answer forward`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["write_acknowledgement: both"])
    let client = try deployment.client()
    try client.expect(["SET", "k", "0"], .ok)
    let other = deployment.defaultStore(state == .dual ? .primaryOnly : .off)
    other.pause()
    defer { other.resume() }
    try client.send("SET k 1\r\n")
    let defaultStore = try deployment.defaultStore(state).client()
    try eventually("the default store has executed it") { try defaultStore.command("GET", "k") == .text("1") }
    try client.send("PING\r\n")
    // Once other clients have been answered twice, the sidecar has had turns with the reply and with the PING.
    for _ in 0..<2 { try deployment.client().expect(["PING"], .simple("PONG")) }
    #expect(throws: TestSupportError.self) { try client.readReply(within: .zero) }
    other.resume()
    #expect(try client.readReplies(2) == [.ok, .simple("PONG")])
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `an error of the default store leaves the other one alone`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let other = try deployment.defaultStore(state == .dual ? .primaryOnly : .off).client()
    try deployment.defaultStore(state).client().command("SET", "k", "text")
    let reply = try deployment.client().command("LPUSH", "k", "x")
    #expect(reply.errorText?.hasPrefix("WRONGTYPE") == true)
    #expect(try other.command("EXISTS", "k") == .integer(0))
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `a failure of the other store is counted and logged, and no client's`(state: MigrationState) throws {
    // Under the other policy the new store would take the old one's key first. The key stays stale until it is written.
    let deployment = try Deployment(state, instance: ["read_policy: default_store", "key_work_rate: 0"])
    let otherName = state == .dual ? "primary" : "secondary"
    let other = state == .dual ? deployment.primary : deployment.secondary
    try other.client().command("SET", "k", "text")
    let client = try deployment.client()
    #expect(try client.command("LPUSH", "k", "x") == .integer(1))

    let labels = ["reason": "error_reply", "store": otherName]
    #expect(try deployment.metric("multistore_copy_failures_total", labels) == 1)
    try deployment.waitForMetric("multistore_stale_keys", ["store": otherName], 1)
    let event = try deployment.sidecar.waitForEvent("copy failure") { $0.multiStoreMessage != nil }
    #expect(event.multiStoreMessage == "Failed to write to the redis \(otherName)_store.")
    #expect(event["exception.class"]?.string == "Redis::CommandError")
    #expect(event["extra.command_name"]?.string == "lpush")
    // The other store still has its text; the list is the truth.
    #expect(try client.command("LRANGE", "k", "0", "-1") == .array([.text("x")]))
    #expect(try client.command("TYPE", "k") == .simple("list"))
    // Replaced as a whole, the key is the same on both again.
    #expect(try client.command("DEL", "k") == .integer(1))
    try deployment.waitForMetric("multistore_stale_keys", ["store": otherName], 0)
    #expect(try other.client().command("EXISTS", "k") == .integer(0))
  }

  @Test func `acknowledged by both, a write is answered when the other store has it too`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    deployment.primary.pause()
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    let secondary = try deployment.secondary.client()
    try eventually { try secondary.command("GET", "k") == .text("v") }
    // A second look at the default store gives an early answer the time to arrive.
    #expect(throws: TestSupportError.self) { try client.readReply(within: .milliseconds(100)) }
    deployment.primary.resume()
    #expect(try client.readReply() == .ok)
    #expect(try deployment.primary.client().command("GET", "k") == .text("v"))
  }

  @Test func `acknowledged by the default store, a write does not wait for the other one`() throws {
    let deployment = try Deployment(.dual, instance: ["write_acknowledgement: default_store"])
    let client = try deployment.client()
    deployment.primary.pause()
    #expect(try client.command("SET", "k", "1") == .ok)
    #expect(try client.command("INCR", "k") == .integer(2))
    #expect(try client.pipeline([["INCR", "k"], ["INCR", "k"]]) == [.integer(3), .integer(4)])
    deployment.primary.resume()
    let primary = try deployment.primary.client()
    try eventually { try primary.command("GET", "k") == .text("4") }
  }

  @Test func `who has written a key reads it, though its copy is still on its way`() throws {
    let deployment = try Deployment(.dual, instance: ["write_acknowledgement: default_store"])
    let client = try deployment.client()
    #expect(try client.command("SET", "a", "new") == .ok)
    #expect(try client.command("SET", "b", "old") == .ok)
    deployment.primary.pause()
    // Copied whole, once the old name's value was asked for.
    #expect(try client.command("RENAME", "a", "b") == .ok)
    #expect(try client.command("GET", "b") == .text("new"))
    #expect(try client.command("GET", "a") == .null)
    deployment.primary.resume()
    let primary = try deployment.primary.client()
    try eventually { try primary.command("GET", "b") == .text("new") }
    try eventually { try deployment.metric("multistore_store_in_flight_commands", ["store": "primary"]) == 0 }
    #expect(try client.command("GET", "b") == .text("new"))
  }

  @Test func `what deletes a key by its time is copied as that, whatever is made of the key afterwards`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let stores = [try deployment.primary.client(), try deployment.secondary.client()]
    for time in ["0", "-1"] {
      #expect(try client.command("SADD", "s", "old") == .integer(1))
      let commands = [["EXPIRE", "s", time], ["SADD", "s", "new"], ["EXPIRE", "s", "100"]]
      #expect(try client.pipeline(commands) == [.integer(1), .integer(1), .integer(1)])
      for store in stores { #expect(try store.command("SMEMBERS", "s") == .array([.text("new")])) }
      #expect(try client.pipeline([["MULTI"]] + commands + [["DEL", "s"], ["EXEC"]]).last?.elements?.count == 4)
      for store in stores { #expect(try store.command("EXISTS", "s") == .integer(0)) }
    }
  }

  @Test func `conditions are decided on the default store, and the other one gets what took effect`() throws {
    let deployment = try Deployment(.dual)
    let primary = try deployment.primary.client()
    let secondary = try deployment.secondary.client()
    let client = try deployment.client()
    // The default store has the key, the other does not: nothing may happen there.
    for command in [
      ["SETNX", "held", "new"], ["SET", "held", "new", "NX"], ["SET", "held", "new", "NX", "EX", "100"],
      ["MSETNX", "held", "new", "more", "new"],
    ] {
      try secondary.command("SET", "held", "old")
      #expect(try [.integer(0), .null].contains(client.command(command)), "\(command)")
      #expect(try primary.command("EXISTS", "held", "more") == .integer(0), "\(command)")
    }
    #expect(try client.command("SET", "absent", "new", "XX") == .null)
    // The default store lacks it, the other has something else: it is overwritten.
    for command in [
      ["SETNX", "free", "new"], ["SET", "free", "new", "NX"], ["SET", "free", "new", "EX", "100", "NX"],
      ["MSETNX", "free", "new"],
    ] {
      try primary.command("SET", "free", "old")
      try secondary.command("DEL", "free")
      #expect(try [.integer(1), .ok].contains(client.command(command)), "\(command)")
      #expect(try primary.command("GET", "free") == .text("new"), "\(command)")
    }
    try secondary.command("SET", "there", "old")
    #expect(try client.command("SET", "there", "new", "XX") == .ok)
    #expect(try primary.command("GET", "there") == .text("new"))
    try primary.command("HSET", "hash", "f", "old", "g", "1")
    #expect(try client.command("HSETNX", "hash", "f", "new") == .integer(1))
    #expect(try primary.command("HGET", "hash", "f") == .text("new"))
    #expect(try client.command("HSETNX", "hash", "f", "newer") == .integer(0))
    #expect(try primary.command("HGET", "hash", "f") == .text("new"))
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `a stream's entries have the same IDs on both`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let additions = [
      ["XADD", "s", "*", "f", "1"], ["XADD", "s", "MAXLEN", "~", "1000", "*", "f", "*"],
      ["XADD", "s", "NOMKSTREAM", "MINID", "=", "0", "*", "*", "2"], ["XADD", "s", "99999999999999-*", "f", "3"],
      ["XADD", "s", "99999999999999-7", "f", "4"],
    ]
    let ids = try additions.map { try client.command($0).string }
    #expect(try client.pipeline([["XADD", "s", "*", "f", "5"], ["XLEN", "s"]]).last == .integer(6))
    let entries = try deployment.primary.client().command("XRANGE", "s", "-", "+")
    #expect(try deployment.secondary.client().command("XRANGE", "s", "-", "+") == entries)
    #expect(entries.elements?.prefix(5).map { $0.elements?.first?.string } == ids)
  }

  @Test func `what chance decided on the default store happens on the other`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let members = (0..<50).map(String.init)
    #expect(try client.command(["SADD", "set"] + members) == .integer(50))
    let popped = try #require(try client.command("SPOP", "set").string)
    for store in [deployment.primary, deployment.secondary] {
      let direct = try store.client()
      #expect(try direct.command("SISMEMBER", "set", popped) == .integer(0))
      #expect(try direct.command("SCARD", "set") == .integer(49))
    }
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
  }
}

func expectNoError(_ reply: RESPReply, sourceLocation: SourceLocation = #_sourceLocation) throws {
  try #require(reply.errorText == nil, sourceLocation: sourceLocation)
}
