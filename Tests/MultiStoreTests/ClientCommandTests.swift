import MultiStore
import TestSupport
import Testing

/// Each family once with both stores in use, so that the copied commands are what both servers accept too.
@Suite("Client: typed commands")
struct ClientCommandTests {
  private let harness: ClientHarness
  private let store: MultiStoreClient

  init() async throws {
    harness = try await ClientHarness(dual: true) { $0.allowFlush = true }
    store = harness.client
  }

  @Test func `strings and counters`() async throws {
    #expect(try await store.send(.set("s", "one")))
    #expect(try await store.send(.set("s", "two", condition: .ifAbsent)) == false)
    #expect(try await store.send(.set("s", "three", expiry: .milliseconds(90_500), condition: .ifPresent)))
    #expect(try await store.send(.get("s", as: String.self)) == "three")
    #expect(try await store.send(.strlen("s")) == 5)
    #expect(try await store.send(.setnx("s", "no")) == false)
    try await store.send(.setex("e", .seconds(60), [0, 255, 13, 10] as [UInt8]))
    #expect(try await store.send(.get("e")) == [0, 255, 13, 10])
    #expect(try await store.send(.mget("s", "absent", "e")) == [Array("three".utf8), nil, [0, 255, 13, 10]])
    #expect(try await store.send(.mget("s", "absent", as: String.self)) == ["three", nil])
    #expect(try await store.send(.incr("n")) == 1)
    #expect(try await store.send(.incrby("n", 41)) == 42)
    #expect(try await store.send(.decr("n")) == 41)
    #expect(try await store.send(.incrbyfloat("n", 0.5)) == 41.5)
    try expectSameStores("s", "e", "n")
  }

