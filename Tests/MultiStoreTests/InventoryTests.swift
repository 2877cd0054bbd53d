import MetricsTestKit
import RESP
import TestSupport
import Testing

@testable import MultiStore

@Suite("Inventory of commands")
struct InventoryTests {
  private static let store = MultiStoreConfiguration.Store(endpoint: StoreEndpoint(address: .unix(path: "/nowhere")))

  private static func configuration(
    _ change: (inout MultiStoreConfiguration) -> Void = { _ in }
  ) -> MultiStoreConfiguration {
    var configuration = MultiStoreConfiguration(name: "sessions", primary: nil, secondary: store)
    change(&configuration)
    return configuration
  }

  private static func id(_ name: String) -> CommandID {
    let words = name.split(separator: " ").map { Array($0.utf8) }
    let subcommand = words.count > 1 ? words[1] : []
    let command = words[0]
    return CommandTable.lookup(command.span, subcommand: subcommand.span)
  }

  @Test(
    "what becomes of a command follows its class and the configuration",
    arguments: [
      ("get", .readWithFallback, .defaultStoreOnly), ("set", .dualWritten, .dualWritten),
      ("publish", .dualWritten, .dualWritten), ("eval", .dualWritten, .dualWritten),
      ("eval_ro", .defaultStoreOnly, .defaultStoreOnly), ("blpop", .dualWritten, .dualWritten),
      ("migrate", .defaultStoreOnly, .defaultStoreOnly), ("scan", .defaultStoreOnly, .defaultStoreOnly),
      ("config get", .defaultStoreOnly, .refused), ("info", .defaultStoreOnly, .defaultStoreOnly),
      ("made-up", .defaultStoreOnly, .refused), ("flushdb", .refused, .dualWritten), ("sync", .refused, .refused),
      ("multi", .sidecar, .sidecar),
      ("client id", .sidecar, .sidecar),
    ] as [(String, InventoryRouting, InventoryRouting)]
  )
  func routing(_ name: String, _ usually: InventoryRouting, _ otherwise: InventoryRouting) {
    let spec = CommandTable.spec(Self.id(name))
    let unusual = Self.configuration {
      $0.readPolicy = .defaultStore
      $0.unlistedCommands = .reject
      $0.allowFlush = true
    }
    #expect(InventoryRouting(spec, as: spec.commandClass, in: Self.configuration()) == usually)
    #expect(InventoryRouting(spec, as: spec.commandClass, in: unusual) == otherwise)
  }

  @Test func `what is counted is published once, with when it was seen first and last`() {
    let metrics = TestMetrics()
    let counts = InventoryCounts(configuration: Self.configuration(), metricsFactory: metrics)
    let get = Self.id("get")
    counts.publish(now: 1000)
    #expect(counts.inventory.entries.isEmpty && metrics.counters.isEmpty)
    counts.count(get, byOptions: false)
    counts.count(Self.id("sort"), byOptions: true)
    counts.count(Self.id("sort"), byOptions: false)
    #expect(counts.inventory.entries.isEmpty)
    counts.publish(now: 2000)
    for _ in 0..<3 { counts.count(get, byOptions: false) }
    counts.publish(now: 3000)
    counts.publish(now: 4000)
    #expect(
      counts.inventory.entries == [
        Self.entry("sort", 1, .dualWritten, .wholeKeyCopy, 2000, 2000),
        Self.entry("get", 4, .readWithFallback, nil, 2000, 3000),
        Self.entry("sort", 1, .readWithFallback, nil, 2000, 2000),
      ]
    )
    let sums = Dictionary(
      metrics.counters.map { counter in
        (counter.dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: " "), counter.totalValue)
      },
      uniquingKeysWith: +
    )
    #expect(
      sums == [
        "command=get instance_name=sessions routing=read_with_fallback hazard=none": 4,
        "command=sort instance_name=sessions routing=read_with_fallback hazard=none": 1,
        "command=sort instance_name=sessions routing=dual_written hazard=whole_key_copy": 1,
      ]
    )
  }

  @Test func `hazards come first, the worst before the others, then the most frequent`() {
    let counts = InventoryCounts(configuration: Self.configuration(), metricsFactory: TestMetrics())
    for (name, count) in [("get", 9), ("set", 10), ("eval", 1), ("watch", 50), ("made-up", 1), ("config get", 2)] {
      for _ in 0..<count { counts.count(Self.id(name), byOptions: false) }
    }
    counts.publish(now: 1)
    #expect(counts.inventory.entries.map(\.command) == ["other", "eval", "config|get", "watch", "set", "get"])
  }

  @Test func `the library's client counts what it is asked to send, in transactions too`() async throws {
    let harness = try await ClientHarness()
    try await harness.client.send(.set("k", "v"))
    _ = try await harness.client.multi { transaction in
      transaction.append(.get("k"))
      transaction.append(.get("k"))
    }
    try await soon("the inventory has all three") {
      let entries = harness.client.inventory.entries
      return entries.map(\.command) == ["get", "set"] && entries.map(\.count) == [2, 1]
    }
    #expect(harness.count("multistore_inventory_commands_total", ("command", "get")) == 2)
  }

  private static func entry(
    _ command: String,
    _ count: UInt64,
    _ routing: InventoryRouting,
    _ hazard: CommandHazard?,
    _ first: Int64,
    _ last: Int64
  ) -> InventoryEntry {
    InventoryEntry(
      command: command,
      count: count,
      routing: routing,
      hazard: hazard,
      firstSeenMilliseconds: first,
      lastSeenMilliseconds: last
    )
  }
}
