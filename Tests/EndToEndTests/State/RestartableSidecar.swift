import TestSupport

/// A sidecar that is stopped or killed and started again between the same stores, with flags and stale keys in files.
final class RestartableSidecar {
  let primary: RedisServer
  let secondary: RedisServer
  let directory: TemporaryDirectory
  private let configuration: String
  private(set) var sidecar: SidecarProcess

  /// Starts stores and sidecar, and waits until they are connected.
  ///
  /// - Parameters:
  ///   - instance: further lines of the instance; a test that pauses the other store gives it an `other_store_timeout`,
  ///     which is a minute otherwise.
  ///   - stateDirectory: where stale keys are; a folder of its own if nil.
  init(
    _ state: MigrationState = .dual,
    instance: [String] = [],
    stateDirectory: (TemporaryDirectory) -> String = { $0.path("state") }
  ) throws {
    primary = try RedisServer()
    secondary = try RedisServer()
    // Flags and stale keys are written through to the disk.
    directory = try TemporaryDirectory(in: "/dev/shm")
    try directory.write(Deployment.flags(state), to: "flags.yml")
    configuration = Deployment.configuration(
      in: directory,
      primary: primary.url,
      secondary: secondary.url,
      instance: instance,
      stores: "command_timeout: 60s",
      top: ["state_directory: \"\(stateDirectory(directory))\""]
    )
    sidecar = try SidecarProcess(configuration: configuration, in: directory)
    try waitUntilConnected()
  }

  /// The file of stale keys.
  var file: String { directory.path("state/sessions.stale") }

  /// Starts it again after it was stopped or killed.
  func start() throws {
    sidecar = try SidecarProcess(configuration: configuration, in: directory)
    try waitUntilConnected()
  }

  /// Ends it with SIGTERM.
  func stop() throws {
    let exit = try sidecar.terminate()
    guard exit == .status(0) else { throw TestSupportError(.process, "the sidecar ended with \(exit)") }
  }

  /// A second sidecar with the same folder of stale keys, and its own socket.
  func second() throws -> SidecarProcess {
    let other = try TemporaryDirectory(in: "/dev/shm")
    let listen = { (directory: TemporaryDirectory) in directory.path("sessions.sock") }
    let configuration = configuration.replacing(listen(directory), with: listen(other))
    return try SidecarProcess(configuration: configuration, in: other)
  }

  func client() throws -> RESPClient { try sidecar.client(instance: "sessions") }

  func metric(_ name: String, _ labels: [String: String] = [:]) throws -> Double? {
    try sidecar.metrics()[name, labels.merging(["instance_name": "sessions"]) { $1 }]
  }

  func waitForMetric(_ name: String, _ labels: [String: String] = [:], _ value: Double) throws {
    try eventually("\(name) \(labels) is \(value)") { try metric(name, labels) == value }
  }

  private func waitUntilConnected() throws {
    try sidecar.waitForStores()
  }
}
