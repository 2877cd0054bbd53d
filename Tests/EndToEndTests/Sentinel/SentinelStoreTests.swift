import TestSupport
import Testing

/// Stores that are where real sentinels say. One test after the other: each has nine processes of its own, and
/// sentinels that don't get the processor in time do nothing for half a minute.
@Suite("Stores behind Sentinel", .serialized)
struct SentinelStoreTests {
  /// How the master is lost.
  enum Loss: CaseIterable {
    case killed, stopped, failedOver
  }

  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// Starts a sidecar, and waits until it is connected to both stores.
  func sidecar(primary: String, secondary: String, more: [String] = []) throws -> SidecarProcess {
    let lines = [
      "instances:", "  - name: sessions", "    listen: \"unix:\(directory.path("sessions.sock"))\"",
      "    primary: \(primary)", "    secondary: \(secondary)",
      // A busy machine may stand still for longer than the second that is the default.
      "    other_store_timeout: 60s",
    ]
    let configuration = (lines + more.map { "    \($0)" }).joined(separator: "\n") + "\n"
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    try sidecar.waitForStores()
    return sidecar
  }

  func store(_ fleet: SentinelFleet, _ more: String = "") -> String { "{ sentinel: \(fleet.yaml())\(more) }" }

  @Test func `the master is found, with logins at sentinels and servers, and its database is used`() throws {
    let fleet = try SentinelFleet(password: "store", sentinelPassword: "sentinel")
    let plain = try RedisServer()
    let primary = "{ sentinel: \(fleet.yaml(first: 1, ", database: 3")), password: store }"
    let sidecar = try sidecar(primary: primary, secondary: "{ url: \"\(plain.url)?db=3\" }")
    try sidecar.setFlag(Deployment.dualFlag, true)
    try sidecar.client(instance: "sessions").expect(["SET", "k", "v"], .ok)
    let master = try fleet.master().client()
    try master.expect(["SELECT", "3"], .ok)
    try master.expect(["GET", "k"], .text("v"))
    let status = try sidecar.admin("GET", "/api/v4/status").text
    #expect(status.contains("\"address\":\"127.0.0.1:\(fleet.serverPorts[0])\""), "\(status)")
    #expect(status.contains("\"sentinel_master\":\"\(SentinelFleet.name)\""), "\(status)")
  }

  @Test func `servers and sentinels with TLS are verified and followed`() throws {
    let authority = try CertificateAuthority("stores", in: directory)
    let fleet = try SentinelFleet(tls: (try authority.issue("server", for: .server), authority))
    let plain = try RedisServer()
    let tls = ", tls: { ca_file: \"\(authority.certificate)\" }"
    let primary = "{ sentinel: \(fleet.yaml(tls))\(tls) }"
    let sidecar = try sidecar(primary: primary, secondary: "{ url: \"\(plain.url)\" }")
    try sidecar.setFlag(Deployment.dualFlag, true)
    let client = try sidecar.client(instance: "sessions")
    try client.expect(["SET", "k", "v"], .ok)
    try fleet.failOver()
    try sidecar.waitForEvent("the failover", within: SentinelFleet.failoverLimit) { $0.message.hasPrefix("Failover") }
    try eventually("the new master gets copies") {
      try client.expect(["SET", "after", "v"], .ok)
      return try fleet.master().client().command("GET", "after") == .text("v")
    }
    let page = try sidecar.get("/status").text
    let port = try #require(zip(fleet.servers, fleet.serverPorts).first { try $0.0 === fleet.master() }).1
    #expect(page.contains("🔒 127.0.0.1:\(port) (TLS1.3, Sentinel&#39;s \(SentinelFleet.name))"), "\(page)")
  }

  @Test func `sentinels that were not configured are found, and are enough to follow a failover`() throws {
    let (fleet, plain) = (try SentinelFleet(servers: 2, sentinels: 4), try RedisServer())
    let sidecar = try sidecar(primary: "{ sentinel: \(fleet.yaml(first: 1)) }", secondary: "{ url: \"\(plain.url)\" }")
    try sidecar.setFlag(Deployment.dualFlag, true)
    let counted = { (reachable: String) in
      let labels = ["instance_name": "sessions", "store": "primary", "reachable": reachable]
      return try sidecar.metrics()["multistore_store_sentinels", labels]
    }
    try eventually("all sentinels are known") { try counted("yes") == 4 }
    fleet.killSentinel(0)
    try eventually("one is gone") { try counted("yes") == 3 && counted("no") == 1 }
    fleet.servers[0].kill()
    try sidecar.waitForEvent("the failover", within: SentinelFleet.failoverLimit) { $0.message.hasPrefix("Failover") }
    let client = try sidecar.client(instance: "sessions")
    try eventually("the new master gets copies") {
      try client.expect(["SET", "k", "v"], .ok)
      return try fleet.servers[1].client().command("GET", "k") == .text("v")
    }
  }

