import TestSupport
import Testing

@Suite("SELECT: databases of a client's choice")
struct SelectTests {
  @Test func `it is answered as a server answers it`() throws {
    let deployment = try Deployment()
    let redis = try RedisServer()
    let (direct, client) = (try redis.client(), try deployment.client())
    for line in [
      "SELECT", "SELECT x", "SELECT 01", "SELECT 1 2", "SELECT 0", "SELECT 3", "SET k 3", "SELECT 16", "SELECT -1",
      "GET k", "SELECT 99999999999", "GET k", "SELECT 15", "GET k", "SELECT 3", "GET k", "DBSIZE", "RESET", "GET k",
      "SELECT 3", "WATCH k", "SET k 4", "MULTI", "GET k", "EXEC", "GET k",
    ] {
      let words = line.split(separator: " ").map(String.init)
      let expected = try direct.command(words)
      #expect(try client.command(words) == expected, "\(line)")
    }
    #expect(try client.command("CLIENT", "INFO").string?.contains(" db=3 ") == true)
    #expect(try client.command("WATCH", "k") == .ok)
    #expect(try client.command("SELECT", "4").errorText?.contains("watched") == true)
    #expect(try client.pipeline([["MULTI"], ["SELECT", "4"], ["EXEC"]])[1].errorText?.contains("transaction") == true)
    // A pipeline is executed in the database that each of its commands finds.
    let replies = try client.pipeline([
      ["SELECT", "5"], ["SET", "k", "5"], ["SELECT", "6"], ["GET", "k"], ["SELECT", "5"],
    ])
    #expect(replies == [.ok, .ok, .ok, .null, .ok])
    // Numbers that the store does not have take no place.
    for number in 16..<120 {
      #expect(try client.command("SELECT", "\(number)").errorText == "ERR DB index is out of range")
    }
    #expect(try client.command("GET", "k") == .text("5"))
  }

