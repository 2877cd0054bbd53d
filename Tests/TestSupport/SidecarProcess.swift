internal import Foundation

/// The sidecar's own executable, run with a configuration in a folder of its own.
///
/// It listens on all its addresses when the initialiser returns, and is gone with the object. Any thread may use it.
public final class SidecarProcess: Sendable {
  /// The folder with its configuration and its admin socket.
  public let directory: TemporaryDirectory
  /// Its standard error: the JSON log, unless `--log.file` says otherwise.
  public let log: LogLines
  /// Its standard output.
  public let output: LogLines
  /// The process.
  public let process: ChildProcess

  /// Starts the sidecar and waits until it listens.
  ///
  /// The metrics port is a free one and the admin API a unix socket, unless `arguments` say otherwise.
  ///
  /// - Parameters:
  ///   - configuration: The YAML text.
  ///   - directory: Where the configuration goes; a new folder if nil.
  ///   - arguments: Further flags, in the form `--name=value`.
  ///   - environment: Added to the test's own environment.
  ///   - descriptors: How many files it may have open; as many as the test if nil.
  ///   - waits: Whether to wait until the metrics, the admin API and all instances listen.
  /// - Throws: ``TestSupportError``: `closed` with the log if it ended, `timedOut` if it never listened.
  public init(
    configuration: String,
    in directory: TemporaryDirectory? = nil,
    arguments: [String] = [],
    environment: [String: String] = [:],
    descriptors: Int? = nil,
    waits: Bool = true
  ) throws {
    let directory = try directory ?? TemporaryDirectory()
    self.directory = directory
    let file = try directory.write(configuration, to: "sidecar.yml")
    let defaults = [
      "--config.file=\(file)", "--web.listen-address=127.0.0.1:0",
      "--admin.listen-address=unix:\(directory.path("admin.sock"))", "--log.file=-",
    ]
    let given = Set(arguments.map(Self.flagName))
    let all = defaults.filter { !given.contains(Self.flagName($0)) } + arguments
    let limited = descriptors.map { ["-c", "ulimit -n \($0) && exec \"$0\" \"$@\"", Self.executablePath] }
    (process, output, log) = try ChildProcess.captured(
      limited == nil ? Self.executablePath : "/bin/sh",
      (limited ?? []) + all,
      environment: environment
    )
    guard waits else { return }
    let listeners = ["metrics", "admin"] + Self.instanceNames(in: configuration).map { "instance:\($0)" }
    for listener in listeners { _ = try address(of: listener) }
  }

  /// Runs the executable until it ends by itself: `check-config`, `feature`, `--version`, and starts that must fail.
  ///
  /// - Throws: ``TestSupportError``: `timedOut` if it does not end.
  public static func run(
    _ arguments: [String],
    environment: [String: String] = [:],
    within limit: Duration = waitLimit
  ) throws -> ProcessOutcome {
    try ChildProcess.run(executablePath, arguments, environment: environment, within: limit)
  }

  /// The executable: the environment variable MULTISTORE_EXPORTER, else the one built beside the tests.
  public static var executablePath: String {
    if let path = ProcessInfo.processInfo.environment["MULTISTORE_EXPORTER"] { return path }
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("multistore-exporter").path
  }

  /// The instances named in a configuration, in its order, found by their `- name:` lines.
  static func instanceNames(in configuration: String) -> [String] {
    configuration.matches(of: /(?m)^\s*-\s*name:\s*"?([a-z0-9_]+)/).map { String($0.1) }
  }

  /// The real address of a listener, `instance:NAME`, `metrics` or `admin`, from its "listening" event; waited for.
  ///
  /// - Throws: ``TestSupportError`` if it does not listen.
  public func address(of listener: String) throws -> SocketAddress {
    let line = try log.wait(for: "\"listening\" event of \(listener)") {
      $0["listener"]?.string == listener && $0["address"] != nil
    }
    let text = line["address"]?.string.map { $0.hasPrefix("tls:") ? String($0.dropFirst("tls:".count)) : $0 }
    guard let address = text.flatMap({ SocketAddress($0) }) else {
      throw TestSupportError(.malformed, "no address in \(line)")
    }
    return address
  }

  /// A new connection to an instance's (first) listener.
  public func client(instance: String, limit: Duration = waitLimit) throws -> RESPClient {
    try RESPClient(address(of: "instance:\(instance)"), limit: limit)
  }

  /// A GET of the metrics server.
  public func get(_ path: String, headers: [String: String] = [:]) throws -> HTTPResponse {
    try HTTPClient.request("GET", path, of: address(of: "metrics"), headers: headers)
  }

  /// A scrape of `/metrics`.
  ///
  /// - Throws: ``TestSupportError``, also for any status but 200.
  public func metrics() throws -> MetricsSnapshot {
    let response = try get("/metrics")
    guard response.status == 200 else { throw TestSupportError(.malformed, "/metrics answered \(response.status)") }
    return try MetricsSnapshot(parsing: response.text)
  }

  /// A request to the admin API.
  public func admin(
    _ method: String,
    _ path: String,
    form: KeyValuePairs<String, String> = [:],
    headers: [String: String] = [:]
  ) throws -> HTTPResponse {
    try HTTPClient.request(method, path, of: address(of: "admin"), headers: headers, form: form)
  }

  /// Sets a feature flag through the admin API, forced if the default store moves to outdated keys; in force when this
  /// returns.
  ///
  /// - Throws: ``TestSupportError``, also when the API refuses.
  public func setFlag(_ name: String, _ value: Bool) throws {
    let response = try admin("POST", "/api/v4/features/\(name)", form: ["value": String(value), "force": "true"])
    guard (200..<300).contains(response.status) else {
      throw TestSupportError(.process, "setting \(name) answered \(response.status): \(response.text)")
    }
  }

  /// Waits for a log event; earlier ones count as well.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` if the process ended before.
  @discardableResult
  public func waitForEvent(
    _ what: String = "such event",
    within limit: Duration = waitLimit,
    where matches: (LogLine) -> Bool
  ) throws -> LogLine {
    try log.wait(for: what, within: limit, where: matches)
  }

  /// Waits until both stores of its instance are connected.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` if the process ended before.
  public func waitForStores() throws {
    for store in ["primary", "secondary"] {
      try waitForEvent("connection to the \(store)") {
        $0.message == "Store connected" && $0["store"]?.string == store
      }
    }
  }

  /// Asks it to end (SIGTERM), waits, and returns how it ended; the log is complete then.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  @discardableResult
  public func terminate(within limit: Duration = waitLimit) throws -> ChildProcess.Exit {
    let exit = try process.terminate(within: limit)
    try log.waitForEnd()
    try output.waitForEnd()
    return exit
  }

  /// Kills it at once (SIGKILL).
  public func kill() { process.kill() }

  private static func flagName(_ argument: String) -> Substring { argument.prefix { $0 != "=" } }
}
