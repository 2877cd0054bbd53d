internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// The primary is the default store, and the secondary may have executed a write too many before.
@Suite("A key that may have a write too many on the store that the default has left")
struct StaleOnBothTests {
  private func instance(_ configure: (inout MultiStoreConfiguration) -> Void = { _ in }) throws -> Instance {
    try Instance(primaryAsDefault: true) {
      $0.keysPerSecond = 1_000
      configure(&$0)
    }
  }

  private let key = Array("l".utf8)

  private func execute(_ line: String, on instance: Instance) throws -> String {
    let sink = instance.begin(line, in: instance.database)
    try instance.run { sink.isDone }
    return sink.text
  }

  @Test func `gets the default store's value`() throws {
    let instance = try instance()
    try instance.primary.command("RPUSH", "l", "a")
    try instance.secondary.command("RPUSH", "l", "a", "b")
    instance.database.secondary.markStale(key: key, because: .mayHaveMore)
    try instance.run { instance.database.secondary.stale.isEmpty }
    #expect(try instance.secondary.command("LRANGE", "l", "0", "-1") == .array([.text("a")]))
  }

  /// It was never moved.
  @Test func `stays if that store alone has it`() throws {
    let instance = try instance {
      $0.settledChecksPerSecond = 1_000
      $0.settledCheckDelay = .milliseconds(10)
    }
    try instance.secondary.command("RPUSH", "l", "a")
    instance.database.secondary.markStale(key: key, because: .mayHaveMore)
    try instance.run { instance.database.secondary.stale.isEmpty }
    // It would be checked before this one.
    _ = try instance.execute("SET later v")
    try instance.run {
      instance.count(MultiStoreMetrics.settledChecks, ["outcome": "equal"]) ?? 0 > 0
        && instance.database.secondary.stale.isEmpty
    }
    #expect(try instance.secondary.command("LRANGE", "l", "0", "-1") == .array([.text("a")]))
  }

  @Test func `is read, and moved by the next write, if that store alone has it`() throws {
    let instance = try instance {
      $0.keysPerSecond = 0
      $0.readPolicy = .fallback
    }
    try instance.secondary.command("RPUSH", "l", "a")
    instance.database.secondary.markStale(key: key, because: .mayHaveMore)
    #expect(try execute("LINDEX l 0", on: instance) == "$1|a|")
    #expect(try execute("RPUSH l b", on: instance) == ":2|")
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("LRANGE", "l", "0", "-1") == .array([.text("a"), .text("b")]))
    }
  }

  @Test func `goes with the last element that is taken from the new store`() throws {
    let instance = try instance { $0.keysPerSecond = 0 }
    for client in [instance.primary, instance.secondary] { try client.command("RPUSH", "l", "a") }
    instance.database.secondary.markStale(key: key, because: .mayHaveMore)
    #expect(try execute("LPOP l", on: instance) == "$1|a|")
    try instance.run { instance.database.secondary.stale.isEmpty }
    #expect(try instance.secondary.command("EXISTS", "l") == .integer(0))
  }

  /// The new store has no keys that were never moved.
  @Test func `goes from the new store if the old one, the default, lacks it`() throws {
    let instance = try Instance { $0.keysPerSecond = 1_000 }
    let primary = try #require(instance.database.primary)
    try instance.primary.command("RPUSH", "l", "a")
    primary.markStale(key: key, because: .mayHaveMore)
    try instance.run { primary.stale.isEmpty }
    #expect(try instance.primary.command("EXISTS", "l") == .integer(0))
  }

  /// The copy of an acknowledged write fails after the move.
  @Test func `has the value if the default store is known to lack a write`() throws {
    let instance = try instance()
    try instance.primary.command("RPUSH", "l", "a")
    try instance.secondary.command("RPUSH", "l", "a", "b")
    let primary = try #require(instance.database.primary)
    instance.database.secondary.markStale(key: key, because: .mayHaveMore)
    primary.markStale(key: key, because: .lost)
    #expect(primary.stale.count == 1)
    try instance.run { primary.stale.isEmpty && instance.database.secondary.stale.isEmpty }
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("LRANGE", "l", "0", "-1") == .array([.text("a"), .text("b")]))
    }
  }

  @Test func `the default store keeps its value if the other one lacks a write`() throws {
    let instance = try instance()
    try instance.primary.command("RPUSH", "l", "a", "b")
    try instance.secondary.command("RPUSH", "l", "a")
    instance.database.secondary.markStale(key: key, because: .lost)
    instance.database.primary?.markStale(key: key, because: .lost)
    #expect(instance.database.primary?.stale.isEmpty == true)
    try instance.run { instance.database.secondary.stale.isEmpty }
    #expect(try instance.secondary.command("LRANGE", "l", "0", "-1") == .array([.text("a"), .text("b")]))
  }

  /// The script outlasts the move, and its keys are copied as they are when it has ended.
  @Test func `a script that ends after the move is not forgotten on the new default store`() throws {
    let instance = try Instance { $0.keysPerSecond = 1_000 }
    for client in [instance.primary, instance.secondary] { try client.command("SET", "k", "old") }
    instance.multiStore.instance.routingState.holdLimit = .milliseconds(100)
    let second = try instance.secondary.command("TIME").elements?.first?.string ?? ""
    // A line is split at its spaces.
    let script =
      "while(redis.call('TIME')[1]-ARGV[1]<2)do(function()end)()end;return(redis.call('SET',KEYS[1],'new'))"
    let sink = instance.begin("EVAL \(script) 1 k \(second)")
    _ = instance.multiStore.instance.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    try instance.run { instance.database.primary?.isDefault == true }
    try instance.run { sink.isDone }
    #expect(sink.text == "+OK|")
    #expect(try execute("GET k", on: instance) == "$3|new|")
  }
}