  @Test func `each database has its place on both stores, and a flip holds for all`() throws {
    let deployment = try Deployment(.dual)
    let clients = try (0..<3).map { _ in try deployment.client() }
    for (number, client) in clients.enumerated() {
      #expect(try client.command("SELECT", "\(number)") == .ok)
      #expect(try client.command("SET", "k", "\(number)") == .ok)
      #expect(try client.command("INCR", "only-\(number)") == .integer(1))
    }
    for store in [deployment.primary, deployment.secondary] {
      let client = try store.client()
      for number in 0..<3 {
        #expect(try client.command("SELECT", "\(number)") == .ok)
        #expect(try client.command("GET", "k") == .text("\(number)"))
        #expect(try client.command("DBSIZE") == .integer(2))
      }
    }
    // What is only on the old store is found there, in the right database.
    let old = try deployment.secondary.client()
    #expect(try old.command("SELECT", "2") == .ok)
    #expect(try old.command("SET", "older", "x") == .ok)
    #expect(try clients[2].command("GET", "older") == .text("x"))
    #expect(try clients[1].command("GET", "older") == .null)
    #expect(try deployment.metric(MultiStoreNames.readFallback, ["command": "get"]) == 1)
    try deployment.move(to: .dualPrimary)
    #expect(try clients[1].pipeline([["INCR", "only-1"], ["GET", "k"]]) == [.integer(2), .text("1")])
    try deployment.move(to: .primaryOnly)
    #expect(try clients[1].command("SET", "k", "new") == .ok)
    #expect(try old.pipeline([["SELECT", "1"], ["GET", "k"], ["GET", "only-1"]]) == [.ok, .text("1"), .text("2")])
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "primary"], 0)
    try deployment.waitForMetric("multistore_store_connections", ["store": "primary"], 3)
    #expect(try deployment.metric("multistore_store_up", ["store": "secondary"]) == 1)
  }

  @Test func `who blocks or watches does so in the selected database`() throws {
    let deployment = try Deployment(.dual)
    let (waiting, client) = (try deployment.client(), try deployment.client())
    #expect(try waiting.command("SELECT", "7") == .ok)
    try waiting.send(RESPClient.encode(["BLPOP", "jobs", "0"]))
    let secondary = try deployment.secondary.client()
    try eventually("it blocks") {
      try secondary.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    #expect(try client.command("RPUSH", "jobs", "of 0") == .integer(1))
    #expect(try client.command("SELECT", "7") == .ok)
    #expect(try client.command("RPUSH", "jobs", "of 7") == .integer(1))
    #expect(try waiting.readReply() == .array([.text("jobs"), .text("of 7")]))
    #expect(try waiting.command("WATCH", "k") == .ok)
    #expect(try client.command("SET", "k", "1") == .ok)
    #expect(try waiting.pipeline([["MULTI"], ["SET", "k", "2"], ["EXEC"]]).last == .array(nil))
    let script = "redis.call('SET', KEYS[1], 's') return redis.call('DBSIZE')"
    #expect(try client.command("EVAL", script, "1", "k") == .integer(1))
    let primary = try deployment.primary.client()
    #expect(try primary.pipeline([["SELECT", "7"], ["GET", "k"], ["DBSIZE"]]) == [.ok, .text("s"), .integer(1)])
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `what a command does in two databases is done on both stores`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    #expect(try client.command("RPUSH", "moved", "1", "2") == .integer(2))
    #expect(try client.command("MOVE", "moved", "9") == .integer(1))
    #expect(try client.command("SET", "from", "x", "EX", "1000") == .ok)
    #expect(try client.command("COPY", "from", "to", "DB", "4") == .integer(1))
    let replies = try client.pipeline([["MULTI"], ["SET", "t", "x"], ["MOVE", "t", "9"], ["EXEC"]])
    #expect(replies.last == .array([.ok, .integer(1)]))
    #expect(try client.command("SELECT", "4") == .ok)
    #expect(try client.command("COPY", "to", "back", "DB", "0", "REPLACE") == .integer(1))
    #expect(try client.command("MOVE", "to", "99").errorText != nil)
    for store in [deployment.primary, deployment.secondary] {
      let direct = try store.client()
      let found = try direct.pipeline([
        ["EXISTS", "moved", "t", "to"], ["MGET", "from", "back"], ["SELECT", "9"], ["LRANGE", "moved", "0", "-1"],
        ["GET", "t"], ["SELECT", "4"], ["GET", "to"], ["DBSIZE"],
      ])
      #expect(
        found == [
          .integer(0), .array([.text("x"), .text("x")]), .ok, .array([.text("1"), .text("2")]), .text("x"), .ok,
          .text("x"), .integer(1),
        ]
      )
      #expect((try direct.command("TTL", "to").integer ?? 0) > 900)
    }
  }

  @Test func `a failed write is remembered for its database, until everything is flushed`() throws {
    let deployment = try Deployment(.dual, instance: ["allow_flush: true"])
    let client = try deployment.client()
    for number in ["1", "0"] {
      #expect(try client.command("SELECT", number) == .ok)
      #expect(try client.command("SET", "k", "1") == .ok)
    }
    let primary = try deployment.primary.client()
    #expect(try primary.command("CONFIG", "SET", "maxmemory", "1") == .ok)
    #expect(try client.command("SET", "k", "2") == .ok)
    #expect(try client.command("SELECT", "1") == .ok)
    #expect(try client.command("SET", "k", "2") == .ok)
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 2)
    #expect(try client.command("GET", "k") == .text("2"))
    #expect(try client.command("FLUSHALL") == .ok)
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 0)
    #expect(try primary.pipeline([["DBSIZE"], ["SELECT", "1"], ["DBSIZE"]]) == [.integer(0), .ok, .integer(0)])
  }

  @Test func `there is a limit, and the store is asked`() throws {
    let directory = try TemporaryDirectory()
    let redis = try RedisServer(settings: ["databases 200"])
    let text = Deployment.configuration(in: directory, primary: nil, secondary: redis.url, flagFile: false)
    let sidecar = try SidecarProcess(configuration: text, in: directory)
    let client = try sidecar.client(instance: "sessions")
    try eventually { try client.command("SET", "k", "v") == .ok }
    for number in 1...64 { #expect(try client.command("SELECT", "\(number)") == .ok) }
    #expect(try client.command("SELECT", "65").errorText?.contains("64 databases") == true)
    #expect(try client.command("SELECT", "64") == .ok)
    redis.kill()
    #expect(try client.command("SELECT", "0") == .ok)
    #expect(try client.command("GET", "k").errorText?.hasPrefix("ERR MultiStore: secondary store") == true)
  }

  @Test func `a number that only the other store has takes no place`() throws {
    let directory = try TemporaryDirectory()
    let (primary, secondary) = (try RedisServer(settings: ["databases 200"]), try RedisServer())
    let text = Deployment.configuration(
      in: directory,
      primary: primary.url,
      secondary: secondary.url,
      stores: "connect_timeout: 60s, command_timeout: 60s",
      flagFile: false
    )
    let sidecar = try SidecarProcess(configuration: text, in: directory)
    try sidecar.waitForStores()
    func waitForConnections(_ count: Double) throws {
      try eventually("\(count) connections to the primary") {
        let labels = ["instance_name": "sessions", "store": "primary"]
        return try sidecar.metrics()["multistore_store_connections", labels] == count
      }
    }
    // The other store accepts all numbers before the default store refuses them.
    let clients = try (0..<64).map { _ in try sidecar.client(instance: "sessions") }
    secondary.pause()
    for (index, client) in clients.enumerated() { try client.send(RESPClient.encode(["SELECT", "\(16 + index)"])) }
    try waitForConnections(65)
    secondary.resume()
    for client in clients { #expect(try client.readReply() == .error("ERR DB index is out of range")) }
    try waitForConnections(1)
    #expect(try clients[0].command("SELECT", "15") == .ok)
  }

  @Test func `where a store's URL names a database there is no other`() throws {
    let directory = try TemporaryDirectory()
    let (primary, secondary) = (try RedisServer(), try RedisServer())
    let text = Deployment.configuration(
      in: directory,
      primary: primary.url,
      secondary: "\(secondary.url)?db=2",
      flagFile: false
    )
    let sidecar = try SidecarProcess(configuration: text, in: directory)
    try sidecar.waitForStores()
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SELECT", "2") == .ok)
    #expect(try client.command("SELECT", "0").errorText?.contains("URL names") == true)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("COPY", "k", "l", "DB", "3") == .integer(1))
    try sidecar.setFlag(Deployment.dualFlag, true)
    // Not executed at all: the other store could not follow.
    #expect(try client.command("MOVE", "k", "5").errorText?.contains("URL names") == true)
    let replies = try client.pipeline([["MULTI"], ["COPY", "k", "l", "REPLACE", "DB", "5"], ["EXEC"]])
    #expect(replies[1].errorText?.contains("URL names") == true && replies[2].errorText?.hasPrefix("EXECABORT") == true)
    let direct = try secondary.client()
    #expect(try direct.pipeline([["SELECT", "5"], ["DBSIZE"], ["SELECT", "2"], ["GET", "k"]]).last == .text("v"))
  }

  @Test func `one server twice is one server in every database`() throws {
    let directory = try TemporaryDirectory()
    let redis = try RedisServer()
    let text = Deployment.configuration(in: directory, primary: redis.url, secondary: redis.url, flagFile: false)
    let sidecar = try SidecarProcess(configuration: text, in: directory)
    try eventually { try sidecar.metrics()["multistore_same_store", ["instance_name": "sessions"]] == 1 }
    try sidecar.setFlag(Deployment.dualFlag, true)
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SELECT", "3") == .ok)
    #expect(try client.command("INCR", "n") == .integer(1))
    #expect(try client.command("INCR", "n") == .integer(2))
  }
}
