import TestSupport
import Testing

@Suite("The four states, over the wire")
struct FourStatesTests {
  @Test(arguments: ["fallback", "default_store"])
  func `reads, writes, replies and other commands go where the table says`(policy: String) throws {
    let deployment = try Deployment(instance: ["read_policy: \(policy)"])
    let primary = try deployment.primary.client()
    let secondary = try deployment.secondary.client()
    let client = try deployment.client()
    try primary.command("MSET", "where", "primary", "only-p", "1")
    try secondary.command("MSET", "where", "secondary", "only-s", "1")
    for state in MigrationState.allCases {
      try deployment.move(to: state)
      try primary.command("SET", "counter", "100")
      try secondary.command("SET", "counter", "200")
      let readsPrimary = state == .dual ? policy == "fallback" : state.primaryIsDefault
      #expect(try client.command("GET", "where") == .text(readsPrimary ? "primary" : "secondary"), "\(state)")
      // Half a keyspace is not an answer, so that KEYS goes to the default store under either policy.
      let own = state.primaryIsDefault ? "only-p" : "only-s"
      #expect(try client.command("KEYS", "only-*") == .array([.text(own)]), "\(state)")

      #expect(try client.command("INCR", "counter") == .integer(state.primaryIsDefault ? 101 : 201), "\(state)")
      let isOnPrimary = state.isDual || state.primaryIsDefault
      let isOnSecondary = state.isDual || !state.primaryIsDefault
      #expect(try primary.command("GET", "counter") == .text(isOnPrimary ? "101" : "100"), "\(state)")
      #expect(try secondary.command("GET", "counter") == .text(isOnSecondary ? "201" : "200"), "\(state)")

      let socket = try client.command("CONFIG", "GET", "unixsocket").elements?.last
      #expect(socket == .text(deployment.defaultStore(state).socketPath), "\(state)")
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `a transaction is executed where the table says`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    try deployment.primary.client().command("SET", "n", "10")
    try deployment.secondary.client().command("SET", "n", "20")
    let replies = try client.pipeline([["MULTI"], ["INCR", "n"], ["SET", "x", "1"], ["EXEC"]])
    #expect(replies.last == .array([.integer(state.primaryIsDefault ? 11 : 21), .ok]))
    let primary = try deployment.primary.client()
    let secondary = try deployment.secondary.client()
    #expect(try primary.command("GET", "n") == .text(state.isDual || state.primaryIsDefault ? "11" : "10"))
    #expect(try secondary.command("GET", "n") == .text(state.isDual || !state.primaryIsDefault ? "21" : "20"))
  }

  @Test func `without a primary the instance is a plain pass-through, whatever the flags say`() throws {
    let secondary = try RedisServer()
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dualPrimary), to: "flags.yml")
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: nil, secondary: secondary.url),
      in: directory
    )
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try secondary.client().command("GET", "k") == .text("v"))
    #expect(try client.pipeline([["GET", "k"], ["INCR", "n"]]) == [.text("v"), .integer(1)])
    #expect(try client.pipeline([["MULTI"], ["INCR", "n"], ["EXEC"]]).last == .array([.integer(2)]))
    #expect(try client.command("CONFIG", "GET", "port") == .array([.text("port"), .text("0")]))
    let metrics = try sidecar.metrics()
    #expect(metrics.sum(MultiStoreNames.methodMissing) == 0)
    #expect(metrics.sum(MultiStoreNames.readFallback) == 0)
    #expect(try sidecar.get("/-/ready").status == 200)
    #expect(try sidecar.terminate() == .status(0))
    #expect(!sidecar.log.all.contains { $0["exception.class"] != nil })
  }

  @Test func `two names of one server and database count as one store`() throws {
    let store = try RedisServer(tcp: true)
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dualPrimary), to: "flags.yml")
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: store.tcpURL, secondary: store.url),
      in: directory
    )
    let isSame: (LogLine) -> Bool = { $0.message.contains("same server and database") }
    let event = try sidecar.waitForEvent("same-store event", where: isSame)
    #expect(event["instance_name"]?.string == "sessions")
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("INCR", "n") == .integer(1))
    #expect(try client.pipeline([["INCR", "n"], ["INCR", "n"]]) == [.integer(2), .integer(3)])
    #expect(try store.client().command("GET", "n") == .text("3"))
    #expect(try sidecar.metrics()["multistore_same_store", ["instance_name": "sessions"]] == 1)
    #expect(try sidecar.terminate() == .status(0))
    #expect(sidecar.log.all.count(where: isSame) == 1)
  }

  @Test func `two databases of one server are two stores`() throws {
    let store = try RedisServer()
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dual), to: "flags.yml")
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: "\(store.url)?db=1", secondary: store.url),
      in: directory
    )
    try sidecar.waitForStores()
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SET", "k", "v") == .ok)
    let direct = try store.client()
    #expect(try direct.command("GET", "k") == .text("v"))
    try direct.command("SELECT", "1")
    #expect(try direct.command("GET", "k") == .text("v"))
    #expect(try sidecar.metrics()["multistore_same_store", ["instance_name": "sessions"]] == 0)
  }
}
