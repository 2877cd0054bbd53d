import Foundation
import FuzzChecks
import Sidecar
import TestSupport

/// A whole sidecar in this process, between two real Redis servers, for as long as the process lives.
final class SidecarUnderTest: Sendable {
  static let shared: SidecarUnderTest = {
    do {
      return try SidecarUnderTest()
    } catch {
      fatalError("the sidecar can't be started: \(error)")
    }
  }()

  /// What would change a server for all inputs that follow, or lead away from this machine.
  private static let disabled = ["ACL", "CONFIG", "DEBUG", "MIGRATE", "MODULE", "SHUTDOWN", "REPLICAOF", "FAILOVER"]
  /// A change of flags may wait for a second, and a store that is busy for less than its timeout.
  static let patience = Duration.seconds(20)

  private let primary: RedisServer
  private let secondary: RedisServer
  private let directory: TemporaryDirectory
  private let flags = ["use_primary_and_secondary_stores_for_fuzz", "use_primary_store_as_default_for_fuzz"]

  private init() throws {
    let settings = Self.disabled.map { "rename-command \($0) \"\"" }
    let (primary, secondary) = (try RedisServer(settings: settings), try RedisServer(settings: settings))
    let directory = try TemporaryDirectory()
    (self.primary, self.secondary, self.directory) = (primary, secondary, directory)
    let configuration = """
      instances:
        - name: fuzz
          listen: "unix:\(directory.path("fuzz.sock"))"
          primary: { url: "\(primary.url)", command_timeout: 2s }
          secondary: { url: "\(secondary.url)", command_timeout: 2s }
          allow_flush: true
          recheck_diffs: true
          max_bulk_bytes: 1MiB
          max_arguments: 1000
      """
    let file = try directory.write(configuration, to: "sidecar.yml")
    let options = SidecarOptions(
      webListenAddresses: ["unix:\(directory.path("web.sock"))"],
      adminListenAddress: "unix:\(directory.path("admin.sock"))",
      logLevel: "critical",
      logFile: directory.path("sidecar.log")
    )
    let thread = Thread {
      do {
        let result = SidecarConfiguration.load(file: file)
        guard let configuration = result.configuration else { fatalError("\(result.problems)") }
        try Sidecar(configuration: configuration, options: options).run()
      } catch {
        fatalError("the sidecar ended: \(error)")
      }
    }
    thread.name = "sidecar"
    thread.start()
    try eventually("the sidecar is ready") {
      try HTTPClient.request("GET", "/-/ready", of: .unix(directory.path("web.sock"))).status == 200
    }
  }

  /// A new client's connection.
  func connect() throws -> Socket {
    try Socket(connectingTo: .unix(directory.path("fuzz.sock")))
  }

  /// Sets both flags by the lowest bits of `state`.
  func setFlags(_ state: UInt8) throws {
    for (bit, flag) in flags.enumerated() {
      let value = state >> UInt8(bit) & 1 == 1 ? "true" : "false"
      let path = "/api/v4/features/\(flag)"
      let admin = SocketAddress.unix(directory.path("admin.sock"))
      let answer = try HTTPClient.request("POST", path, of: admin, form: ["value": value, "force": "true"])
      guard answer.status == 201 else { throw FuzzProblem("the flag \(flag) was not set: \(answer.text)") }
    }
  }

  /// Throws unless every client is forgotten soon.
  func expectNoClients() throws {
    do {
      try eventually("no client is left") {
        let page = try HTTPClient.request("GET", "/metrics", of: .unix(directory.path("web.sock")))
        let metrics = try MetricsSnapshot(parsing: page.text)
        return metrics["multistore_client_connections", ["instance_name": "fuzz"]] == 0
      }
    } catch {
      throw FuzzProblem("clients that are gone are still counted: \(error)")
    }
  }

  /// Memory of this process that is in use, in bytes.
  static var residentBytes: Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
  }
}
