internal import EventLoop
internal import Hiredis
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("How many keys a store has, and how long they live")
struct KeyspaceSamplerTests {
  private static let notice = "How many keys the store has, and how long they live, stays unknown: it refuses to say"

  /// An instance that samples, and has done so once for each store.
  private func makeInstance(_ configure: (inout MultiStoreConfiguration) -> Void = { _ in }) throws -> Instance {
    let instance = try Instance {
      $0.keyspaceSampling = true
      configure(&$0)
    }
    try settle(instance)
    return instance
  }

  private func sampler(_ instance: Instance, _ role: StoreRole) throws -> KeyspaceSampler {
    try #require(instance.multiStore.store(role).family.keyspaceSampler)
  }

  /// Waits for the rounds that are under way.
  private func settle(_ instance: Instance) throws {
    let samplers = try StoreRole.allCases.map { try sampler(instance, $0) }
    try instance.run { samplers.allSatisfy { $0.repliesLeft == 0 } }
  }

  /// Samples the secondary once, and says what is known then.
  private func sample(_ instance: Instance) throws -> StoreKeyspace? {
    let sampler = try sampler(instance, .secondary)
    sampler.begin()
    #expect(sampler.repliesLeft == 1)
    try instance.run { sampler.repliesLeft == 0 }
    return instance.multiStore.status.keyspace(of: .secondary)
  }

  @Test("Each store is asked as soon as it is there")
  func start() throws {
    let instance = try makeInstance()
    let status = instance.multiStore.status
    for role in StoreRole.allCases {
      let keyspace = try #require(status.keyspace(of: role))
      #expect(keyspace.keys == 0 && keyspace.expiringKeys == 0 && keyspace.sampledKeys == 0)
      #expect(keyspace.longestTTLMilliseconds == nil && keyspace.averageTTLMilliseconds == nil)
      #expect(keyspace.sampledAtMilliseconds > 1_700_000_000_000)
      #expect(try #require(status.serverVersion(of: role)).split(separator: ".").count == 3)
    }
    #expect(status.address(of: .primary) == "unix:\(instance.primaryServer.socketPath)")
    #expect(status.roles == [.primary, .secondary])
  }

  @Test("Keys are counted, and the longest time to live of many samples is found")
  func longest() throws {
    let instance = try makeInstance()
    for number in 0..<40 { try instance.secondary.command("SET", "short\(number)", "v", "EX", "1000") }
    for number in 0..<4 { try instance.secondary.command("SET", "long\(number)", "v", "EX", "90000") }
    for number in 0..<6 { try instance.secondary.command("SET", "forever\(number)", "v") }
    let first = try #require(try sample(instance))
    #expect(first.keys == 50 && first.expiringKeys == 44 && first.sampledKeys == KeyspaceSampler.keysPerRound)
    var keyspace = first
    // Which keys come up is chance.
    try eventually {
      keyspace = try #require(try sample(instance))
      return keyspace.averageTTLMilliseconds != nil && keyspace.longestTTLMilliseconds ?? 0 > 1_000_000
    }
    let longest = try #require(keyspace.longestTTLMilliseconds)
    #expect((89_000_000...90_000_000).contains(longest))
    let average = try #require(keyspace.averageTTLMilliseconds)
    #expect((900_000...90_000_000).contains(average))
    #expect(keyspace.sampledKeys.isMultiple(of: KeyspaceSampler.keysPerRound))
    #expect(instance.multiStore.status.keyspace(of: .primary)?.keys == 0)
  }

  @Test("The samples of an hour are kept, and no more; an emptied store is forgotten")
  func window() throws {
    let instance = try makeInstance()
    for number in 0..<20 { try instance.secondary.command("SET", "k\(number)", "v") }
    for _ in 0..<KeyspaceSampler.keptRounds + 10 { _ = try sample(instance) }
    let full = try #require(instance.multiStore.status.keyspace(of: .secondary))
    let limit = KeyspaceSampler.keptRounds * KeyspaceSampler.keysPerRound
    #expect(full.sampledKeys == limit && full.sampledKeysWithoutTTL == limit && full.longestTTLMilliseconds == nil)
    try instance.secondary.command("FLUSHALL")
    let empty = try #require(try sample(instance))
    #expect(empty.keys == 0 && empty.sampledKeys == 0)
    try instance.secondary.command("SET", "k", "v", "EX", "100")
    let one = try #require(try sample(instance))
    #expect(one.keys == 1 && one.sampledKeys == 1 && (1...100_000).contains(one.longestTTLMilliseconds ?? 0))
  }

  @Test("It is the database of the instance that is looked at")
  func database() throws {
    let instance = try makeInstance { $0.secondary.endpoint.database = 5 }
    try instance.secondary.command("SET", "elsewhere", "v")
    try instance.secondary.command("SELECT", "5")
    try instance.secondary.command("MSET", "a", "1", "b", "2")
    #expect(try sample(instance)?.keys == 2)
  }