  @Test func `bytes that are no text are an error only where text was asked for`() async throws {
    try await store.send(.set("b", [0xff] as [UInt8]))
    #expect(
      await code { () throws(MultiStoreError) in try await store.send(.get("b", as: String.self)) } == .unexpectedReply
    )
    #expect(try await store.send(.get("absent", as: String.self)) == nil)
    let bytes: [UInt8]? = try await store.send(.get("b"))
    #expect(bytes == [0xff])
    try await store.send(.set("n", 17))
    #expect(try await store.send(.get("n", as: Int.self)) == 17)
    #expect(try await store.send(.get("n", as: Double.self)) == 17)
  }

  @Test func keys() async throws {
    for key in ["a", "b", "c"] { try await store.send(.set(key, "v")) }
    #expect(try await store.send(.exists("a")))
    #expect(try await store.send(.exists(["a", "b", "absent"])) == 2)
    #expect(try await store.send(.type(of: "a")) == "string")
    #expect(try await store.send(.type(of: "absent")) == "none")
    #expect(try await store.send(.ttl("a")) == .forever)
    #expect(try await store.send(.ttl("absent")) == .noKey)
    #expect(try await store.send(.expire("a", after: .seconds(1000))))
    #expect(try await store.send(.expire("b", after: .milliseconds(1_000_500))))
    #expect(try await store.send(.expire("absent", after: .seconds(1))) == false)
    for key in ["a", "b"] {
      guard case .expires(let left) = try await store.send(.pttl(key)) else {
        Issue.record("\(key) has no expiry")
        continue
      }
      #expect(left > .seconds(900) && left <= .milliseconds(1_000_500))
    }
    #expect(try await #require(store.send(.memoryUsage("a"))) > 0)
    #expect(try await store.send(.del("a", "absent")) == 1)
    #expect(try await store.send(.unlink("b", "c")) == 2)
    #expect(try harness.ask(.primary, "DBSIZE") == .integer(0))
  }

  @Test func hashes() async throws {
    #expect(try await store.send(.hset("h", "name", "Ada")))
    #expect(try await store.send(.hset("h", ["name": "Grace", "age": 36, "score": 1.5])) == 2)
    #expect(try await store.send(.hget("h", "name")) == Array("Grace".utf8))
    #expect(try await store.send(.hmget("h", "age", "absent", as: String.self)) == ["36", nil])
    #expect(try await store.send(.hgetall("h", as: String.self)) == ["name": "Grace", "age": "36", "score": "1.5"])
    #expect(try await store.send(.hlen("h")) == 3)
    #expect(try await store.send(.hexists("h", "absent")) == false)
    #expect(try await store.send(.hincrby("h", "age", -6)) == 30)
    #expect(try await store.send(.hdel("h", "score", "absent")) == 1)
    #expect(try await store.send(.hgetall("absent")) == [:])
    var found: Set<HashField> = []
    for try await field in store.scanEach({ .hscan("h", $0) }) { found.insert(field) }
    #expect(found.map { String(decoding: $0.name, as: UTF8.self) }.sorted() == ["age", "name"])
  }

  @Test func `lists, and waiting for one`() async throws {
    #expect(try await store.send(.rpush("l", "a", "b", "c", "d")) == 4)
    #expect(try await store.send(.llen("l")) == 4)
    #expect(try await store.send(.lrange("l", as: String.self)) == ["a", "b", "c", "d"])
    try await store.send(.ltrim("l", 1, -2))
    #expect(try await store.send(.lrange("l", 0, 0, as: String.self)) == ["b"])
    try expectSameStores("l")
    async let popped = store.send(.blpop("jobs", timeout: ClientHarness.patience))
    try await soon("BLPOP waits") {
      try harness.ask(.secondary, "INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    try await store.send(.rpush("jobs", "first"))
    let element = try await popped
    #expect(element?.key == Array("jobs".utf8))
    #expect(element?.value == Array("first".utf8))
    #expect(try harness.ask(.primary, "EXISTS", "jobs") == .integer(0))
    #expect(try await store.send(.blpop("empty", timeout: .milliseconds(10))) == nil)
  }

  @Test func `sets and HyperLogLogs`() async throws {
    #expect(try await store.send(.sadd("s", "a")))
    #expect(try await store.send(.sadd("s", ["a", "b", 3])) == 2)
    #expect(try await store.send(.scard("s")) == 3)
    #expect(try await store.send(.sismember("s", 3)))
    #expect(Set(try await store.send(.smembers("s", as: String.self))) == ["a", "b", "3"])
    #expect(try await store.send(.srem("s", "a")))
    #expect(try await store.send(.srem("s", ["a", "b"])) == 1)
    try expectSameStores("s")
    #expect(try await store.send(.spop("s", as: String.self)) == "3")
    #expect(try await store.send(.spop("s", count: 2)) == [])
    #expect(try await store.send(.pfadd("p", "x", "y")))
    #expect(try await store.send(.pfadd("p", "x")) == false)
    try await store.send(.pfmerge("q", from: "p"))
    #expect(try await store.send(.pfcount("p", "q")) == 2)
  }

  @Test func `sorted sets`() async throws {
    #expect(try await store.send(.zadd("z", "one", score: 1)))
    let more = [("two", 2.0), ("half", 0.5), ("top", Double.infinity)].map { ScoredMember(member: $0.0, score: $0.1) }
    #expect(try await store.send(.zadd("z", more)) == 3)
    #expect(try await store.send(.zcard("z")) == 4)
    #expect(try await store.send(.zscore("z", "top")) == .infinity)
    #expect(try await store.send(.zscore("z", "absent")) == nil)
    #expect(try await store.send(.zcount("z", min: .exclusive(0.5), max: .inclusive(2))) == 2)
    #expect(try await store.send(.zrange("z", as: String.self)) == ["half", "one", "two", "top"])
    #expect(try await store.send(.zrangeWithScores("z", 0, 0)) == [ScoredMember(member: "half", score: 0.5)])
    #expect(try await store.send(.zrevrange("z", 0, 1, as: String.self)) == ["top", "two"])
    #expect(
      try await store.send(.zrangebyscore("z", min: .inclusive(1), offset: 1, count: 1, as: String.self)) == ["two"]
    )
    #expect(try await store.send(.zpopmin("z")) == ScoredMember(member: "half", score: 0.5))
    #expect(try await store.send(.zpopmin("z", count: 1)) == [ScoredMember(member: "one", score: 1)])
    #expect(try await store.send(.zpopmin("absent")) == nil)
    #expect(try await store.send(.zremrangebyscore("z", max: .exclusive(3))) == 1)
    #expect(try await store.send(.zremrangebyrank("z", 0, 0)) == 1)
    #expect(try await store.send(.zrem("z", "top")) == 0)
    try expectSameStores("z")
  }

  @Test func `scans go through all pages`() async throws {
    harness.flags.exchange(FlagState())
    let members = (0..<2000).map { "member:\($0)" }
    #expect(try await store.send(.sadd("big", members)) == members.count)
    #expect(try await store.send(.zadd("ranks", members.map { ScoredMember(member: $0, score: 1) })) == members.count)
    try await store.pipelined { pipeline in
      for member in members { pipeline.append(.set("key:\(member)", "v")) }
    }
    var found: Set<[UInt8]> = []
    for try await member in store.scanEach({ .sscan("big", $0, count: 100) }) { found.insert(member) }
    #expect(found == Set(members.map { Array($0.utf8) }))
    found = []
    for try await member in store.scanEach({ .zscan("ranks", $0) }) { found.insert(member.member) }
    #expect(found == Set(members.map { Array($0.utf8) }))
    found = []
    for try await key in store.scanEach({ .scan($0, matching: "key:*", count: 500) }) { found.insert(key) }
    #expect(found.count == members.count)
    let page = try await store.send(.sscan("absent"))
    #expect(page.elements.isEmpty && page.cursor.isEnd)
  }

  @Test func `scripts, messages and the whole store`() async throws {
    let listener = try harness.secondary.client()
    _ = try listener.command("SUBSCRIBE", "news")
    #expect(try await store.send(.publish("news", "hello")) == 1)
    #expect(try listener.readReply() == .array([.text("message"), .text("news"), .text("hello")]))
    let script = "return redis.call('SET', KEYS[1], ARGV[1])"
    #expect(try await store.send(.eval(script, keys: ["scripted"], arguments: [7])) == .status("OK"))
    try expectSameStores("scripted")
    #expect(try harness.ask(.primary, "GET", "scripted") == .text("7"))
    try await store.send(.ping())
    #expect(try await store.send("ECHO", "hello") == .string(Array("hello".utf8)))
    try await store.send(.set("k", "v"))
    try await store.send(.flushdb())
    try expectSameStores("k")
    #expect(try harness.ask(.primary, "DBSIZE") == .integer(0))
  }

  @Test func `a command of one's own is typed too`() async throws {
    let encoding = StoreCommand<String?>("OBJECT", "ENCODING", "n") { $0 == .null ? .some(nil) : $0.text }
    #expect(try await store.send(encoding) == nil)
    try await store.send(.set("n", 1))
    #expect(try await store.send(encoding) == "int")
  }

  /// Both stores have the same under each of the keys.
  private func expectSameStores(_ keys: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    for key in keys {
      let (primary, secondary) = (try harness.ask(.primary, "DUMP", key), try harness.ask(.secondary, "DUMP", key))
      #expect(primary == secondary, "\(key)", sourceLocation: sourceLocation)
    }
  }
}
