import TestSupport
import Testing

/// The store that is not the default is a guest: whatever is wrong with it costs a client its timeout once.
@Suite("The other store can do nothing to a client")
struct OtherStoreTests {
  /// How the instance uses its stores.
  struct Setup: CustomTestStringConvertible, Sendable {
    let state: MigrationState
    let policy: String
    let acknowledgement: String

    var testDescription: String { "\(state), \(policy), acknowledged by \(acknowledgement)" }

    static let all: [Setup] = [
      Setup(state: .dual, policy: "fallback", acknowledgement: "both"),
      Setup(state: .dual, policy: "default_store", acknowledgement: "default_store"),
      Setup(state: .dualPrimary, policy: "fallback", acknowledgement: "default_store"),
      Setup(state: .dualPrimary, policy: "default_store", acknowledgement: "both"),
    ]

    func deployment() throws -> Deployment {
      try Deployment(
        state,
        instance: [
          "other_store_timeout: 2s", "read_policy: \(policy)", "write_acknowledgement: \(acknowledgement)",
          "event_rate_limit: 1000",
        ]
      )
    }

    func otherStore(_ deployment: Deployment) -> RedisServer {
      state.primaryIsDefault ? deployment.secondary : deployment.primary
    }

    var otherLabel: String { state.primaryIsDefault ? "secondary" : "primary" }
  }

  /// Connecting to a stopped server succeeds again and again: the kernel does that.
  @Test(arguments: Setup.all)
  func `a store that hangs is waited for once`(setup: Setup) throws {
    let deployment = try setup.deployment()
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "0") == .ok)
    let other = setup.otherStore(deployment)
    other.pause()
    let clock = ContinuousClock()
    let first = try clock.measure { try client.expect(["SET", "k", "1"], .ok) }
    #expect(first < .seconds(20), "it waits for no more than other_store_timeout")
    let down = ["store": setup.otherLabel]
    try deployment.waitForMetric("multistore_store_up", down, 0)
    // Each of them would wait for two seconds, or for the five of an attempt to connect.
    let rounds = 100
    let all = try clock.measure {
      for round in 1...rounds {
        try client.expect(["SET", "k", "\(round)"], .ok)
        try client.expect(["GET", "k"], .text("\(round)"))
        try client.expect(["RPUSH", "list", "\(round)"], .integer(round))
        let replies = try client.pipeline([["INCR", "n"], ["GET", "n"]])
        guard replies == [.integer(round), .text("\(round)")] else { throw TestSupportError(.malformed, "\(replies)") }
        try client.expect(["MULTI"], .ok)
        try client.expect(["SET", "t", "\(round)"], .simple("QUEUED"))
        try client.expect(["EXEC"], .array([.ok]))
      }
    }
    #expect(all < .seconds(100), "\(rounds) rounds took \(all)")
    #expect(try deployment.sidecar.get("/-/ready").status == 200)
    // The list, k, n and t. The gauge is published now and then, and the rounds may take less.
    try deployment.waitForMetric("multistore_stale_keys", down, 4)
    other.resume()
    try eventually("it is written to again, when it has answered for a while") {
      try client.command("SET", "k", "last") == .ok && other.client().command("GET", "k") == .text("last")
    }
  }

  /// The server answers the handshake and everything but writes, so that a client's write would be its test each time.
  @Test func `a store whose writes hang is not tried with a client's write`() throws {
    let deployment = try Deployment(.dual, instance: ["other_store_timeout: 1s", "read_policy: default_store"])
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "0") == .ok)
    let administrator = try deployment.primary.client()
    #expect(try administrator.command("CLIENT", "PAUSE", "600000", "WRITE") == .ok)
    #expect(try client.command("SET", "k", "1") == .ok)
    let timedOut = ["store": "primary", "outcome": "timeout"]
    try deployment.waitForMetric("multistore_commands_total", timedOut, 1)
    let probes = ["store": "primary", "reason": "timeout"]
    var round = 1
    try eventually("a probe was not answered, twice") {
      round += 1
      #expect(try client.command("SET", "k", "\(round)") == .ok)
      return try deployment.metric("multistore_store_connection_failures_total", probes).map { $0 >= 3 } == true
    }
    #expect(try deployment.metric("multistore_commands_total", timedOut) == 1, "no other command was tried there")
    #expect(try administrator.command("CLIENT", "UNPAUSE") == .ok)
    try eventually("it is written to again") {
      try client.command("SET", "k", "last") == .ok && administrator.command("GET", "k") == .text("last")
    }
  }

  @Test(arguments: [MigrationState.off, .dual, .dualPrimary])
  func `connections that are killed are made again at once, and no command fails`(state: MigrationState) throws {
    // Otherwise a command of the sidecar's own might be in flight.
    let deployment = try Deployment(state, instance: ["keyspace_sampling: false"])
    let client = try deployment.client()
    // Behind those of the start, such as the copy of the functions.
    #expect(try client.command("SET", "k", "0") == .ok)
    func connections(_ store: String) -> Int {
      deployment.sidecar.log.all.count { $0.message == "Store connected" && $0["store"]?.string == store }
    }
    for (label, store) in [("primary", deployment.primary), ("secondary", deployment.secondary)] {
      let administrator = try store.client()
      // Counted from the first one on: a line of the log may be read later than what it tells has happened.
      try eventually("it is connected") { connections(label) > 0 }
      for round in 1...10 {
        _ = try administrator.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        // A command that is sent before the sidecar learns of it may have been executed, and must not be repeated. The
        // next kill has to find a connection.
        try eventually("it is connected again") { connections(label) > round }
        #expect(try client.command("SET", "k", "\(round)") == .ok)
        #expect(try client.command("GET", "k") == .text("\(round)"))
      }
    }
    let message = "Idle connection closed by the store; it is made again"
    let lines = deployment.sidecar.log.all.filter { $0.message == message }
    #expect(!lines.isEmpty && lines.allSatisfy { $0["severity"]?.string == "INFO" })
    #expect(deployment.sidecar.log.all.filter { $0.message == "Store unavailable" }.map { "\($0)" } == [])
  }

  @Test func `a store that comes back is found at once, and one that is down is not stormed`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let clock = ContinuousClock()
    let start = clock.now
    deployment.secondary.kill()
    let refused = ["store": "secondary", "reason": "connect"]
    try eventually("it was tried again and again") {
      try deployment.metric("multistore_store_connection_failures_total", refused).map { $0 >= 20 } == true
    }
    #expect(clock.now - start > .milliseconds(900), "no more than twenty attempts in a second")
    try deployment.secondary.restart()
    try eventually("it serves again", within: .seconds(5)) { try client.command("SET", "k", "v") == .ok }
    let lines = deployment.sidecar.log.all.filter { $0.message == "Store unavailable" }
    #expect(lines.count <= 3, "attempts that fail alike are logged now and then")
  }
}
