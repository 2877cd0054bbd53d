internal import Foundation
internal import Synchronization

/// A master with replicas, and sentinels that watch it, all real and on ports of 127.0.0.1.
///
/// Everything is up and known to each other when the initialiser returns, and gone with the object.
public final class SentinelFleet: Sendable {
  /// The name under which the sentinels watch the master.
  public static let name = "sessions-master"

  /// The servers; the first one was the master at the start.
  public let servers: [RedisServer]
  /// The plain ports of the sentinels.
  public let ports: [UInt16]
  /// The ports at which the sentinels say that the servers are.
  public let serverPorts: [UInt16]

  /// The ports for the sidecar.
  private let sentinelPorts: [UInt16]

  private let directory: TemporaryDirectory
  private let sentinels: [ChildProcess]
  private let addedSentinels = Mutex<[ChildProcess]>([])
  /// The lines of each sentinel's configuration that all have.
  private let lines: [String]
  private let sentinelPassword: String?

  /// Starts servers and sentinels.
  ///
  /// - Parameters:
  ///   - password: Password of the servers.
  ///   - sentinelPassword: Password of the sentinels.
  ///   - downAfter: The silence after which the master counts as down, in milliseconds.
  ///   - settings: Further lines of the servers' configuration.
  ///   - tls: The certificate of all servers and sentinels, whose ports speak TLS then, and its authority.
  /// - Throws: ``TestSupportError``.
  public init(
    servers count: Int = 3,
    sentinels sentinelCount: Int = 3,
    password: String? = nil,
    sentinelPassword: String? = nil,
    downAfter: Int = 500,
    settings: [String] = [],
    tls: (certificate: CertificateAuthority.Certificate, authority: CertificateAuthority)? = nil
  ) throws {
    self.sentinelPassword = sentinelPassword
    directory = try TemporaryDirectory()
    // A replica gets its first copy at once, instead of waiting for others to join.
    let common =
      settings + ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
      + (password.map { ["masterauth \"\($0)\""] } ?? [])
    let security = tls.map { certificate, authority in
      [
        "tls-cert-file \(certificate.certificate)", "tls-key-file \(certificate.key)",
        "tls-ca-cert-file \(authority.certificate)", "tls-auth-clients no", "tls-replication yes",
      ]
    }
    var servers: [RedisServer] = []
    var serverPorts: [UInt16] = []
    for _ in 0..<count {
      let tlsPort = try tls.map { _ in try freePort() }
      let lines = (security ?? []) + (tlsPort.map { ["tls-port \($0)"] } ?? [])
      let follows = serverPorts.first.map { ["replicaof 127.0.0.1 \($0)"] } ?? []
      servers.append(try RedisServer(password: password, tcp: true, settings: common + lines + follows))
      serverPorts.append(tlsPort ?? servers[servers.count - 1].port!)
    }
    (self.servers, self.serverPorts) = (servers, serverPorts)
    ports = try (0..<sentinelCount).map { _ in try freePort() }
    sentinelPorts = tls == nil ? ports : try ports.map { _ in try freePort() }
    var lines = [
      "sentinel monitor \(Self.name) 127.0.0.1 \(serverPorts[0]) \(sentinelCount / 2 + 1)",
      "sentinel down-after-milliseconds \(Self.name) \(downAfter)", "sentinel failover-timeout \(Self.name) 3000",
    ]
    if let password { lines.append("sentinel auth-pass \(Self.name) \(password)") }
    if let sentinelPassword {
      lines += ["requirepass \(sentinelPassword)", "sentinel sentinel-pass \(sentinelPassword)"]
    }
    lines += security ?? []
    self.lines = lines
    let directory = directory
    sentinels = try zip(ports, sentinelPorts).map { port, tlsPort in
      var text = ["port \(port)", "bind 127.0.0.1", "dir \(directory.path)", "logfile sentinel-\(port).log"] + lines
      if tlsPort != port { text.append("tls-port \(tlsPort)") }
      let file = try directory.write(text.joined(separator: "\n") + "\n", to: "sentinel-\(port).conf")
      return try ChildProcess("redis-server", [file, "--sentinel"])
    }
    let all = sentinelCount - 1
    for port in ports {
      try eventually("sentinel \(port) knows the others and the replicas") {
        let master = try Self.fields(sentinel(port).command("SENTINEL", "MASTER", Self.name))
        return master["num-other-sentinels"] == "\(all)" && master["num-slaves"] == "\(count - 1)"
      }
    }
    try awaitReplicas()
  }

