import TestSupport

/// A real Alertmanager of a test's own, on a free port and without a cluster; gone with the object.
final class AlertmanagerServer: Sendable {
  let port: UInt16
  private let directory: TemporaryDirectory
  private let process: ChildProcess

  /// Starts it and waits until it is ready.
  ///
  /// - Throws: ``TestSupportError``: `process` with its log if it does not become ready.
  init(configuration: String) throws {
    directory = try TemporaryDirectory()
    port = try freePort()
    process = try startServer(
      "prometheus-alertmanager",
      [
        "--config.file=\(try directory.write(configuration, to: "alertmanager.yml"))",
        "--storage.path=\(directory.path("data"))", "--web.listen-address=127.0.0.1:\(port)",
        "--cluster.listen-address=",
      ],
      port: port,
      log: directory.path("log")
    )
  }
}
