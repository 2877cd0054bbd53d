import TestSupport

/// A line of the four-state table.
enum MigrationState: CaseIterable {
  case off, dual, dualPrimary, primaryOnly

  /// What the dual write flag says.
  var isDual: Bool { self == .dual || self == .dualPrimary }
  /// What the default flag says.
  var primaryIsDefault: Bool { self == .dualPrimary || self == .primaryOnly }
}

/// The sidecar's executable with one instance, `sessions`, between two real stores and the test.
///
/// Everything is up when the initialiser returns, and gone with the object.
final class Deployment: Sendable {
  static let dualFlag = "use_primary_and_secondary_stores_for_sessions"
  static let defaultFlag = "use_primary_store_as_default_for_sessions"

  let primary: RedisServer
  let secondary: RedisServer
  let sidecar: SidecarProcess

  /// Starts the stores and the sidecar, and waits until they are connected.
  ///
  /// - Parameters:
  ///   - primaryBinary: Which server the primary is.
  ///   - secondaryBinary: Which server the secondary is.
  ///   - listen: Where the instance listens, if not on a unix socket; a YAML value.
  ///   - instance: Further lines of the instance.
  ///   - stores: Further settings of both stores, as in a YAML flow map: `command_timeout: 100ms`.
  ///   - top: Further lines of the configuration's top level.
  ///   - arguments: Further flags of the sidecar.
  ///   - flagFile: Whether flags are kept in `flags.yml`. Otherwise they are in memory: each change of the file waits
  ///     for the disk, which other processes may keep busy for longer than a test can wait.
  init(
    _ state: MigrationState = .off,
    primaryBinary: RedisServer.Binary = .redis,
    secondaryBinary: RedisServer.Binary = .redis,
    listen: String? = nil,
    instance: [String] = [],
    stores: String = "",
    top: [String] = [],
    arguments: [String] = [],
    flagFile: Bool = false
  ) throws {
    primary = try RedisServer(primaryBinary)
    secondary = try RedisServer(secondaryBinary)
    let directory = try TemporaryDirectory()
    if flagFile { try directory.write(Self.flags(state), to: "flags.yml") }
    sidecar = try SidecarProcess(
      configuration: Self.configuration(
        in: directory,
        listen: listen,
        primary: primary.url,
        secondary: secondary.url,
        instance: instance,
        stores: stores,
        top: top,
        flagFile: flagFile
      ),
      in: directory,
      arguments: arguments
    )
    try waitUntilConnected()
    if !flagFile, state != .off { try move(to: state) }
    // Flags are in force with the next command, or within a quarter of a second. A store that a test takes away sooner
    // would still have its role from before.
    if state.primaryIsDefault { try waitForMetric("multistore_default_store", ["store": "primary"], 1) }
  }

  /// A configuration with one instance that listens on a unix socket, unless `listen` is another YAML value.
  static func configuration(
    in directory: TemporaryDirectory,
    listen: String? = nil,
    primary: String?,
    secondary: String,
    instance: [String] = [],
    stores: String = "",
    top: [String] = [],
    flagFile: Bool = true
  ) -> String {
    var settings = stores.isEmpty ? "" : ", \(stores)"
    // A busy machine may stand still for longer than the default time limits on replies, 5 s and 1 s.
    if !stores.contains("command_timeout:") { settings += ", command_timeout: 60s" }
    let listen = listen ?? "\"unix:\(directory.path("sessions.sock"))\""
    var lines = ["instances:", "  - name: sessions", "    listen: \(listen)"]
    if let primary { lines.append("    primary: { url: \"\(primary)\"\(settings) }") }
    lines.append("    secondary: { url: \"\(secondary)\"\(settings) }")
    if !instance.contains(where: { $0.hasPrefix("other_store_timeout:") }) {
      lines.append("    other_store_timeout: 60s")
    }
    // Tests count the stores' commands, which are to be the clients' alone; those about settled checks ask for them.
    if !instance.contains(where: { $0.hasPrefix("settled_checks:") }) {
      lines.append("    settled_checks: { rate: 0 }")
    }
    lines += instance.map { "    \($0)" }
    if flagFile { lines += ["feature_flags:", "  file: \"\(directory.path("flags.yml"))\""] }
    return (lines + top).joined(separator: "\n") + "\n"
  }

  /// A flag file's text.
  static func flags(_ state: MigrationState) -> String {
    "\(dualFlag): \(state.isDual)\n\(defaultFlag): \(state.primaryIsDefault)\n"
  }

  /// A new connection to the sidecar.
  func client(limit: Duration = waitLimit) throws -> RESPClient {
    try sidecar.client(instance: "sessions", limit: limit)
  }

  /// Sets both flags through the admin API.
  func move(to state: MigrationState) throws {
    try sidecar.setFlag(Self.dualFlag, state.isDual)
    try sidecar.setFlag(Self.defaultFlag, state.primaryIsDefault)
  }

  /// The store that the clients' replies come from in `state`.
  func defaultStore(_ state: MigrationState) -> RedisServer { state.primaryIsDefault ? primary : secondary }

  /// A counter or gauge of the instance at this moment; nil if there is none.
  func metric(_ name: String, _ labels: [String: String] = [:]) throws -> Double? {
    try sidecar.metrics()[name, labels.merging(["instance_name": "sessions"]) { $1 }]
  }

  /// Waits until a counter or gauge of the instance has a value.
  func waitForMetric(_ name: String, _ labels: [String: String] = [:], _ value: Double) throws {
    try eventually("\(name) \(labels) is \(value)") { try metric(name, labels) == value }
  }

  /// Pauses a store that has answered everything, so that a count of commands in flight that is waited for afterwards
  /// is one of commands sent since: the gauge, published now and then, may still show an earlier command.
  func pauseOnceIdle(_ store: String) throws {
    try waitForMetric("multistore_store_in_flight_commands", ["store": store], 0)
    (store == "primary" ? primary : secondary).pause()
  }

  /// The events of an exception class that have been logged so far.
  func events(_ exceptionClass: String) -> [LogLine] {
    sidecar.log.all.filter { $0["exception.class"]?.string == exceptionClass }
  }

  /// Ends the sidecar, so that its log is complete.
  func finish() throws {
    let exit = try sidecar.terminate()
    guard exit == .status(0) else { throw TestSupportError(.process, "the sidecar ended with \(exit)") }
  }

  /// Waits until both stores have been connected at least once.
  private func waitUntilConnected() throws {
    try sidecar.waitForStores()
  }
}

/// Names that dashboards and alerts rely on.
enum MultiStoreNames {
  static let readFallback = "gitlab_redis_multi_store_read_fallback_total"
  static let pipelinedDiff = "gitlab_redis_multi_store_pipelined_diff_error_total"
  static let methodMissing = "gitlab_redis_multi_store_method_missing_total"
  static let readFromPrimaryError = "Gitlab::Redis::MultiStore::ReadFromPrimaryError"
  static let pipelinedDiffError = "Gitlab::Redis::MultiStore::PipelinedDiffError"
  static let methodMissingError = "Gitlab::Redis::MultiStore::MethodMissingError"
}

extension LogLine {
  /// GitLab's field for what MultiStore was doing when it failed.
  var multiStoreMessage: String? { self["extra.multi_store_error_message"]?.string }
}
