internal import TLS

/// The file that `--web.config.file` names: names and meanings are those of Prometheus' exporter-toolkit
/// (docs/web-configuration.md).
extension SettingSection {
  static let webSettings = [
    Setting("tls_server_config", .section(.webTLS), .none("plain HTTP"), "HTTPS."),
    Setting("http_server_config", .section(.webHTTP), .none("nothing added"), "Header fields of all answers."),
    Setting(
      "basic_auth_users",
      .passwordHashes,
      .none("no login"),
      "The users, and the bcrypt hashes of their passwords, as `htpasswd -nBC 10 NAME` prints them."
    ),
    Setting("rate_limit", .section(.webRateLimit), .none("no limit"), "The limit on the rate of requests."),
  ]

  static let webTLSSettings = [
    Setting("cert_file", .file, .none("this or `cert`"), "The certificate, and those of intermediate authorities."),
    Setting("key_file", .file, .none("this or `key`"), "Its key, without a password."),
    Setting("cert", .text, .none("this or the file"), "The certificate itself, in PEM."),
    Setting("key", .secret, .none("this or the file"), "The key itself, in PEM."),
    Setting(
      "client_auth_type",
      .choice(TLSSettings.ClientAuthentication.allCases.map(\.rawValue)),
      .value(TLSSettings.ClientAuthentication.none.rawValue),
      "The requirements on a client's certificate. Only `RequireAndVerifyClientCert` refuses unknown clients."
    ),
    Setting("client_ca_file", .file, .none("none"), "The authorities that sign clients' certificates."),
    Setting("client_ca", .text, .none("none"), "The authorities themselves, in PEM."),
    Setting(
      "client_allowed_sans",
      .texts,
      .none("any"),
      "A client's certificate has to have one of these names (DNS, e-mail, URI, IP address)."
    ),
    minimumTLSVersion,
    Setting("max_version", .choice(versions), .value("TLS13"), "The newest version that is accepted."),
    Setting(
      "curve_preferences",
      .choices(TLSSettings.Curve.allCases.map(\.rawValue)),
      .none("GnuTLS' own"),
      "Groups for the key exchange, the best first."
    ),
    Setting(
      "prefer_server_cipher_suites",
      .boolean,
      .value("true"),
      "Whether the server's order of preference applies, and not the client's."
    ),
  ]

  static let webHTTPSettings = [
    Setting("http2", .boolean, .value("false"), "HTTP/2 is not supported: `true` gives a warning, and HTTP/1.1."),
    Setting("headers", .section(.webHeaders), .none("none"), "Added to every answer."),
  ]

  static let webHeaderSettings = [
    Setting("Content-Security-Policy", .text, .none("the page's own"), "Replaces the pages' own."),
    Setting(
      "X-Frame-Options",
      .choice(["deny", "sameorigin"]),
      .none("none"),
      "Whether a page may be shown in a frame."
    ),
    Setting("X-Content-Type-Options", .choice(["nosniff"]), .value("nosniff"), "It is always sent."),
    Setting("X-XSS-Protection", .text, .none("none"), "For old browsers."),
    Setting("Strict-Transport-Security", .text, .none("none"), "Binds a browser to HTTPS, for the whole host."),
  ]

  static let webRateLimitSettings = [
    Setting(
      "interval",
      .duration(.zero...(.seconds(3600))),
      .value("0s"),
      "The mean time between two requests; 0s for no limit. Probes are always answered."
    ),
    Setting("burst", .integer(0...1_000_000), .value("0"), "Requests that are answered at once after a pause."),
  ]

  private static let versions = TLSSettings.Version.allCases.map(\.rawValue)
}
