import TestSupport
import Testing

@Suite("Several instances, and stores of several kinds")
struct InstancesTests {
  @Test func `instances that share a store have flags, counters and listeners of their own`() throws {
    let shared = try RedisServer()
    let primary = try RedisServer()
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: """
        stores:
          shared_state: { url: "\(shared.url)", command_timeout: 60s }
        instances:
          - name: cache
            listen: "unix:\(directory.path("cache.sock"))"
            primary: { url: "\(primary.url)", command_timeout: 60s }
            secondary: shared_state
            other_store_timeout: 60s
          - name: sessions
            listen: "unix:\(directory.path("sessions.sock"))"
            primary: { url: "\(primary.url)?db=1" }
            secondary: shared_state
        """,
      in: directory
    )
    for instance in ["cache", "sessions"] {
      for role in ["primary", "secondary"] {
        try sidecar.waitForEvent {
          $0.message == "Store connected" && $0["store"]?.string == role && $0["instance_name"]?.string == instance
        }
      }
    }
    try sidecar.setFlag("use_primary_and_secondary_stores_for_cache", true)
    let cache = try sidecar.client(instance: "cache")
    let sessions = try sidecar.client(instance: "sessions")
    #expect(try cache.command("SET", "of-cache", "1") == .ok)
    #expect(try sessions.command("SET", "of-sessions", "1") == .ok)
    #expect(try primary.client().command("KEYS", "*") == .array([.text("of-cache")]))
    #expect(try shared.client().command("DBSIZE") == .integer(2))
    #expect(try cache.command("GET", "of-sessions") == .text("1"))
    let metrics = try sidecar.metrics()
    #expect(metrics[MultiStoreNames.readFallback, ["command": "get", "instance_name": "cache"]] == 1)
    #expect(metrics[MultiStoreNames.readFallback, ["command": "get", "instance_name": "sessions"]] == 0)
    shared.kill()
    // Each instance finds out on a thread of its own.
    try eventually {
      let unready = try sidecar.get("/-/ready")
      return unready.status == 503 && unready.text.contains("cache") && unready.text.contains("sessions")
    }
    #expect(try sidecar.terminate() == .status(0))
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `from Redis to Valkey, over TCP, nothing differs`() throws {
    let primary = try RedisServer(.valkey, tcp: true)
    let secondary = try RedisServer(tcp: true)
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dual), to: "flags.yml")
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: primary.tcpURL, secondary: secondary.tcpURL),
      in: directory
    )
    try sidecar.waitForStores()
    let client = try sidecar.client(instance: "sessions")
    let replies = try client.pipeline([
      ["SET", "k", "v", "EX", "100"], ["TTL", "k"], ["ZADD", "z", "0.1", "a", "3e20", "b"],
      ["ZINCRBY", "z", "0.2", "a"],
      ["ZRANGE", "z", "0", "-1", "WITHSCORES"], ["SADD", "s", "a", "b", "c"], ["SMEMBERS", "s"],
      ["HSET", "h", "f", "1"],
      ["HINCRBYFLOAT", "h", "f", "0.1"], ["HGETALL", "h"], ["XADD", "x", "1-1", "f", "v"], ["XRANGE", "x", "-", "+"],
      ["LPUSH", "k", "x"], ["GEOADD", "g", "13.361389", "38.115556", "p"], ["GEOPOS", "g", "p"],
      ["OBJECT", "FREQ", "k"],
    ])
    #expect(replies[12].errorText?.hasPrefix("WRONGTYPE") == true)
    #expect(try sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 0)
    #expect(try primary.client().command("ZSCORE", "z", "a").string.flatMap { Double($0) } == 0.1 + 0.2)
  }
}
