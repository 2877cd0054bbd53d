import Synchronization
import TestSupport
import Testing

@Suite("Blocking commands while the default store moves")
struct BlockedMoveTests {
  /// A command that waits, what ends its waiting, and what it is answered then.
  private static let commands: [([String], [String], RESPReply)] = [
    (["BLPOP", "none", "k", "0"], ["RPUSH", "k", "x"], .array([.text("k"), .text("x")])),
    (["BRPOP", "k", "none", "30.5"], ["RPUSH", "k", "x"], .array([.text("k"), .text("x")])),
    (["BLMOVE", "k", "done", "LEFT", "RIGHT", "0"], ["RPUSH", "k", "x"], .text("x")),
    (["BRPOPLPUSH", "k", "done", "30"], ["RPUSH", "k", "x"], .text("x")),
    (["BLMPOP", "0", "1", "k", "LEFT"], ["RPUSH", "k", "x"], .array([.text("k"), .array([.text("x")])])),
    (["BZPOPMIN", "k", "0"], ["ZADD", "k", "1", "x"], .array([.text("k"), .text("x"), .text("1")])),
    (["BZPOPMAX", "k", "30"], ["ZADD", "k", "1", "x"], .array([.text("k"), .text("x"), .text("1")])),
    (
      ["BZMPOP", "30", "1", "k", "MIN"], ["ZADD", "k", "1", "x"],
      .array([.text("k"), .array([.array([.text("x"), .text("1")])])])
    ),
    (
      ["XREAD", "BLOCK", "0", "STREAMS", "k", "0-0"], ["XADD", "k", "1-1", "f", "x"],
      .array([.array([.text("k"), .array([.array([.text("1-1"), .array([.text("f"), .text("x")])])])])])
    ),
  ]

