import InMemoryLogging
import Logging
import MetricsTestKit
import MultiStore
import TestSupport

/// A client between two real servers, with the metrics and events that it records.
final class ClientHarness: Sendable {
  /// A limit that no test is to reach. Tests that block hold the few threads on which others await something, some of
  /// them for minutes.
  static let patience = Duration.seconds(300)

  let primary: RedisServer
  let secondary: RedisServer
  let flags = FeatureFlags(instanceName: "sessions")
  let client: MultiStoreClient
  let metrics = TestMetrics()
  let log = InMemoryLogHandler()

  init(
    dual: Bool = false,
    primaryAsDefault: Bool = false,
    commandTimeout: Duration = .seconds(5),
    maxInFlightCommands: Int = MultiStoreClient.defaultMaxInFlightCommands,
    configure: (inout MultiStoreConfiguration) -> Void = { _ in }
  ) async throws {
    let (primary, secondary) = (try RedisServer(), try RedisServer())
    self.primary = primary
    self.secondary = secondary
    func store(_ server: RedisServer) -> MultiStoreConfiguration.Store {
      let limits = ConnectionLimits(
        connectTimeout: max(.seconds(5), commandTimeout),
        commandTimeout: commandTimeout,
        backoffBase: .milliseconds(20)
      )
      return .init(endpoint: StoreEndpoint(address: .unix(path: server.socketPath)), limits: limits)
    }
    var configuration = MultiStoreConfiguration(name: "sessions", primary: store(primary), secondary: store(secondary))
    configuration.otherStoreTimeout = commandTimeout
    // On a busy machine a test may take so long that they would mend what it has made different.
    configuration.settledChecksPerSecond = 0
    configure(&configuration)
    flags.exchange(FlagState(dualWrite: dual, primaryAsDefault: primaryAsDefault))
    client = try MultiStoreClient(
      configuration: configuration,
      flags: flags,
      logger: Logger(label: "test") { [log] _ in log },
      metricsFactory: metrics,
      maxInFlightCommands: maxInFlightCommands
    )
    // The same-store guard has looked at both stores when both are there.
    try await soon("both stores are connected") {
      client.status.problem(with: .primary) == nil && client.status.problem(with: .secondary) == nil
    }
  }

  func server(_ role: StoreRole) -> RedisServer { role == .primary ? primary : secondary }

  /// Asks one of the servers, past the client.
  func ask(_ role: StoreRole, _ words: String...) throws -> RESPReply {
    try server(role).client().command(words)
  }

  /// The commands that a server has executed since it was started, its own names for them.
  func commandsSeen(by role: StoreRole) throws -> Set<String> {
    let statistics = try ask(role, "INFO", "commandstats").string ?? ""
    return Set(statistics.matches(of: /cmdstat_([^:]+):/).map { String($0.1) })
  }

  /// Waits until a call is blocked on one of the servers, and none on the other one.
  func waitUntilBlocked(on role: StoreRole) async throws {
    try await soon("a call is blocked on the \(role) store alone") {
      try StoreRole.allCases.allSatisfy { store in
        let clients = try ask(store, "INFO", "clients").string ?? ""
        return clients.contains("blocked_clients:\(store == role ? 1 : 0)\r\n")
      }
    }
  }

  /// The sum of a counter over all series of an instance that have these labels; 0 if there are none.
  func count(_ name: String, _ labels: (String, String)...) -> Int {
    metrics.counters.filter { counter in
      counter.label == name && labels.allSatisfy { label in counter.dimensions.contains { $0 == label } }
    }.reduce(0) { $0 + Int($1.totalValue) }
  }

  /// Whether a message that begins like this was logged.
  func hasLogged(_ beginning: String) -> Bool { log.entries.contains { "\($0.message)".hasPrefix(beginning) } }

  /// The commands of the events of one class, in the order they were logged.
  func events(_ exceptionClass: String) -> [String] {
    log.entries.filter { "\($0.metadata["exception.class"] ?? "")".hasSuffix(exceptionClass) }
      .map { "\($0.metadata["extra.command_name"] ?? "")" }
  }
}

/// The code of the error that `body` throws; nil if it throws none.
func code(of body: () async throws(MultiStoreError) -> Void) async -> MultiStoreError.Code? {
  do {
    try await body()
    return nil
  } catch {
    return error.code
  }
}

/// `eventually` as a call that never blocks the thread, whatever the condition is.
func soon(
  _ what: String,
  fileID: String = #fileID,
  line: Int = #line,
  _ condition: () async throws -> Bool
) async throws {
  try await eventually(what, fileID: fileID, line: line) { try await condition() }
}
