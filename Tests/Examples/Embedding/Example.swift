internal import Logging
internal import MultiStore
internal import PrometheusExposition

/// A Swift program that moves its data from one Redis to another while it works.
///
/// `MultiStoreExample OLD NEW`, each a `unix:///path` or `redis://host:port`. Without arguments the environment's
/// `OLD_REDIS_URL` and `NEW_REDIS_URL` say where the stores are. `OTHER_STORE_TIMEOUT_SECONDS` is for slow machines.
/// It prints its results; messages and events go to standard error.
@main
struct Example {
  /// Any swift-metrics backend does. This one prints the text that Prometheus would scrape.
  private let registry: PrometheusRegistry
  private let flags: FeatureFlags
  private let sessions: MultiStoreClient

  static func main() async throws {
    let (old, new) = try StoreURLs.fromCommandLine()
    let example = try Example(old: old, new: new)
    do {
      try await example.run()
      await example.sessions.close()
    } catch {
      await example.sessions.close()
      throw error
    }
  }

  private init(old: StoreEndpoint, new: StoreEndpoint) throws {
    registry = PrometheusRegistry()
    flags = FeatureFlags(instanceName: "sessions")
    var configuration = MultiStoreConfiguration(
      name: "sessions",
      primary: .init(endpoint: new),
      secondary: .init(endpoint: old)
    )
    if let timeout = StoreURLs.otherStoreTimeout { configuration.otherStoreTimeout = timeout }
    sessions = try MultiStoreClient(
      configuration: configuration,
      flags: flags,
      logger: Logger(label: "sessions") { StreamLogHandler.standardError(label: $0) },
      metricsFactory: registry
    )
  }

  private func run() async throws {
    print("1. Both flags are off: the old store does everything.")
    try await sessions.send(.set("user:1", "Ada", expiry: .seconds(3600)))
    let visits = try await sessions.send(.incr("visits"))
    print("   visits: \(visits)")

    print("2. Dual writes: both stores are written, reads fall back to the old one.")
    flags.exchange(FlagState(dualWrite: true))
    let name = try await sessions.send(.get("user:1", as: String.self))
    print("   user:1 is \(name ?? "nobody"), whom only the old store knows")
    let (isNew, fields) = try await sessions.pipelined(
      .hset("cart:1", "apples", 3),
      .hgetall("cart:1", as: Int.self)
    )
    print("   pipeline: new field \(isNew), apples \(fields["apples"] ?? 0)")
    let (length, jobs) = try await sessions.multi(
      .rpush("jobs", "mail", "invoice"),
      .lrange("jobs", as: String.self)
    )
    print("   transaction: \(length) jobs, \(jobs.joined(separator: " and "))")
    do {
      _ = try await sessions.send(.incr("user:1"))
    } catch {
      guard error.code == .errorReply else { throw error }
      print("   error reply: \(error.message)")
    }

    print("3. The new store is the default.")
    flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    try await sessions.send(.set("user:2", "Grace"))
    print("   default store: \(sessions.status.defaultStore.label)")

    print("4. Dual writes are off: the new store does everything.")
    flags.exchange(FlagState(primaryAsDefault: true))
    try await sessions.send(.del("user:2"))
    printMetrics()
  }

  private func printMetrics() {
    print("What was counted:")
    let page = String(decoding: registry.exposition(.text004), as: UTF8.self)
    for line in page.split(separator: "\n") {
      let isWanted = line.hasPrefix("gitlab_redis_multi_store_") || line.hasPrefix("multistore_commands_total")
      if isWanted, !line.hasSuffix(" 0") { print("   \(line)") }
    }
  }
}
