import Foundation
import TestSupport
import Testing

@Suite("Admin API with TLS")
struct AdminAPITLSTests {
  static let flag = "use_primary_and_secondary_stores_for_sessions"

  let directory: TemporaryDirectory
  let authority: CertificateAuthority
  let store: RedisServer

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("admin", in: directory)
    store = try RedisServer()
    try install(authority.issue("server", for: .server))
  }

  func install(_ certificate: CertificateAuthority.Certificate) throws {
    try replaceFile(directory.path("cert.pem"), by: certificate.certificate)
    try replaceFile(directory.path("key.pem"), by: certificate.key)
  }

  func configuration(_ tls: String = "", token: String? = nil) -> String {
    let more = tls.isEmpty ? "" : ", \(tls)"
    let secret = token.map { "token_file: \"\($0)\", " } ?? ""
    return """
      instances:
        - name: sessions
          listen: 127.0.0.1:0
          secondary: { url: "\(store.url)" }
      admin: { \(secret)tls: { cert_file: cert.pem, key_file: key.pem\(more) } }

      """
  }

  func start(_ tls: String = "", token: String? = nil, address: String = "127.0.0.1:0") throws -> SidecarProcess {
    try SidecarProcess(
      configuration: configuration(tls, token: token),
      in: directory,
      arguments: ["--admin.listen-address=\(address)"]
    )
  }

  func port(_ sidecar: SidecarProcess) throws -> UInt16 {
    guard case .port(let port) = try sidecar.address(of: "admin") else { throw TestSupportError(.malformed, "no port") }
    return port
  }

  /// Runs `feature get` over TLS.
  func features(_ sidecar: SidecarProcess, _ options: [String] = [], host: String = "127.0.0.1") throws
    -> ProcessOutcome
  {
    let address = "--admin.listen-address=https://\(host):\(try port(sidecar))"
    return try SidecarProcess.run(
      ["feature", "get", Self.flag, address, "--admin.ca-file=\(authority.certificate)"] + options
    )
  }

  func curl(_ sidecar: SidecarProcess, _ options: [String] = [], trusting: CertificateAuthority? = nil) throws
    -> ProcessOutcome
  {
    let authority = trusting ?? authority
    return try ChildProcess.run(
      "curl",
      ["-sS", "--max-time", "20", "--cacert", authority.certificate] + options
        + ["https://127.0.0.1:\(try port(sidecar))/api/v4/features/\(Self.flag)"]
    )
  }

  @Test func `the command line and curl reach it, and who may do what stays as it is`() throws {
    let token = try directory.write("s3cret-token\n", to: "token")
    let sidecar = try start(token: token, address: "https://0.0.0.0:0")
    #expect(try features(sidecar).exit == .status(1))
    let known = ["--admin.token-file=\(token)"]
    #expect(try features(sidecar, known).output == "\(Self.flag): off\n")
    let address = "--admin.listen-address=https://localhost:\(try port(sidecar))"
    // All of it from the environment, as in a container.
    let set = try SidecarProcess.run(
      ["feature", "set", Self.flag, "true"],
      environment: [
        "MULTISTORE_ADMIN_LISTEN_ADDRESS": "https://localhost:\(try port(sidecar))",
        "MULTISTORE_ADMIN_CA_FILE": authority.certificate, "MULTISTORE_ADMIN_TOKEN_FILE": token,
      ]
    )
    #expect(set.exit == .status(0), "\(set.errors)")
    let status = try SidecarProcess.run(["status", address, "--admin.ca-file=\(authority.certificate)"] + known)
    #expect(status.exit == .status(0) && status.output.contains("sessions"))
    let header = ["-H", "Authorization: Bearer s3cret-token"]
    #expect(try curl(sidecar, header).output.contains("\"state\":\"on\""))
    let crossSite = try curl(sidecar, header + ["-d", "value=false", "-H", "Origin: https://evil.example"])
    #expect(crossSite.output.contains("A page of another site may not change anything here"))
    #expect(try sidecar.get("/-/healthy").status == 200)
    let metrics = try sidecar.metrics()
    let now = Date().timeIntervalSince1970
    #expect(metrics.sum("multistore_admin_certificate_not_after_timestamp_seconds") > now)
    #expect(metrics.sum("multistore_admin_tls_files_usable") == 1)
  }

  @Test func `failures have the exit code of a sidecar that is not reached`() throws {
    let sidecar = try start()
    let wrongName = try features(sidecar, ["--admin.server-name=admin.example.com"])
    #expect(wrongName.exit == .status(2))
    #expect(wrongName.errors.contains("the certificate is for 127.0.0.1, localhost, not admin.example.com"))
    let stranger = try CertificateAuthority("stranger", in: directory)
    let unknown = try features(sidecar, ["--admin.ca-file=\(stranger.certificate)"])
    #expect(unknown.exit == .status(2))
    #expect(unknown.errors.contains("name its file with --admin.ca-file"))
    let plain = try SidecarProcess.run(["feature", "get", "--admin.listen-address=127.0.0.1:\(try port(sidecar))"])
    #expect(plain.exit == .status(2))
    #expect(plain.errors.contains("if it has admin.tls, write https://127.0.0.1:"))
    // Options that cannot be used, or would do nothing.
    let cases = [
      (["--admin.cert-file=\(authority.certificate)"], "belong together"),
      (["--admin.ca-file=none.pem"], "--admin.ca-file: cannot read none.pem: No such file or directory"),
      (["--admin.listen-address=127.0.0.1:1"], "the options of TLS need an address with https://"),
      (["--admin.listen-address=https://unix:/x"], "a unix socket has no TLS; write unix:/x"),
    ]
    for (options, words) in cases {
      let outcome = try features(sidecar, options)
      #expect(outcome.exit == .status(64))
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
    let open = try SidecarProcess(
      configuration: configuration().replacing(/admin: .*\n/, with: ""),
      arguments: ["--admin.listen-address=127.0.0.1:0"]
    )
    let tls = try features(open)
    #expect(tls.exit == .status(2))
    // The server answers the ClientHello or closes the connection, as its random bytes have it.
    #expect(tls.errors.contains("; the port may be one without TLS"), "\(tls.errors)")
  }

  @Test(arguments: ["request", "require"])
  func `certificates of clients are verified, and do not replace the token`(policy: String) throws {
    let token = try directory.write("s3cret-token\n", to: "token")
    let sidecar = try start("client_ca_file: \(authority.certificate), client_auth: \(policy)", token: token)
    let known = ["--admin.token-file=\(token)"]
    let own = try authority.issue("operator", for: .client)
    let certificate = ["--admin.cert-file=\(own.certificate)", "--admin.key-file=\(own.key)"]
    #expect(try features(sidecar, known + certificate).exit == .status(0))
    let withoutToken = try features(sidecar, certificate)
    #expect(withoutToken.exit == .status(1))
    #expect(withoutToken.errors.contains("bearer token"))
    let without = try features(sidecar, known)
    #expect(without.exit == .status(policy == "require" ? 1 : 0))
    if policy == "require" { #expect(without.errors.contains("This needs a client certificate.")) }
    let foreign = try CertificateAuthority("foreign", in: directory).issue("x", for: .client)
    let stranger = ["--admin.cert-file=\(foreign.certificate)", "--admin.key-file=\(foreign.key)"]
    let refused = try features(sidecar, known + stranger)
    #expect(refused.exit == .status(1))
    #expect(refused.errors.contains("The client certificate is not accepted"))
  }

  @Test func `certificates change without a restart and without closing a connection`() throws {
    let sidecar = try start()
    let open = try TLSConnection(to: try port(sidecar))
    #expect(try open.get("/api/v4/features/\(Self.flag)").hasPrefix("HTTP/1.1 200"))
    let next = try CertificateAuthority("next", in: directory)
    let issued = try next.issue("next-server", for: .server, names: ["IP:127.0.0.1"])
    // Certificate and key do not fit for a while: connections are made with those before.
    try replaceFile(directory.path("cert.pem"), by: issued.certificate)
    #expect(try curl(sidecar).exit == .status(0))
    #expect(try sidecar.metrics().sum("multistore_admin_tls_files_usable") == 0)
    #expect(try open.get("/api/v4/features/\(Self.flag)").hasPrefix("HTTP/1.1 200"))
    try replaceFile(directory.path("key.pem"), by: issued.key)
    #expect(try curl(sidecar, trusting: next).exit == .status(0))
    #expect(try curl(sidecar).exit == .status(60))
    #expect(try features(sidecar).errors.contains("CN=next, which is not trusted"))
    #expect(try sidecar.metrics().sum("multistore_admin_tls_files_usable") == 1)
    #expect(try open.get("/api/v4/features/\(Self.flag)").hasPrefix("HTTP/1.1 200"))
  }

  /// They have the time of a first request, and no other client waits for them.
  @Test func `clients that begin a handshake and stop are disconnected`() throws {
    let sidecar = try start()
    let address = try sidecar.address(of: "admin")
    let silent = try (0..<20).map { _ in try Socket(connectingTo: address) }
    // The first bytes of a greeting that announces 500.
    for socket in silent.prefix(10) { try socket.write([0x16, 0x03, 0x01, 0x01, 0xf4, 0x01, 0x00]) }
    #expect(try features(sidecar).exit == .status(0))
    for socket in silent { #expect(try socket.readToEnd().isEmpty) }
    let closed = ["listener": "admin", "reason": "request_timeout"]
    try eventually("they are counted") {
      try sidecar.metrics().sum("multistore_http_connections_closed_total", closed) == 20
    }
    #expect(try features(sidecar).exit == .status(0))
  }

  @Test func `a start with an address that does not fit is refused in words`() throws {
    let cases = [
      (configuration(), "unix:\(directory.path("admin.sock"))", "a unix socket has no TLS; remove admin.tls"),
      (
        configuration().replacing(/admin: .*\n/, with: ""), "https://127.0.0.1:0",
        "https:// needs admin.tls in the configuration"
      ),
      // A certificate does not replace the token.
      (
        configuration("client_ca_file: \(authority.certificate), client_auth: require"), "0.0.0.0:0", "admin.token_file"
      ),
    ]
    for (text, address, words) in cases {
      let refused = try SidecarProcess(
        configuration: text,
        in: directory,
        arguments: ["--admin.listen-address=\(address)"],
        waits: false
      )
      #expect(try refused.process.waitForExit() == .status(2))
      try refused.log.waitForEnd()
      #expect(refused.log.text.contains(words))
    }
  }
}
