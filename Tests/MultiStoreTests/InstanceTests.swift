internal import EventLoop
internal import Hiredis
internal import MetricsTestKit
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Instances")
struct InstanceTests {
  /// All metrics but that of the client that an embedding server uses, and that of commands seen: there were none.
  private static let metrics = MultiStoreMetrics.all.filter {
    $0.name != MultiStoreMetrics.clientRejections.name && $0.name != MultiStoreMetrics.inventory.name
  }

  @Test("What is known beforehand is counted from zero")
  func zeros() throws {
    let instance = try Instance(dual: false) { $0.recheckDiffs = true }
    // The handshake was commands already, and the loop was busy with it. The inventory has what was seen.
    let others = [MultiStoreMetrics.loopBusy, MultiStoreMetrics.commands, MultiStoreMetrics.inventory].map(\.name)
    for metric in Self.metrics where metric.kind == .counter && !others.contains(metric.name) {
      let total = try #require(instance.count(metric), "\(metric.name)")
      #expect(total == 0, "\(metric.name)")
    }
    let commands = CommandTable.all.filter { $0.commandClass == .read && $0.miss != .never }
    for spec in commands {
      #expect(instance.count(MultiStoreMetrics.readFallback, ["command": spec.label]) == 0, "\(spec.name)")
    }
    for metric in [MultiStoreMetrics.pipelinedDiff, MultiStoreMetrics.pipelines] {
      for kind in ["pipelined", "multi"] { #expect(instance.count(metric, ["command": kind]) == 0) }
    }
    #expect(instance.count(MultiStoreMetrics.methodMissing, ["command": "other"]) == 0)
    #expect(instance.count(MultiStoreMetrics.uncopiedWrites, ["command": "migrate"]) == 0)
    for store in ["primary", "secondary"] {
      for outcome in ["ok", "error", "unavailable", "lost", "timeout", "queue_full"] {
        let count = try #require(instance.count(MultiStoreMetrics.commands, ["store": store, "outcome": outcome]))
        #expect(count == 0 || outcome == "ok")
      }
    }
  }

  @Test("Every metric has the labels that its documentation names")
  func labels() throws {
    let instance = try Instance { $0.recheckDiffs = true }
    let metrics = instance.metrics
    let inventory = instance.multiStore.inventory
    inventory.count(.get, byOptions: false)
    try instance.run { inventory.inventory.entries.count == 1 }
    let recorded: [(label: String, names: Set<String>)] =
      metrics.counters.map { ($0.label, Set($0.dimensions.map(\.0))) }
      + metrics.recorders.map { ($0.label, Set($0.dimensions.map(\.0))) }
      + metrics.timers.map { ($0.label, Set($0.dimensions.map(\.0))) }
    for metric in Self.metrics {
      let found = recorded.filter { $0.label == metric.name }
      // Stores with a fixed address have no sentinels.
      #expect(found.isEmpty == (metric.name == MultiStoreMetrics.storeSentinels.name), "\(metric.name)")
      for item in found { #expect(item.names == Set(metric.labels), "\(metric.name)") }
    }
    #expect(Set(recorded.map(\.label)).subtracting(MultiStoreMetrics.all.map(\.name)) == [], "undocumented")
  }

  @Test("No metric name is used twice, and names say what is counted")
  func names() {
    let names = MultiStoreMetrics.all.map(\.name)
    #expect(Set(names).count == names.count)
    for metric in MultiStoreMetrics.all {
      #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
      #expect(!metric.help.isEmpty && !metric.help.hasSuffix("."), "\(metric.name)")
    }
  }

  @Test("Two stores that are the same server count as one", arguments: [true, false])
  func sameStore(sameDatabase: Bool) throws {
    let server = try RedisServer()
    let instance = try Instance(primaryAsDefault: true) { configuration in
      let address = StoreEndpoint(address: .unix(path: server.socketPath))
      configuration.secondary.endpoint = address
      configuration.primary?.endpoint = address
      configuration.primary?.endpoint.database = sameDatabase ? 0 : 1
    }
    let client = try server.client()
    #expect(try instance.execute("INCR n") == ":1|")
    #expect(try instance.execute("INCR n", "INCR n") == ":2|:3|")
    #expect(try client.command("GET", "n") == .text("3"), "database 0 holds it either way")
    #expect(instance.multiStore.instance.storesAreSame == sameDatabase)
    #expect(instance.multiStore.routing(orNotify: Sink())?.isDual == !sameDatabase)
    #expect(instance.multiStore.status.defaultStore == (sameDatabase ? .secondary : .primary))
    let gauge = try instance.metrics.expectGauge(MultiStoreMetrics.sameStore.name, [("instance_name", "sessions")])
    #expect(gauge.lastValue == (sameDatabase ? 1 : 0))
    let message = "Primary and secondary are the same server and database: both feature flags count as off"
    #expect(instance.messages.count { $0 == message } == (sameDatabase ? 1 : 0))
  }

  @Test("Without a primary the instance passes everything through, whatever its flags say")
  func passThrough() throws {
    let instance = try Instance(dual: true, primaryAsDefault: true) { $0.primary = nil }
    #expect(!instance.multiStore.hasPrimary)
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(try instance.execute("GET k", "GET l") == "$1|v|$-1|")
    #expect(try instance.secondary.command("GET", "k") == .text("v"))
    #expect(instance.multiStore.store(.primary) === instance.database.secondary)
    instance.multiStore.methodMissing(.info)
    #expect(instance.count(MultiStoreMetrics.methodMissing) == nil, "there is nothing to migrate to")
  }

  @Test("An unlisted command is counted and logged under its name; INFO is counted nowhere")
  func methodMissing() throws {
    let instance = try Instance()
    instance.multiStore.methodMissing(CommandTable.lookup(Array("latency".utf8).span))
    instance.multiStore.methodMissing(.other)
    instance.multiStore.methodMissing(.info)
    instance.multiStore.methodMissing(.get)
    #expect(instance.count(MultiStoreMetrics.methodMissing) == 2)
    #expect(instance.count(MultiStoreMetrics.methodMissing, ["command": "latency"]) == 1)
    #expect(instance.count(MultiStoreMetrics.methodMissing, ["command": "other"]) == 1)
    let events = instance.events("Gitlab::Redis::MultiStore::MethodMissingError")
    #expect(events.map { $0["extra.command_name"] } == ["latency", "other"])
    let message = "Method missing. Falling back to execute method on the redis default store."
    #expect(events.allSatisfy { $0["message"] == message })
  }

  @Test("The gauges follow the stores")
  func gauges() throws {
    let instance = try Instance()
    let labels = { (store: String) in [("instance_name", "sessions"), ("store", store)] }
    func gauge(_ metric: MultiStoreMetric, _ store: String) throws -> Double? {
      try instance.metrics.expectGauge(metric.name, labels(store)).lastValue
    }
    #expect(try gauge(MultiStoreMetrics.storeUp, "primary") == 1)
    #expect(try gauge(MultiStoreMetrics.storeUp, "secondary") == 1)
    #expect(try gauge(MultiStoreMetrics.defaultStore, "secondary") == 1)
    #expect(try gauge(MultiStoreMetrics.defaultStore, "primary") == 0)
    try instance.takeDown(.primary)
    #expect(try gauge(MultiStoreMetrics.storeUp, "primary") == 0)
    try instance.execute("SET k v")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    // Nothing is executed after the flip.
    try instance.run { (try? gauge(MultiStoreMetrics.defaultStore, "primary")) == 1 }
    #expect(try gauge(MultiStoreMetrics.defaultStore, "secondary") == 0)
    #expect(try gauge(MultiStoreMetrics.staleKeys, "primary") == 1)
    let status = instance.multiStore.status
    #expect(status.problem(with: .secondary) == nil && status.problem(with: .primary) != nil)
  }

  @Test("Sessions may have so many connections of their own, and no more")
  func dedicatedConnections() throws {
    let instance = try Instance { $0.dedicatedConnectionLimit = 1 }
    let store = instance.database.secondary
    let connection = try #require(store.openDedicated())
    #expect(store.openDedicated() == nil)
    #expect(!store.owns(connection) && store.owns(store.ordinary) && store.owns(store.isolated))
    let labels = [("instance_name", "sessions"), ("store", "secondary")]
    let open = try instance.metrics.expectGauge(MultiStoreMetrics.dedicatedConnections.name, labels)
    let limit = try instance.metrics.expectGauge(MultiStoreMetrics.dedicatedConnectionsLimit.name, labels)
    try instance.run { open.lastValue == 1 }
    #expect(limit.lastValue == 1)
    #expect(connection.limits.commandTimeout == nil)
    store.closeDedicated(connection)
    let another = try #require(store.openDedicated(hasDeadline: true))
    #expect(another.limits.commandTimeout == store.ordinary.limits.commandTimeout)
    store.closeDedicated(another)
    try instance.run { open.lastValue == 0 }
  }

  @Test("A flip waits until earlier writes have reached both stores")
  func flipWaits() throws {
    let instance = try Instance()
    instance.primaryServer.pause()
    let early = instance.begin("SET k early")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    let late = instance.begin("SET k late")
    try instance.run { instance.database.primary?.ordinary.inFlightCount == 1 }
    #expect(!early.isDone && !late.isDone && instance.multiStore.defaultStore.role == .secondary)
    instance.primaryServer.resume()
    try instance.run { late.isDone }
    #expect(early.text == "+OK|" && late.text == "+OK|" && instance.multiStore.defaultStore.role == .primary)
    for client in [instance.primary, instance.secondary] { #expect(try client.command("GET", "k") == .text("late")) }
  }

  @Test("A store that hangs keeps nobody from leaving it for longer than the limit")
  func flipOfHangingStore() throws {
    let instance = try Instance()
    instance.multiStore.instance.routingState.holdLimit = .seconds(1)
    instance.primaryServer.pause()
    defer { instance.primaryServer.resume() }
    let stuck = instance.begin("SET k v")
    try instance.run { instance.database.primary?.ordinary.inFlightCount == 1 }
    instance.multiStore.flags.exchange(FlagState())
    let late = instance.begin("SET k late")
    try instance.run { late.isDone }
    #expect(late.text == "+OK|" && !stuck.isDone)
    #expect(instance.messages.contains { $0.hasPrefix("Feature flags in force before all earlier writes were done") })
  }
}
