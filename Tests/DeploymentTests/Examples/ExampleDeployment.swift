import Foundation
import TestSupport
import Yams

/// A configuration of `deploy/examples`, run as it is but for its addresses and folders.
///
/// Every store that it names is a real server, with the user and the password that the example has for it.
final class ExampleDeployment: Sendable {
  /// What one instance of the example is between.
  struct Instance: Sendable {
    let name: String
    let primary: String?
    let secondary: String
    /// Whom a client has to log in as.
    let user: String?
  }

  let name: String
  let directory: TemporaryDirectory
  let instances: [Instance]
  /// The configuration with this machine's addresses in it.
  let text: String
  private let servers: [String: RedisServer]

  /// What the sidecar finds in its environment.
  var environment: [String: String] { ["CREDENTIALS_DIRECTORY": directory.path("credentials")] }

  /// Starts the stores.
  init(_ name: String) throws {
    self.name = name
    directory = try TemporaryDirectory()
    let example = try DeployFile.text("deploy/examples/\(name)")
    guard let root = try compose(yaml: example) else { throw TestSupportError(.malformed, example) }
    let named = root["stores"]?.mapping.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.key.string!, $0.value) }) }
    let store = { (node: Node) in node.string.flatMap { named?[$0] } ?? node }
    var servers: [String: RedisServer] = [:]
    instances = try (root["instances"]?.elements ?? []).map { node in
      let stores = [node["primary"], node["secondary"]].map { $0.map(store) }
      for case let store? in stores {
        let place = Self.place(store)
        if servers[place] == nil { servers[place] = try Self.start(store) }
      }
      guard let name = node["name"]?.string, let secondary = stores[1] else {
        throw TestSupportError(.malformed, example)
      }
      let user = node["users"]?.elements.first?["name"]?.string
      return Instance(name: name, primary: stores[0].map(Self.place), secondary: Self.place(secondary), user: user)
    }
    self.servers = servers
    text = Self.localized(example, servers, directory.path)
    try writeSecrets()
  }

  /// The server that the example names so.
  func server(_ place: String) -> RedisServer { servers[place]! }

  /// A password that is the same in the secret's file and on the server: the file's name tells it.
  private static func password(_ file: String) -> String {
    "pw-\(file.split(separator: "/").last!.replacing("-", with: "_"))"
  }

  /// Where the example says that a store is: `host:port`, or a socket's path.
  private static func place(_ store: Node) -> String {
    let url = store["url"]?.string ?? ""
    if url.hasPrefix("unix://") { return String(url.dropFirst("unix://".count).prefix { $0 != "?" }) }
    return String(url.dropFirst("redis://".count).prefix { $0 != "/" })
  }

  private static func start(_ store: Node) throws -> RedisServer {
    guard let password = (store["password_file"]?.string).map(password) else { return try RedisServer(tcp: true) }
    guard let user = store["username"]?.string else { return try RedisServer(password: password, tcp: true) }
    return try RedisServer(users: ["\(user) on >\(password) ~* &* +@all", "default off"], tcp: true)
  }

  private static func localized(_ example: String, _ servers: [String: RedisServer], _ folder: String) -> String {
    var text = example
    for (place, server) in servers {
      text = text.replacing("redis://\(place)", with: server.tcpURL)
      text = text.replacing("unix://\(place)", with: server.url)
    }
    text.replace(/listen: (127\.0\.0\.1|0\.0\.0\.0):64\d\d/, with: "listen: 127.0.0.1:0")
    for place in ["/etc/multistore-exporter", "/var/lib/multistore-exporter", "/run/multistore-exporter"] {
      text = text.replacing(place, with: folder)
    }
    return text
  }

  private func writeSecrets() throws {
    for folder in ["credentials", "secrets"] {
      try FileManager.default.createDirectory(atPath: directory.path(folder), withIntermediateDirectories: true)
      for name in ["redis_new", "redis_old", "redis_shop", "redis-new", "redis-old"] {
        let file = try directory.write("\(Self.password(name))\n", to: "\(folder)/\(name)")
        chmod(file, 0o600)
      }
    }
  }
}
