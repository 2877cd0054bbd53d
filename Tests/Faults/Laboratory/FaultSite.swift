import Foundation
import Synchronization
import TestSupport

/// Two real stores, the sidecar between them and the clients, and a relay before the store that is to have a fault.
///
/// Everything is up when the initialiser returns, and gone with the object.
final class FaultSite: Sendable {
  let primary: RedisServer
  let secondary: RedisServer
  let relay: FaultRelay?
  let state: FaultCase.State

  private let fault: Fault
  private let part: Fault.Part
  private let directory: TemporaryDirectory
  private let configuration: String
  private let process: Mutex<SidecarProcess>

  init(_ item: FaultCase, otherStoreTimeout: Duration?) throws {
    state = item.state
    fault = item.fault
    part = item.part
    let primaryIsFaulty = (item.part == .otherStore) == (item.state == .oldIsDefault) && item.part != .sidecar
    let server = { (isFaulty: Bool) in
      // An older server is one of Redis beside one of Valkey, whose dumps it can't read.
      let binary: RedisServer.Binary = item.fault == .older && !isFaulty ? .valkey : .redis
      let keepsData = isFaulty && item.fault.needsPersistence
      return try RedisServer(binary, settings: keepsData ? ["appendonly yes", "appendfsync no"] : [])
    }
    primary = try server(primaryIsFaulty)
    secondary = try server(!primaryIsFaulty && item.part != .sidecar)
    relay = item.fault.needsRelay ? try FaultRelay(to: (primaryIsFaulty ? primary : secondary).address) : nil
    directory = try TemporaryDirectory()
    let flags = [
      "use_primary_and_secondary_stores_for_sessions: true",
      "use_primary_store_as_default_for_sessions: \(item.state == .newIsDefault)",
    ]
    try directory.write(flags.joined(separator: "\n") + "\n", to: "flags.yml")
    let urls = [primary.url, secondary.url]
    let viaRelay = relay.map { primaryIsFaulty ? [$0.url, urls[1]] : [urls[0], $0.url] } ?? urls
    var lines = [
      "instances:", "  - name: sessions", "    listen: \"unix:\(directory.path("sessions.sock"))\"",
      "    primary: { url: \"\(viaRelay[0])\" }", "    secondary: { url: \"\(viaRelay[1])\" }",
      "    write_acknowledgement: \(item.settings.acknowledgement)", "    read_policy: \(item.settings.readPolicy)",
    ]
    if let otherStoreTimeout {
      lines.append("    other_store_timeout: \(Int(otherStoreTimeout / .milliseconds(1)))ms")
    }
    lines += ["feature_flags:", "  file: \"\(directory.path("flags.yml"))\""]
    configuration = lines.joined(separator: "\n") + "\n"
    process = Mutex(try Self.start(configuration, in: directory))
  }

  /// The store whose replies the clients get.
  var defaultStore: RedisServer { state == .newIsDefault ? primary : secondary }
  /// The store that is not the default.
  var otherStore: RedisServer { state == .newIsDefault ? secondary : primary }
  /// The store that has the fault.
  var faultyStore: RedisServer { part == .defaultStore ? defaultStore : otherStore }

  /// The stores that have the application's keys from the beginning: the old one has, and the new one once it is the
  /// default. Where the other store can't read dumps it has none, so that all are copied.
  var earlierStores: [RedisServer] {
    state == .newIsDefault && fault != .older ? [primary, secondary] : [defaultStore]
  }

  /// Where clients connect to.
  var address: SocketAddress { .unix(directory.path("sessions.sock")) }

  /// The sidecar's metrics at this moment.
  func metrics() throws -> MetricsSnapshot { try process.withLock { $0 }.metrics() }

  /// The keys that the sidecar knows as stale on the other store.
  func staleKeys() throws -> Int {
    Int(try metrics().sum("multistore_stale_keys", ["store": state == .newIsDefault ? "secondary" : "primary"]))
  }

  /// Commands that are under way to the stores.
  func commandsInFlight() throws -> Int { Int(try metrics().sum("multistore_store_in_flight_commands")) }

  /// Kills the sidecar.
  func killSidecar() { process.withLock { $0.kill() } }

  /// Starts the sidecar again.
  func restartSidecar() throws {
    let started = try Self.start(configuration, in: directory)
    process.withLock { $0 = started }
  }

  private static func start(_ configuration: String, in directory: TemporaryDirectory) throws -> SidecarProcess {
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    try sidecar.waitForStores()
    return sidecar
  }
}
