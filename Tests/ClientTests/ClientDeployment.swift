import TestSupport
import Testing

/// Two stores and, unless the route is direct, a sidecar between them and a client that speaks TCP.
final class ClientDeployment: Sendable {
  let route: Route
  let primary: RedisServer
  let secondary: RedisServer
  let sidecar: SidecarProcess?
  /// The certificate that the client has to trust, if it has to use TLS.
  let authority: String?

  /// Starts all of it with the flags as the route has them.
  ///
  /// - Parameter usesTLS: whether clients have to use TLS; a direct route has none.
  init(_ route: Route, usesTLS: Bool = false) throws {
    self.route = route
    // redis-cli --hotkeys asks how often keys are used.
    let settings = ["maxmemory-policy allkeys-lfu"]
    primary = try RedisServer(settings: settings)
    secondary = try RedisServer(tcp: route == .direct, settings: settings)
    guard route != .direct else {
      sidecar = nil
      authority = nil
      return
    }
    let directory = try TemporaryDirectory()
    let ca = usesTLS ? try CertificateAuthority("clients", in: directory) : nil
    let issued = try ca?.issue("server", for: .server)
    authority = ca?.certificate
    let tls = issued.map { "tls: { cert_file: \"\($0.certificate)\", key_file: \"\($0.key)\" }" } ?? ""
    try directory.write(
      """
      use_primary_and_secondary_stores_for_clients: \(route.isDual)
      use_primary_store_as_default_for_clients: \(route.primaryIsDefault)
      """,
      to: "flags.yml"
    )
    let sidecar = try SidecarProcess(
      configuration: """
        instances:
          - name: clients
            listen: "\(usesTLS ? "tls:" : "")127.0.0.1:0"
            \(tls)
            other_store_timeout: 30s
            primary: { url: "\(primary.url)", command_timeout: 30s }
            secondary: { url: "\(secondary.url)", command_timeout: 30s }
        feature_flags:
          file: "\(directory.path("flags.yml"))"
        """,
      in: directory
    )
    try sidecar.waitForStores()
    self.sidecar = sidecar
  }

  /// The port of 127.0.0.1 that the client has to talk to.
  var port: UInt16 {
    get throws {
      guard let sidecar else { return secondary.port! }
      guard case .port(let port) = try sidecar.address(of: "instance:clients") else {
        throw TestSupportError(.malformed, "the instance does not listen on a port")
      }
      return port
    }
  }

  /// Expects that the stores have what the route says, and that the sidecar has nothing to complain about.
  func expectStoresAsRouted(sourceLocation: SourceLocation) throws {
    let onPrimary = try Self.digest(of: primary)
    let onSecondary = try Self.digest(of: secondary)
    let nothing = String(repeating: "0", count: 40)
    if route.isDual {
      #expect(onPrimary == onSecondary, "the stores differ", sourceLocation: sourceLocation)
    }
    let usesPrimary = route.isDual || route.primaryIsDefault
    #expect((onPrimary != nothing) == usesPrimary, "data on the primary", sourceLocation: sourceLocation)
    let usesSecondary = route.isDual || !route.primaryIsDefault
    #expect((onSecondary != nothing) == usesSecondary, "data on the secondary", sourceLocation: sourceLocation)
    guard let metrics = try sidecar?.metrics() else { return }
    for name in [
      "gitlab_redis_multi_store_pipelined_diff_error_total", "gitlab_redis_multi_store_read_fallback_total",
      "multistore_copy_failures_total", "multistore_uncopied_writes_total", "multistore_stale_keys",
    ] {
      #expect(metrics.sum(name) == 0, "\(name)", sourceLocation: sourceLocation)
    }
  }

  /// Redis' digest of all data in all databases: equal data, equal digest, whatever the order of sets and hashes.
  private static func digest(of store: RedisServer) throws -> String {
    let reply = try store.client(limit: .seconds(30)).command("DEBUG", "DIGEST")
    guard let digest = reply.string else { throw TestSupportError(.malformed, "DEBUG DIGEST answered \(reply)") }
    return digest
  }
}