  @Test("What is asked is in no counter, and not among what is in flight")
  func isNotCounted() throws {
    let instance = try makeInstance()
    try instance.secondary.command("SET", "k", "v")
    let before = instance.count(MultiStoreMetrics.commands)
    for _ in 0..<5 { _ = try sample(instance) }
    #expect(instance.count(MultiStoreMetrics.commands) == before)
    let store = instance.database.secondary
    instance.secondaryServer.pause()
    let sampler = try sampler(instance, .secondary)
    sampler.begin()
    sampler.begin()
    #expect(sampler.repliesLeft == 1, "one round at a time")
    #expect(store.inFlightCount == 0 && store.ordinary.inFlightCount == 1)
    #expect(instance.multiStore.status.keyspace(of: .secondary) == nil, "it does not answer")
    instance.secondaryServer.resume()
    try instance.run { instance.multiStore.status.keyspace(of: .secondary)?.keys == 1 }
  }

  @Test("A store that hangs while nobody asks it for anything is given up, not before its time")
  func hung() throws {
    // On a busy machine the handshake takes its time, too.
    let instance = try makeInstance { $0.secondary.limits.commandTimeout = .milliseconds(500) }
    let (sampler, store) = (try sampler(instance, .secondary), instance.database.secondary)
    instance.secondaryServer.pause()
    sampler.begin()
    #expect(sampler.repliesLeft == 1)
    sampler.begin()
    #expect(store.isReady, "it still has time")
    var isOver = false
    let timer = LoopTimer(on: instance.multiStore.loop) { isOver = true }
    timer.schedule(after: .milliseconds(501))
    try instance.run { isOver }
    sampler.begin()
    try instance.run { !store.isReady }
    #expect(store.unavailableReason?.contains("no reply within") == true)
    instance.secondaryServer.resume()
    try instance.run { store.isReady && instance.multiStore.status.keyspace(of: .secondary) != nil }
  }

  @Test("A store that has much to do, or is not there, is not asked; what was known is unknown then")
  func unavailable() throws {
    let busy = try makeInstance { $0.secondary.limits.maxQueuedCommands = KeyspaceSampler.keysPerRound }
    try sampler(busy, .secondary).begin()
    #expect(try sampler(busy, .secondary).repliesLeft == 0)

    let instance = try makeInstance()
    let status = instance.multiStore.status
    #expect(status.keyspace(of: .secondary) != nil)
    try instance.takeDown(.secondary)
    #expect(status.keyspace(of: .secondary) == nil && status.keyspace(of: .primary) != nil)
    try sampler(instance, .secondary).begin()
    #expect(try sampler(instance, .secondary).repliesLeft == 0)
    #expect(status.serverVersion(of: .secondary) != nil, "what it was is still known")
    try instance.secondaryServer.restart()
    try instance.run { status.keyspace(of: .secondary) != nil }
  }

  @Test(
    "A user that may not ask leaves it unknown, and that is said once",
    arguments: [("-info", false), ("-randomkey", true), ("-pttl", true)]
  )
  func refused(rule: String, isCounted: Bool) throws {
    let server = try RedisServer(users: ["bob on >secret ~* &* +@all \(rule)"])
    try server.client().command("SET", "k", "v", "EX", "100")
    let instance = try makeInstance {
      $0.secondary.endpoint = StoreEndpoint(
        address: .unix(path: server.socketPath),
        username: "bob",
        password: "secret"
      )
    }
    for _ in 0..<3 {
      let keyspace = try sample(instance)
      #expect(keyspace?.keys == (isCounted ? 1 : nil))
      #expect(keyspace?.longestTTLMilliseconds == nil)
      #expect(keyspace?.sampledKeys ?? 0 == 0)
    }
    #expect(instance.messages.count { $0 == Self.notice } == 1)
  }

  @Test("Keys that are too long are left out, and keys of any bytes are not")
  func oddKeys() throws {
    let instance = try makeInstance()
    try instance.secondary.command("SET", String(repeating: "k", count: KeyspaceSampler.longestKey + 1), "v")
    let tooLong = try #require(try sample(instance))
    #expect(tooLong.keys == 1 && tooLong.sampledKeys == 0)
    try instance.secondary.command("FLUSHALL")
    try instance.secondary.command("SET", "a\r\nb \0", "v", "EX", "100")
    #expect(try sample(instance)?.sampledKeys == 1)
    try instance.secondary.command("FLUSHALL")
    try instance.secondary.command("SET", String(repeating: "k", count: KeyspaceSampler.longestKey), "v")
    #expect(try sample(instance)?.sampledKeys == 2)
  }
}