  /// The value of the setting `sentinel`.
  ///
  /// - Parameters:
  ///   - first: how many of the sentinels are named; the others have to be found.
  ///   - more: further keys, such as `, database: 1`.
  public func yaml(first: Int = 2, _ more: String = "") -> String {
    let nodes = sentinelPorts.prefix(first).map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
    let password = sentinelPassword.map { ", password: \"\($0)\"" } ?? ""
    return "{ master: \(Self.name), nodes: [\(nodes)]\(password)\(more) }"
  }

  /// A connection to a sentinel.
  public func sentinel(_ port: UInt16) throws -> RESPClient {
    let client = try RESPClient(.port(port))
    if let sentinelPassword { _ = try client.command("AUTH", sentinelPassword) }
    return client
  }

  /// The server that a sentinel calls the master.
  ///
  /// - Throws: ``TestSupportError`` if it is none of the servers.
  public func master() throws -> RedisServer {
    let reply = try sentinel(ports[0]).command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name)
    guard let index = serverPorts.firstIndex(where: { reply == Self.address($0) }) else {
      throw TestSupportError(.malformed, "the sentinel answered \(reply)")
    }
    return servers[index]
  }

  /// Has the sentinels make another server the master, and waits until all of them say so.
  ///
  /// - Returns: the former master.
  @discardableResult
  public func failOver() throws -> RedisServer {
    let former = try master()
    try eventually("the failover begins", within: Self.failoverLimit) {
      try sentinel(ports[0]).command("SENTINEL", "FAILOVER", Self.name) == .ok
    }
    try awaitFailover(from: former)
    return former
  }

  /// The time that a failover may take: sentinels whose timers were late do nothing for half a minute (TILT), and a
  /// vote without a majority is repeated after twice the timeout of failovers.
  public static let failoverLimit = Duration.seconds(180)

  /// Waits until all sentinels name another master than `former`.
  public func awaitFailover(from former: RedisServer) throws {
    for port in ports {
      try eventually("sentinel \(port) names another master", within: Self.failoverLimit) {
        let reply = try sentinel(port).command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name)
        return !zip(servers, serverPorts).contains { $0 === former && reply == Self.address($1) }
      }
    }
  }

  /// Waits until the replicas have all that the master has.
  public func awaitReplicas() throws {
    try eventually("the replicas have followed") {
      let lines = try master().client().command("INFO", "replication").string ?? ""
      return lines.matches(of: /state=online/).count == servers.count - 1
    }
  }

  /// Starts another sentinel, and waits until all know of each other.
  public func addSentinel() throws {
    let port = try freePort()
    let text = ["port \(port)", "bind 127.0.0.1", "dir \(directory.path)", "logfile sentinel-\(port).log"] + lines
    let file = try directory.write(text.joined(separator: "\n") + "\n", to: "sentinel-\(port).conf")
    let process = try ChildProcess("redis-server", [file, "--sentinel"])
    addedSentinels.withLock { $0.append(process) }
    for other in [port] + ports {
      try eventually("sentinel \(other) knows the others") {
        let count = try Self.fields(sentinel(other).command("SENTINEL", "MASTER", Self.name))["num-other-sentinels"]
        return count == "\(ports.count)"
      }
    }
  }

  /// Stops a sentinel from answering (SIGSTOP); its connections stay.
  public func pauseSentinel(_ index: Int) { sentinels[index].signal(SIGSTOP) }

  /// Kills a sentinel.
  public func killSentinel(_ index: Int) {
    sentinels[index].kill()
  }

  /// The sentinels' logs, for a failed test.
  public var log: String {
    ports.map { (try? directory.read("sentinel-\($0).log")) ?? "" }.joined(separator: "\n")
  }

  private static func address(_ port: UInt16) -> RESPReply { .array([.text("127.0.0.1"), .text("\(port)")]) }

  private static func fields(_ reply: RESPReply) throws -> [String: String] {
    guard case .array(let elements?) = reply else { throw TestSupportError(.malformed, "\(reply)") }
    let words = elements.map { $0.string ?? "" }
    let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
    return Dictionary(pairs) { first, _ in first }
  }
}
