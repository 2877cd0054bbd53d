internal import Hiredis
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("What is in force")
struct EffectiveStateTests {
  /// The four states of a migration, in its order.
  private static let states = [
    FlagState(dualWrite: false, primaryAsDefault: false), FlagState(dualWrite: true, primaryAsDefault: false),
    FlagState(dualWrite: true, primaryAsDefault: true), FlagState(dualWrite: false, primaryAsDefault: true),
  ]

  private func effective(_ flags: FlagState, canUsePrimary: Bool = true, _ policy: ReadPolicy) -> EffectiveState {
    EffectiveState(
      routing: Routing(flags: flags, canUsePrimary: canUsePrimary, readPolicy: policy),
      isPassThrough: false,
      sinceMilliseconds: 0
    )
  }

  @Test("The label values and the number say what the flags mean", arguments: ReadPolicy.allCases)
  func labels(policy: ReadPolicy) {
    let states = Self.states.map { effective($0, policy) }
    let dualReads =
      policy == .fallback ? ["primary_then_secondary", "primary_then_secondary"] : ["secondary", "primary"]
    #expect(states.map(\.state) == [0, 1, 2, 3])
    #expect(states.map(\.reads) == ["secondary"] + dualReads + ["primary"])
    #expect(states.map(\.writes) == ["secondary", "both", "both", "primary"])
    #expect(states.map(\.replies) == ["secondary", "secondary", "primary", "primary"])
    for flags in Self.states {
      let held = effective(flags, canUsePrimary: false, policy)
      #expect(held.state == 0 && [held.reads, held.writes, held.replies] == Array(repeating: "secondary", count: 3))
    }
  }

  @Test("Other threads see what is in force, and since when: until something else is")
  func since() throws {
    let instance = try Instance(dual: false)
    let status = instance.multiStore.status
    let loop = instance.multiStore.loop
    #expect(status.effective.state == 0 && !status.effective.isPassThrough && !status.effective.storesAreSame)
    var since = status.effective.sinceMilliseconds
    for (number, flags) in Self.states.enumerated().dropFirst() {
      try instance.run { loop.wallClockMilliseconds > since }
      let before = loop.wallClockMilliseconds
      instance.multiStore.flags.exchange(flags)
      // Nothing is executed: the flags are looked at all the same.
      try instance.run { status.effective.state == number }
      since = status.effective.sinceMilliseconds
      #expect((before...loop.wallClockMilliseconds).contains(since))
      #expect(status.defaultStore == status.effective.routing.defaultStore)
      // Setting them to what they are changes nothing.
      instance.multiStore.flags.exchange(flags)
      #expect(try instance.execute("SET k v") == "+OK|")
      #expect(status.effective.sinceMilliseconds == since)
    }
  }

  @Test("Flags of stores that are one server are on, and not in force")
  func sameStore() throws {
    let server = try RedisServer()
    let endpoint = StoreEndpoint(address: .unix(path: server.socketPath))
    let instance = try Instance(primaryAsDefault: true) {
      $0.secondary.endpoint = endpoint
      $0.primary?.endpoint = endpoint
    }
    let status = instance.multiStore.status
    try instance.run { status.effective.storesAreSame && status.effective.state == 0 }
    #expect(instance.multiStore.flags.state == FlagState(dualWrite: true, primaryAsDefault: true))
    let since = status.effective.sinceMilliseconds
    instance.multiStore.flags.exchange(FlagState())
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(status.effective.state == 0 && status.effective.sinceMilliseconds == since, "nothing else is in force")
  }

  @Test("An instance without a primary passes everything through")
  func passThrough() throws {
    let instance = try Instance(dual: true, primaryAsDefault: true) { $0.primary = nil }
    let status = instance.multiStore.status
    #expect(status.effective.isPassThrough && status.effective.state == 0)
    #expect(status.roles == [.secondary] && status.address(of: .primary) == nil)
    #expect(status.problem(with: .primary) == "not configured" && status.problem(with: .secondary) == nil)
  }

  @Test("Replies that differ are counted by their command, in pipelines and in transactions")
  func differingReplies() throws {
    let instance = try Instance { $0.readPolicy = .defaultStore }
    try instance.both("MSET same 1 n 5")
    try instance.primary.command("SET", "other", "p")
    try instance.secondary.command("SET", "other", "s")
    try instance.primary.command("SET", "n", "9")
    try instance.execute("GET same", "GET other", "INCR n", "STRLEN other", "GET other", "TTL other")
    func differing(_ command: String) -> Int64? {
      instance.count(MultiStoreMetrics.differingReplies, ["command": command, "instance_name": "sessions"])
    }
    #expect(differing("get") == 2 && differing("incr") == 1 && differing("strlen") == 0 && differing("ttl") == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "pipelined"]) == 1)
    try instance.execute("GET other", "STRLEN other", as: .multi)
    #expect(differing("get") == 3)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "multi"]) == 1)
    // One that has no counter can't differ.
    #expect(differing("time") == nil && differing("randomkey") == nil && differing("sort") == 0)
  }
}
