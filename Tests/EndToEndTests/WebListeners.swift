import Foundation
import TestSupport

/// A sidecar whose web listener has TLS, clients' certificates and a password, with all that its clients need.
final class SecureSidecar: Sendable {
  static let user = "prometheus"
  static let password = "correct horse"
  /// Of the password, with few rounds.
  static let hash = "$2b$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2"

  let folder: TemporaryDirectory
  let authority: CertificateAuthority
  let client: CertificateAuthority.Certificate
  let deployment: Deployment

  init() throws {
    folder = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: folder)
    client = try authority.issue("client", for: .client, names: ["DNS:prometheus.example"])
    try Self.publish(0, of: authority, in: folder)
    for name in ["server.pem", "server.key"] {
      try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: "..data/\(name)")
    }
    let file = try folder.write(Self.configuration(), to: "web.yml")
    deployment = try Deployment(arguments: ["--web.config.file=\(file)"])
  }

  static func configuration(names: [String] = ["prometheus.example"], users: [String] = [user]) -> String {
    """
    tls_server_config:
      cert_file: server.pem
      key_file: server.key
      client_auth_type: RequireAndVerifyClientCert
      client_ca_file: test-ca.pem
      client_allowed_sans: [\(names.joined(separator: ", "))]
    http_server_config:
      headers: { X-Frame-Options: deny }
    basic_auth_users: { \(users.map { "\($0): \"\(hash)\"" }.joined(separator: ", ")) }

    """
  }

  var address: String { get throws { try deployment.sidecar.address(of: "metrics").description } }

  /// curl's options for a client that shows who it is.
  var credentials: [String] {
    ["--cacert", authority.certificate, "--cert", client.certificate, "--key", client.key]
      + ["--user", "\(Self.user):\(Self.password)"]
  }

  /// What a client with all credentials is told; asks anew over a connection of its own.
  func curl(_ path: String, _ arguments: [String]? = nil) throws -> CurlAnswer {
    try CurlAnswer(["https://\(address)\(path)"] + (arguments ?? credentials))
  }

  /// A metric at this moment, asked for with all credentials.
  func metric(_ name: String) throws -> Double? {
    try MetricsSnapshot(parsing: curl("/metrics").text)[name, [:]]
  }

  /// Puts another certificate and key in the place of the server's.
  func rotate(_ number: Int) throws {
    try Self.publish(number, of: authority, in: folder)
  }

  /// Makes a certificate and has it appear with its key at once, as Kubernetes does it for a Secret: `server.pem` and
  /// `server.key` lead through `..data`, which is replaced.
  private static func publish(
    _ number: Int,
    of authority: CertificateAuthority,
    in folder: TemporaryDirectory
  ) throws {
    let issued = try authority.issue("server-\(number)", for: .server)
    let files = FileManager.default
    let version = folder.path("..version-\(number)")
    try files.createDirectory(atPath: version, withIntermediateDirectories: false)
    try files.moveItem(atPath: issued.certificate, toPath: "\(version)/server.pem")
    try files.moveItem(atPath: issued.key, toPath: "\(version)/server.key")
    try files.createSymbolicLink(atPath: folder.path("..data_tmp"), withDestinationPath: version)
    guard rename(folder.path("..data_tmp"), folder.path("..data")) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
  }

  /// The subject of the certificate that a new connection sees.
  func subject() throws -> String {
    let shown = try ChildProcess.run("openssl", ["s_client", "-connect", address])
    return String(shown.output.firstMatch(of: /subject=CN = (\S+)/)?.1 ?? "none")
  }
}

/// What curl got.
struct CurlAnswer {
  let exit: ChildProcess.Exit
  let status: Int
  let text: String
  let errors: String

  init(_ arguments: [String]) throws {
    let outcome = try ChildProcess.run("curl", ["-sS", "-i", "--max-time", "50"] + arguments, within: .seconds(60))
    exit = outcome.exit
    text = outcome.output.components(separatedBy: "\r\n\r\n").last ?? ""
    status = outcome.output.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    errors = outcome.errors
    headers = outcome.output.components(separatedBy: "\r\n\r\n").first ?? ""
  }

  /// The status line and the header fields as they came.
  let headers: String
}

/// A Prometheus that scrapes, with its data in a folder of its own.
final class ScrapingPrometheus: Sendable {
  private let folder: TemporaryDirectory
  private let process: ChildProcess
  private let log: LogLines
  private let address: SocketAddress

  /// Starts it with a list of `scrape_configs`. It scrapes every four seconds, and not more often: a scrape may take as
  /// long as the interval at most, and the machine may be busy.
  init(scrapeConfigs: String) throws {
    folder = try TemporaryDirectory()
    let configuration = """
      global: { scrape_interval: 4s, scrape_timeout: 4s }
      scrape_configs:
      \(scrapeConfigs)
      """
    let file = try folder.write(configuration, to: "prometheus.yml")
    (process, _, log) = try ChildProcess.captured(
      "prometheus",
      [
        "--config.file=\(file)", "--storage.tsdb.path=\(folder.path("data"))", "--web.listen-address=127.0.0.1:0",
        "--log.format=json",
      ],
      environment: [:]
    )
    let line = try log.wait(for: "Prometheus listens") { $0["msg"]?.string == "Listening on" }
    guard let address = line["address"]?.string.flatMap({ SocketAddress($0) }) else {
      throw TestSupportError(.malformed, "no address in \(line)")
    }
    self.address = address
  }

  /// The value of an expression that gives one sample at most; nil for none.
  func value(_ expression: String) throws -> Double? {
    let query = expression.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let answer = try HTTPClient.request("GET", "/api/v1/query?query=\(query)", of: address)
    return answer.text.firstMatch(of: /"value":\[[0-9.]+,"([^"]*)"\]/).flatMap { Double($0.1) }
  }
}
