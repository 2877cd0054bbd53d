import Foundation
import Synchronization
import TestSupport

/// A sidecar in the middle of a migration between two real stores, with clients that give it everything to count:
/// fallbacks, true misses, diffs, commands on no list, failed copies, blocked and listening clients. The primary is
/// reached over TLS, and so is the admin API; clients could use it too. A sentinel names the secondary.
///
/// The traffic goes on until the object goes.
final class MonitoredMigration: Sendable {
  static let dualFlag = "use_primary_and_secondary_stores_for_sessions"
  static let defaultFlag = "use_primary_store_as_default_for_sessions"
  /// Keys that only the old store has at first.
  static let oldKeys = 200

  let primary: RedisServer
  let secondary: RedisServer
  let sidecar: SidecarProcess
  private let fleet: SentinelFleet
  private let traffic = Traffic()

  /// What the thread that makes traffic has in common with the object that ends it.
  private final class Traffic: Sendable {
    let isOver = Atomic(false)
  }

  /// Starts the stores and the sidecar, turns dual writes on, and begins with the traffic.
  init() throws {
    fleet = try SentinelFleet(servers: 1, sentinels: 1)
    secondary = fleet.servers[0]
    let directory = try TemporaryDirectory()
    let authority = try CertificateAuthority("stores", in: directory)
    let own = try authority.issue("client", for: .client)
    let issued = try authority.issue("server", for: .server)
    let tls = try TLSRedis(issued, authority: authority, clients: .required)
    primary = tls.redis
    try directory.write("{}\n", to: "flags.yml")
    sidecar = try SidecarProcess(
      configuration: """
        instances:
          - name: sessions
            listen: ["unix:\(directory.path("sessions.sock"))", "tls:127.0.0.1:0"]
            tls: { cert_file: "\(issued.certificate)", key_file: "\(issued.key)" }
            primary:
              url: "\(tls.url)"
              tls: { ca_file: "\(authority.certificate)", cert_file: "\(own.certificate)", key_file: "\(own.key)" }
            secondary: { sentinel: \(fleet.yaml()) }
            recheck_diffs: true
        feature_flags:
          file: "\(directory.path("flags.yml"))"
        state_directory: "\(directory.path("state"))"
        admin: { tls: { cert_file: "\(issued.certificate)", key_file: "\(issued.key)" } }
        """,
      in: directory,
      arguments: ["--admin.listen-address=127.0.0.1:0"]
    )
    try sidecar.waitForStores()
    try fillOldStore()
    try setDualFlag(trusting: authority)
    // One flag comes from the file, so that the file has been read again.
    let reloads = "multistore_feature_flag_reloads_total"
    let before = try sidecar.metrics()[reloads] ?? 0
    try directory.write("\(Self.dualFlag): true\n\(Self.defaultFlag): false\n", to: "flags.yml")
    try eventually("the flag file is read again") { try sidecar.metrics()[reloads] ?? 0 > before }
    try failSomeCopies()
    try beginTraffic()
  }

  deinit {
    traffic.isOver.store(true, ordering: .relaxed)
  }

  /// Turns dual writes on with the command line, over TLS.
  private func setDualFlag(trusting authority: CertificateAuthority) throws {
    let address = "https://\(try sidecar.address(of: "admin"))"
    let options = ["--admin.listen-address=\(address)", "--admin.ca-file=\(authority.certificate)"]
    let outcome = try SidecarProcess.run(["feature", "set", Self.dualFlag, "true"] + options)
    guard outcome.exit == .status(0) else { throw TestSupportError(.process, outcome.errors) }
  }

  private func fillOldStore() throws {
    let client = try secondary.client()
    let commands = (0..<Self.oldKeys).map { ["SET", "old:\($0)", "value", "EX", "3600"] }
    _ = try client.pipeline(commands + [["HSET", "hash", "field", "value"], ["SET", "for ever", "value"]])
    // What a pipeline reads differently from the two stores.
    try client.command("SET", "different", "old")
    try primary.client().command("SET", "different", "new")
  }

  /// Writes that the new store refuses, for want of memory.
  private func failSomeCopies() throws {
    let administrator = try primary.client()
    try administrator.command("CONFIG", "SET", "maxmemory", "1")
    let client = try sidecar.client(instance: "sessions")
    for number in 0..<5 { try client.command("SET", "refused:\(number)", "value") }
    try administrator.command("CONFIG", "SET", "maxmemory", "0")
  }

  private func beginTraffic() throws {
    let client = try sidecar.client(instance: "sessions")
    let blocked = try sidecar.client(instance: "sessions")
    try blocked.send(RESPClient.encode(["BLPOP", "nothing here", "0"]))
    let listening = try sidecar.client(instance: "sessions")
    try listening.command("SUBSCRIBE", "channel")
    Thread.detachNewThread { [traffic] in
      var round = 0
      // A command that fails ends the traffic: the sidecar is gone, and so is the test.
      while !traffic.isOver.load(ordering: .relaxed), (try? Self.oneRound(round, of: client)) != nil { round += 1 }
      withExtendedLifetime((blocked, listening)) {}
    }
  }

  /// A few commands of each kind.
  private static func oneRound(_ round: Int, of client: RESPClient) throws {
    let key = "old:\(round % oldKeys)"
    _ = try client.command("GET", key)
    _ = try client.command("GET", "on neither")
    _ = try client.command("HGETALL", "hash")
    _ = try client.command("GET", "refused:\(round % 5)")
    _ = try client.command("SET", "new:\(round % 100)", "value", "EX", "600")
    _ = try client.command("INCR", "counter:\(round % 100)")
    _ = try client.command("TIME")
    _ = try client.pipeline([["GET", "different"], ["GET", key], ["TTL", key]])
    _ = try client.pipeline([["MULTI"], ["GET", "different"], ["INCR", "counter"], ["EXEC"]])
  }
}