  @Test(arguments: [true, false])
  func `whatever waits is taken along, there and back again`(isDual: Bool) throws {
    let (old, new): (MigrationState, MigrationState) = isDual ? (.dual, .dualPrimary) : (.off, .primaryOnly)
    let deployment = try Deployment(old)
    let other = try deployment.client()
    for (command, cause, answer) in Self.commands {
      let client = try deployment.client()
      try client.send(RESPClient.encode(command))
      try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, command)
      try deployment.move(to: new)
      try waitUntilBlocked(on: deployment.primary, not: deployment.secondary, command)
      try deployment.move(to: old)
      try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, command)
      try deployment.move(to: new)
      #expect(try other.command(cause).errorText == nil)
      #expect(try client.readReply() == answer, "\(command)")
      // The client is as free as any other.
      #expect(try client.command("PING") == .simple("PONG"))
      try other.command("DEL", "k", "done")
      try deployment.move(to: old)
      for store in [deployment.primary, deployment.secondary] { try store.client().command("FLUSHALL") }
    }
    #expect(try deployment.metric("multistore_blocked_commands_moved_total") == Double(3 * Self.commands.count))
    // The shared connection and a spare one are left.
    try deployment.waitForMetric("multistore_store_connections", ["store": "primary"], 2)
  }

  /// In the third state a command waits until its key has arrived on the default store before it blocks there. The
  /// move has told all others by then.
  @Test func `a command that waits for its key when the move begins is taken along`() throws {
    let deployment = try Deployment(.dualPrimary)
    let (first, late) = (try deployment.client(), try deployment.client())
    try first.send(RESPClient.encode(["BLPOP", "other", "0"]))
    try waitUntilBlocked(on: deployment.primary, not: deployment.secondary, [])
    let primary = try deployment.primary.client()
    let calls = { (command: String) in
      let statistics = try primary.command("INFO", "commandstats").string ?? ""
      let line = statistics.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_\(command):calls=") }
      return line?.split(separator: "=").dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    }
    let asked = try calls("exists")
    deployment.secondary.pause()
    try late.send(RESPClient.encode(["BLPOP", "k", "0"]))
    try eventually("the default store was asked for the key") { try calls("exists") > asked }
    try deployment.sidecar.setFlag(Deployment.defaultFlag, false)
    let held = try deployment.client()
    try held.send(RESPClient.encode(["SET", "x", "1"]))
    try eventually("the move has begun") { try calls("client|unblock") > 0 }
    deployment.secondary.resume()
    #expect(try held.readReply() == .ok)
    try eventually("both wait on the other store") {
      let blocked = try deployment.secondary.client().command("INFO", "clients").string
      return blocked?.contains("blocked_clients:2") == true
    }
    #expect(try held.command("RPUSH", "k", "v") == .integer(1))
    #expect(try late.readReply() == .array([.text("k"), .text("v")]))
  }

  /// A store that hangs can't call anybody off.
  @Test(arguments: [true, false])
  func `a client does not wait on a store that hangs once the default has left it`(isDual: Bool) throws {
    let deployment = try Deployment(isDual ? .dual : .off, instance: ["other_store_timeout: 1s"])
    let client = try deployment.client()
    try client.send(RESPClient.encode(["BLPOP", "q", "0"]))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, [])
    deployment.secondary.pause()
    defer { deployment.secondary.resume() }
    try deployment.move(to: isDual ? .dualPrimary : .primaryOnly)
    #expect(try client.readReply().errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true)
    let other = try deployment.client()
    #expect(try other.command("RPUSH", "q", "x") == .integer(1))
    #expect(try client.command("BLPOP", "q", "0") == .array([.text("q"), .text("x")]))
  }

  /// A busy store refuses CLIENT UNBLOCK.
  @Test(arguments: [true, false])
  func `a client does not wait on a store that is busy with a script once the default has left it`(
    isDual: Bool
  ) throws {
    let deployment = try Deployment(isDual ? .dual : .off)
    let store = try deployment.secondary.client()
    #expect(try store.command("CONFIG", "SET", "busy-reply-threshold", "50") == .ok)
    let client = try deployment.client()
    try client.send(RESPClient.encode(["BLPOP", "q", "0"]))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, [])
    let script = try deployment.secondary.client()
    try script.send(RESPClient.encode(["EVAL", "while true do end", "0"]))
    try eventually("the store is busy") { try store.command("PING").errorText?.hasPrefix("BUSY") == true }
    try deployment.move(to: isDual ? .dualPrimary : .primaryOnly)
    #expect(try client.readReply().errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true)
    #expect(try store.command("SCRIPT", "KILL") == .ok)
    let other = try deployment.client()
    #expect(try other.command("RPUSH", "q", "x") == .integer(1))
    #expect(try client.command("BLPOP", "q", "0") == .array([.text("q"), .text("x")]))
  }

  /// The connection for CLIENT UNBLOCK is lost and can't be made again, while the clients' own connections stay. The
  /// requests of all but the last one fail while the move still waits.
  @Test(arguments: [true, false])
  func `all clients leave a store that can't be asked to unblock them`(isDual: Bool) throws {
    let site = try RelayedSite(isDual: isDual)
    let clients = try (0..<3).map { _ in try site.client() }
    for client in clients { try client.send(RESPClient.encode(["BLPOP", "q", "0"])) }
    let store = try site.secondary.client()
    try eventually("all wait") {
      try store.command("INFO", "clients").string?.contains("blocked_clients:\(clients.count)") == true
    }
    site.relay.conduct = .refusing
    let connections = try store.command("CLIENT", "LIST").string?.split(separator: "\n") ?? []
    for line in connections where line.contains("name=multistore-exporter") && !line.contains(/flags=[a-zA-Z]*b/) {
      let id = try #require(line.firstMatch(of: /id=([0-9]+)/))
      #expect(try store.command("CLIENT", "KILL", "ID", String(id.1)) == .integer(1))
    }
    try eventually("the store can't be reached") {
      let labels = ["instance_name": "sessions", "store": "secondary"]
      return try site.sidecar.metrics()["multistore_store_up", labels] == 0
    }
    try site.sidecar.setFlag(Deployment.defaultFlag, true)
    for client in clients {
      #expect(try client.readReply().errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true)
    }
    #expect(try site.client().command("RPUSH", "q", "x") == .integer(1))
    #expect(try clients[0].command("BLPOP", "q", "0") == .array([.text("q"), .text("x")]))
  }

  /// The move waits for the reply to the transaction in which the command is tried first, for a second at most.
  @Test func `a client whose trial outlasts the move is taken along`() throws {
    let site = try RelayedSite(isDual: true, stores: "command_timeout: 60s")
    let client = try site.client()
    let store = try site.secondary.client()
    site.relay.conduct = RelayConduct(replies: .holds)
    try client.send(RESPClient.encode(["BLPOP", "k", "0"]))
    try eventually("the command was tried") {
      try store.command("INFO", "commandstats").string?.contains("cmdstat_blpop:calls=1,") == true
    }
    try site.sidecar.setFlag(Deployment.defaultFlag, true)
    #expect(try site.client().command("PING") == .simple("PONG"), "the move is over")
    site.relay.conduct = .passing
    try waitUntilBlocked(on: site.primary, not: site.secondary, [])
    #expect(try site.client().command("RPUSH", "k", "x") == .integer(1))
    #expect(try client.readReply() == .array([.text("k"), .text("x")]))
  }

  /// The connection on which the command is to block is made after the move.
  @Test func `a client whose command reaches the old store after the move is taken along`() throws {
    let site = try RelayedSite(isDual: false, stores: "connect_timeout: 60s")
    site.relay.conduct = .ignoring
    let client = try site.client()
    try client.send(RESPClient.encode(["BLPOP", "k", "0"]))
    let other = try site.client()
    try eventually("the command waits for its connection") {
      try other.command("CLIENT", "LIST").string?.contains(" cmd=blpop ") == true
    }
    try site.sidecar.setFlag(Deployment.defaultFlag, true)
    #expect(try other.command("PING") == .simple("PONG"), "the move is over")
    site.relay.conduct = .passing
    try waitUntilBlocked(on: site.primary, not: site.secondary, [])
    #expect(try other.command("RPUSH", "k", "x") == .integer(1))
    #expect(try client.readReply() == .array([.text("k"), .text("x")]))
  }

  @Test func `a group's reader is taken along`() throws {
    let deployment = try Deployment(.dual)
    let other = try deployment.client()
    #expect(try other.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM") == .ok)
    let client = try deployment.client()
    try client.send(RESPClient.encode(["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"]))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, [])
    try deployment.move(to: .dualPrimary)
    try waitUntilBlocked(on: deployment.primary, not: deployment.secondary, [])
    #expect(try other.command("XADD", "s", "1-1", "f", "v") == .text("1-1"))
    #expect(try client.readReply().elements?.count == 1)
    for store in [deployment.primary, deployment.secondary] {
      try eventually("both know what was read") {
        try store.client().command("XPENDING", "s", "g").elements?.first == .integer(1)
      }
    }
  }

  @Test func `what has waited since before dual writes is copied, and what waits on after them is not`() throws {
    let deployment = try Deployment(.off)
    let other = try deployment.client()
    let stores = [try deployment.primary.client(), try deployment.secondary.client()]
    let command = ["BLMOVE", "k", "done", "LEFT", "RIGHT", "0"]
    let client = try deployment.client()
    try client.send(RESPClient.encode(command))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, command)
    try deployment.move(to: .dual)
    #expect(try other.command("RPUSH", "k", "x") == .integer(1))
    #expect(try client.readReply() == .text("x"))
    for store in stores {
      try eventually { try store.command("LRANGE", "done", "0", "-1") == .array([.text("x")]) }
      #expect(try store.command("EXISTS", "k") == .integer(0))
    }
    try client.send(RESPClient.encode(command))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, command)
    try deployment.move(to: .off)
    #expect(try other.command("RPUSH", "k", "y") == .integer(1))
    #expect(try client.readReply() == .text("y"))
    #expect(try stores.map { try $0.command("LLEN", "done") } == [.integer(1), .integer(2)])
  }

  @Test func `the timeout counts from the beginning`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let timeout = 100.0
    let sent = ContinuousClock.now
    try client.send(RESPClient.encode(["BLPOP", "k", "\(timeout)"]))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, [])
    let begun = ContinuousClock.now
    let clock = try deployment.secondary.client()
    #expect(try clock.command("SET", "second", "v", "PX", "1000") == .ok)
    try eventually("a second has passed") { try clock.command("EXISTS", "second") == .integer(0) }
    // What the sidecar's clock, which stands still while its loop works, may be behind, in seconds.
    let tolerance = 0.5
    for state in [MigrationState.dualPrimary, .dual, .dualPrimary] {
      let monitor = try deployment.defaultStore(state).client()
      #expect(try monitor.command("MONITOR") == .ok)
      let moving = ContinuousClock.now
      try deployment.move(to: state)
      let left = try timeLeft(toldTo: monitor)
      let moved = ContinuousClock.now
      #expect(left <= timeout - (moving - begun) / .seconds(1) + tolerance, "the store was told \(left)")
      #expect(left >= timeout - (moved - sent) / .seconds(1) - tolerance, "the store was told \(left)")
    }
    #expect(try deployment.client().command("RPUSH", "k", "x") == .integer(1))
    #expect(try client.readReply() == .array([.text("k"), .text("x")]))
  }

  @Test func `the timeout ends the waiting, wherever the default has moved meanwhile`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let start = ContinuousClock.now
    try client.send(RESPClient.encode(["BLPOP", "k", "1"]))
    for state in [MigrationState.dualPrimary, .dual, .dualPrimary] { try deployment.move(to: state) }
    #expect(try client.readReply() == .array(nil))
    #expect(ContinuousClock.now - start >= .seconds(1))
    #expect(try client.command("PING") == .simple("PONG"))
  }

  @Test(arguments: [true, false])
  func `no element is lost or popped twice while the default moves`(isDual: Bool) throws {
    let deployment = try Deployment(isDual ? .dual : .off)
    let isDone = Atomic(false)
    let pushed = Atomic(0)
    let popped = Mutex<[String]>([])
    let consumers = Threads(3) { _ in
      let client = try deployment.client()
      while true {
        let reply = try client.command("BLPOP", "queue", "0")
        guard let element = reply.elements?.last?.string else { throw TestSupportError(.malformed, "\(reply)") }
        if element == "end" { return }
        popped.withLock { $0.append(element) }
      }
    }
    let producer = Threads(1) { _ in
      let client = try deployment.client()
      while !isDone.load(ordering: .relaxed) {
        let number = pushed.load(ordering: .relaxed)
        let reply = try client.command("RPUSH", "queue", "\(number)")
        guard reply.integer != nil else { throw TestSupportError(.malformed, "RPUSH answered \(reply)") }
        pushed.store(number + 1, ordering: .relaxed)
      }
    }
    defer { isDone.store(true, ordering: .relaxed) }
    for round in 0..<40 {
      try deployment.sidecar.setFlag(Deployment.defaultFlag, round % 2 == 0)
      let before = pushed.load(ordering: .relaxed)
      try eventually("the producer goes on") { pushed.load(ordering: .relaxed) > before + 10 }
    }
    isDone.store(true, ordering: .relaxed)
    try producer.join()
    // What nobody had popped on the one store before the default moved is still there.
    let left =
      try deployment.primary.client().command("LRANGE", "queue", "0", "-1").elements?.compactMap(\.string) ?? []
    let client = try deployment.client()
    try eventually("all is popped") { try client.command("LLEN", "queue") == .integer(0) }
    for _ in 0..<3 { try client.command("RPUSH", "queue", "end") }
    try consumers.join()
    let all = popped.withLock { $0 } + (isDual ? [] : left)
    #expect(all.count == pushed.load(ordering: .relaxed))
    #expect(Set(all).count == all.count)
    if isDual {
      for store in [deployment.primary, deployment.secondary] {
        try eventually("nothing is left") { try store.client().command("LLEN", "queue") == .integer(0) }
      }
    }
  }

  /// A sidecar between two stores, of which the old one's user may not unblock clients.
  private func siteWithoutRight() throws -> (primary: RedisServer, secondary: RedisServer, sidecar: SidecarProcess) {
    let primary = try RedisServer()
    let secondary = try RedisServer(users: ["app on >pw ~* &* +@all -client|unblock"])
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: primary.url,
        secondary: "unix://app:pw@\(secondary.socketPath)",
        flagFile: false
      ),
      in: directory
    )
    try sidecar.waitForStores()
    return (primary, secondary, sidecar)
  }

  /// An element that is pushed to the new default store is copied to the one where the client waits. Both have it, and
  /// a second client can get it from the new one.
  @Test func `an element of the store that the default has left is not served`() throws {
    let (primary, secondary, sidecar) = try siteWithoutRight()
    try sidecar.setFlag(Deployment.dualFlag, true)
    let client = try sidecar.client(instance: "sessions")
    try client.send(RESPClient.encode(["BLPOP", "k", "0"]))
    try waitUntilBlocked(on: secondary, not: primary, [])
    try sidecar.setFlag(Deployment.defaultFlag, true)
    let other = try sidecar.client(instance: "sessions")
    #expect(try other.command("RPUSH", "k", "v") == .integer(1))
    #expect(try client.readReply().errorText?.hasPrefix("UNBLOCKED MultiStore: ") == true)
    #expect(try client.command("BLPOP", "k", "0") == .array([.text("k"), .text("v")]))
    #expect(try other.command("RPUSH", "k", "w") == .integer(1))
    for store in [primary, secondary] {
      try eventually { try store.client().command("LRANGE", "k", "0", "-1") == .array([.text("w")]) }
    }
  }

  /// The store executes CLIENT UNBLOCK when the sidecar waits for its answer no longer.
  @Test(arguments: [true, false])
  func `a late request to leave a store does not end the waiting there`(hasMoved: Bool) throws {
    let deployment = try Deployment(.dual, instance: ["other_store_timeout: 3s"], stores: "command_timeout: 3s")
    let client = try deployment.client()
    try client.send(RESPClient.encode(["BLPOP", "q", "0"]))
    try waitUntilBlocked(on: deployment.secondary, not: deployment.primary, [])
    deployment.secondary.pause()
    try deployment.move(to: .dualPrimary)
    if hasMoved { #expect(try deployment.client().command("PING") == .simple("PONG"), "the move is over") }
    try deployment.move(to: .dual)
    try deployment.waitForMetric("multistore_store_up", ["store": "secondary"], 0)
    deployment.secondary.resume()
    let store = try deployment.secondary.client()
    try eventually("the store executes the request") {
      try store.command("INFO", "commandstats").string?.contains("cmdstat_client|unblock:calls=") == true
    }
    let other = try deployment.client()
    try eventually("the store is back") { try other.command("RPUSH", "q", "x").integer != nil }
    #expect(try client.readReply() == .array([.text("q"), .text("x")]))
  }

  @Test func `who may not be called off stays where it waits`() throws {
    let (primary, secondary, sidecar) = try siteWithoutRight()
    let client = try sidecar.client(instance: "sessions")
    try client.send(RESPClient.encode(["BLPOP", "k", "0"]))
    try waitUntilBlocked(on: secondary, not: primary, [])
    try sidecar.setFlag(Deployment.defaultFlag, true)
    #expect(try sidecar.client(instance: "sessions").command("SET", "x", "1") == .ok)
    #expect(try primary.client().command("EXISTS", "x") == .integer(1))
    try waitUntilBlocked(on: secondary, not: primary, [])
    #expect(try secondary.client().command("RPUSH", "k", "v") == .integer(1))
    #expect(try client.readReply() == .array([.text("k"), .text("v")]))
  }

  /// The timeout in seconds of the next BLPOP that a store executes.
  private func timeLeft(toldTo monitor: RESPClient) throws -> Double {
    while true {
      let line = try monitor.readReply().string ?? ""
      if let match = line.firstMatch(of: /"BLPOP" "k" "([0-9.]+)"/) { return try #require(Double(match.1)) }
    }
  }

  private func waitUntilBlocked(on store: RedisServer, not other: RedisServer, _ command: [String]) throws {
    let (there, elsewhere) = (try store.client(), try other.client())
    try eventually("\(command) waits on the default store alone") {
      let blocked = try there.command("INFO", "clients").string?.contains("blocked_clients:1") == true
      return try blocked && elsewhere.command("INFO", "clients").string?.contains("blocked_clients:0") == true
    }
  }
}

/// The sidecar between two real stores, of which the old one is behind a relay, in the first or the second state.
private struct RelayedSite {
  let primary: RedisServer
  let secondary: RedisServer
  let relay: FaultRelay
  let sidecar: SidecarProcess

  /// Starts all of it, and waits until the stores are connected.
  ///
  /// - Parameter stores: Further settings of both stores, as in a YAML flow map.
  init(isDual: Bool, stores: String = "") throws {
    primary = try RedisServer()
    secondary = try RedisServer()
    relay = try FaultRelay(to: secondary.address)
    let directory = try TemporaryDirectory()
    sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: primary.url,
        secondary: relay.url,
        stores: stores,
        flagFile: false
      ),
      in: directory
    )
    try sidecar.waitForStores()
    if isDual { try sidecar.setFlag(Deployment.dualFlag, true) }
  }

  /// A new connection to the sidecar.
  func client() throws -> RESPClient { try sidecar.client(instance: "sessions") }
}
