import Logging
import MultiStore
import TestSupport
import Testing

@Suite("Client: the four states")
struct ClientStateTests {
  @Test(arguments: [
    (FlagState(dualWrite: false, primaryAsDefault: false), StoreRole.secondary, [StoreRole.secondary]),
    (FlagState(dualWrite: true, primaryAsDefault: false), .secondary, [.primary, .secondary]),
    (FlagState(dualWrite: true, primaryAsDefault: true), .primary, [.primary, .secondary]),
    (FlagState(dualWrite: false, primaryAsDefault: true), .primary, [.primary]),
  ])
  func `a write goes where the flags say`(state: FlagState, defaultStore: StoreRole, written: [StoreRole]) async throws
  {
    let harness = try await ClientHarness(dual: state.dualWrite, primaryAsDefault: state.primaryAsDefault)
    #expect(try await harness.client.send(.set("k", "v")))
    for role in StoreRole.allCases {
      #expect(try harness.ask(role, "GET", "k") == (written.contains(role) ? .text("v") : .null))
    }
    #expect(harness.client.status.defaultStore == defaultStore)
    // What can't be told to be a read or a write goes to the default store alone.
    let port = try await harness.client.send("CONFIG", "GET", "unixsocket")
    let expected = RESPValue.array([
      .string(Array("unixsocket".utf8)), .string(Array(harness.server(defaultStore).socketPath.utf8)),
    ])
    #expect(port == expected)
    #expect(harness.count("gitlab_redis_multi_store_method_missing_total", ("command", "config")) == 1)
    #expect(harness.events("MethodMissingError") == ["config"])
    await harness.client.close()
  }

  @Test func `a read falls back, and that is counted and told once`() async throws {
    let harness = try await ClientHarness(dual: true)
    _ = try harness.ask(.secondary, "SET", "old", "value")
    #expect(try await harness.client.send(.get("old", as: String.self)) == "value")
    #expect(try await harness.client.send(.get("nowhere")) == nil)
    let fallbacks = ("command", "get")
    #expect(
      harness.count("gitlab_redis_multi_store_read_fallback_total", fallbacks, ("instance_name", "sessions")) == 1
    )
    #expect(harness.count("multistore_true_misses_total") == 1)
    #expect(harness.events("ReadFromPrimaryError") == ["get"])
    await harness.client.close()
  }

  @Test func `the default_store policy reads from the default store alone`() async throws {
    let harness = try await ClientHarness(dual: true) { $0.readPolicy = .defaultStore }
    _ = try harness.ask(.primary, "SET", "k", "new")
    #expect(try await harness.client.send(.get("k")) == nil)
    harness.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(try await harness.client.send(.get("k", as: String.self)) == "new")
    await harness.client.close()
  }

  @Test func `a flip under load loses and fails nothing`() async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    let sent = 400
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<sent {
        if number == sent / 4 { harness.flags.exchange(FlagState(dualWrite: true)) }
        if number == sent / 2 { harness.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true)) }
        group.addTask { try await client.send(.rpush("list:\(number)", number)) }
      }
      for try await length in group { #expect(length == 1) }
    }
    harness.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    let lists = try await client.pipelined { pipeline in
      for number in 0..<sent { pipeline.append(.llen("list:\(number)")) }
    }
    #expect(lists == Array(repeating: .integer(1), count: sent))
    await client.close()
  }

  @Test func `an instance without a primary is a plain pass-through`() async throws {
    let harness = try await ClientHarness()
    var configuration = harness.client.configuration
    configuration.primary = nil
    let client = try MultiStoreClient(
      configuration: configuration,
      flags: FeatureFlags(instanceName: "sessions", state: FlagState(dualWrite: true, primaryAsDefault: true)),
      logger: .init(label: "test") { [log = harness.log] _ in log }
    )
    #expect(try await client.send(.incr("n")) == 1)
    #expect(try harness.ask(.secondary, "GET", "n") == .text("1"))
    #expect(try harness.ask(.primary, "GET", "n") == .null)
    await client.close()
    await harness.client.close()
  }
}