  @Test func `a sentinel that hangs and one that is down are passed over`() throws {
    let fleet = try SentinelFleet(servers: 2)
    let (hanging, plain) = (try RedisServer(tcp: true), try RedisServer())
    hanging.pause()
    let nodes = ["127.0.0.1:\(hanging.port!)", "127.0.0.1:\(try freePort())", "127.0.0.1:\(fleet.ports[2])"]
    let primary = "{ sentinel: { master: \(SentinelFleet.name), nodes: [\(nodes.joined(separator: ", "))] } }"
    let sidecar = try sidecar(primary: primary, secondary: "{ url: \"\(plain.url)\" }")
    try sidecar.setFlag(Deployment.dualFlag, true)
    try sidecar.client(instance: "sessions").expect(["SET", "k", "v"], .ok)
    try fleet.master().client().expect(["GET", "k"], .text("v"))
  }

  @Test func `a sentinel that joins later is learnt, and one that hangs is told from one that answers`() throws {
    let (fleet, plain) = (try SentinelFleet(servers: 2, sentinels: 2), try RedisServer())
    let sidecar = try sidecar(primary: store(fleet), secondary: "{ url: \"\(plain.url)\" }")
    let counted = { (reachable: String) in
      let labels = ["instance_name": "sessions", "store": "primary", "reachable": reachable]
      return try sidecar.metrics()["multistore_store_sentinels", labels]
    }
    try eventually("both sentinels are known") { try counted("yes") == 2 }
    try fleet.addSentinel()
    try eventually("the third one is known") { try counted("yes") == 3 }
    fleet.pauseSentinel(0)
    try eventually("one does not answer") { try counted("yes") == 2 && counted("no") == 1 }
  }

  @Test func `sentinels with names in place of addresses are counted once`() throws {
    let (fleet, plain) = (try SentinelFleet(servers: 1), try RedisServer())
    let nodes = fleet.ports.map { "\"localhost:\($0)\"" }.joined(separator: ", ")
    let primary = "{ sentinel: { master: \(SentinelFleet.name), nodes: [\(nodes)] } }"
    let sidecar = try sidecar(primary: primary, secondary: "{ url: \"\(plain.url)\" }")
    try eventually("all are known, once") {
      let metrics = try sidecar.metrics()
      let labels = ["instance_name": "sessions", "store": "primary"]
      return metrics["multistore_store_sentinels", labels.merging(["reachable": "yes"]) { $1 }] == 3
        && metrics["multistore_store_sentinels", labels.merging(["reachable": "no"]) { $1 }] == 0
    }
  }

  @Test func `a URL that leads to a sentinel is refused in words`() throws {
    let fleet = try SentinelFleet(servers: 1, sentinels: 1)
    let configuration = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          secondary: { url: "redis://127.0.0.1:\(fleet.ports[0])" }
      """
    let sidecar = try SidecarProcess(configuration: configuration)
    let event = try sidecar.waitForEvent("the failure") { $0.message == "Store unavailable" }
    #expect(event["reason"]?.string?.contains("the server is a sentinel; write sentinel: {") == true, "\(event)")
  }

  @Test func `a master that becomes a replica is left for the one that the sentinels name`() throws {
    let (fleet, next) = (try SentinelFleet(servers: 1, sentinels: 1), try RedisServer(tcp: true))
    let plain = try RedisServer()
    let sidecar = try sidecar(primary: "{ url: \"\(plain.url)\" }", secondary: store(fleet))
    let client = try sidecar.client(instance: "sessions")
    try client.expect(["SET", "before", "v"], .ok)
    // A sentinel that is told of another server says so when it is asked, and to nobody by itself.
    let sentinel = try fleet.sentinel(fleet.ports[0])
    try sentinel.expect(["SENTINEL", "REMOVE", SentinelFleet.name], .ok)
    try sentinel.expect(["SENTINEL", "MONITOR", SentinelFleet.name, "127.0.0.1", "\(next.port!)", "1"], .ok)
    try fleet.servers[0].client().expect(["REPLICAOF", "127.0.0.1", "\(next.port!)"], .ok)
    // Asked periodically, it may have named the new master before a write is refused.
    try eventually("writes reach the new master") {
      try client.command("SET", "k", "v")
      return try next.client().command("GET", "k") == .text("v")
    }
  }

  @Test func `what is wrong with sentinels is said in the log`() throws {
    let (plain, replica) = (try RedisServer(tcp: true), try RedisServer(tcp: true))
    let nobody = try freePort()
    let fleet = try SentinelFleet(servers: 1, sentinels: 1)
    let cases = [
      ("{ master: x, nodes: [\"127.0.0.1:\(nobody)\"] }", "no sentinel names the master \"x\""),
      ("{ master: x, nodes: [\"127.0.0.1:\(plain.port!)\"] }", "the server is no sentinel"),
      ("{ master: x, nodes: [\"127.0.0.1:\(fleet.ports[0])\"] }", "watches no master of that name"),
    ]
    for (sentinel, reason) in cases {
      let configuration = """
        instances:
          - name: sessions
            listen: "unix:\(directory.path("sessions.sock"))"
            secondary: { sentinel: \(sentinel) }
        """
      let sidecar = try SidecarProcess(configuration: configuration)
      let event = try sidecar.waitForEvent("the failure") { $0.message == "Store unavailable" }
      #expect(event["reason"]?.string?.contains(reason) == true, "\(event)")
      let ready = try sidecar.get("/-/ready")
      #expect(ready.status == 503 && ready.text.contains(reason), "\(ready.text)")
    }
    // A server that is no master is not used, though the sentinel names it: this one was told otherwise in secret.
    try fleet.servers[0].client().expect(["REPLICAOF", "127.0.0.1", "\(replica.port!)"], .ok)
    let configuration = """
      instances:
        - name: sessions
          listen: "unix:\(directory.path("sessions.sock"))"
          secondary: { sentinel: \(fleet.yaml()) }
      """
    let sidecar = try SidecarProcess(configuration: configuration)
    let event = try sidecar.waitForEvent("the failure") { $0.message == "Store unavailable" }
    #expect(event["reason"]?.string?.contains("the server is no master, as its ROLE says (slave)") == true, "\(event)")
  }

  @Test(arguments: Loss.allCases, [true, false])
  func `a failover under load loses no answered write, executes none twice, and leaves both stores equal`(
    loss: Loss,
    primaryIsWatched: Bool
  ) throws {
    let (fleet, plain) = (try SentinelFleet(), try RedisServer())
    let stores = [store(fleet, ", command_timeout: 1s, connect_timeout: 1s"), "{ url: \"\(plain.url)\" }"]
    let sidecar = try sidecar(
      primary: stores[primaryIsWatched ? 0 : 1],
      secondary: stores[primaryIsWatched ? 1 : 0]
    )
    // The plain store is the default: what it has is the truth, and the other one is compared with it.
    try sidecar.setFlag(Deployment.dualFlag, true)
    if !primaryIsWatched { try sidecar.setFlag(Deployment.defaultFlag, true) }
    let load = try CounterLoad(on: sidecar)
    try load.awaitProgress()
    let former = try lose(loss, fleet)
    try load.awaitProgress()
    try sidecar.waitForEvent("the failover", within: SentinelFleet.failoverLimit) { $0.message.hasPrefix("Failover") }
    try eventually("the new master takes copies") { try fleet.master().client().command("DBSIZE").integer ?? 0 > 0 }
    try load.awaitProgress()
    let counts = try load.end()
    if loss == .stopped { former.resume() }
    let writer = try sidecar.client(instance: "sessions")
    let (truth, watched) = (try plain.client(), try fleet.master().client())
    for (key, count) in counts {
      // Each write is known to be on the default store, or not: it was there all the time.
      try truth.expect(["GET", key], .text("\(count)"))
      try writer.expect(["INCR", key], .integer(count + 1))
    }
    try eventually("both stores are equal") {
      try counts.allSatisfy { try watched.command("GET", $0.key) == .text("\($0.value + 1)") }
    }
    let metrics = try sidecar.metrics()
    let labels = ["instance_name": "sessions", "store": primaryIsWatched ? "primary" : "secondary"]
    #expect(metrics["multistore_store_failovers_total", labels] == 1)
  }

  @Test(arguments: Loss.allCases)
  func `a default store that fails over answers errors or executes, and goes on at the new master`(loss: Loss) throws {
    let (fleet, plain) = (try SentinelFleet(), try RedisServer())
    let sidecar = try sidecar(
      primary: "{ url: \"\(plain.url)\" }",
      secondary: store(fleet, ", command_timeout: 1s, connect_timeout: 1s")
    )
    try sidecar.setFlag(Deployment.dualFlag, true)
    let load = try CounterLoad(on: sidecar, toleratesErrors: true)
    try load.awaitProgress()
    let former = try lose(loss, fleet)
    try load.awaitProgress()
    let counts = try load.end()
    if loss == .stopped { former.resume() }
    let writer = try sidecar.client(instance: "sessions")
    let (master, copy) = (try fleet.master().client(), try plain.client())
    for (key, count) in counts {
      let value = try master.command("GET", key).string.flatMap { Int($0) } ?? 0
      // Errors of unknown outcome may have been executed, once each.
      #expect(value <= count + load.errors(of: key), "\(key) was incremented more often than it was asked for")
      try writer.expect(["SET", key, "end"], .ok)
    }
    try eventually("both stores are equal") {
      try counts.keys.allSatisfy { key in
        let values = (try master.command("GET", key), try copy.command("GET", key))
        return values.0 == .text("end") && values.1 == .text("end")
      }
    }
  }

  /// Makes the master go away, and waits until the sentinels name another one.
  private func lose(_ loss: Loss, _ fleet: SentinelFleet) throws -> RedisServer {
    let master = try fleet.master()
    switch loss {
    case .killed: master.kill()
    case .stopped: master.pause()
    case .failedOver: return try fleet.failOver()
    }
    try fleet.awaitFailover(from: master)
    return master
  }
}
