/// The TLS settings of a listener.
///
/// Names and values are those of Prometheus' exporter-toolkit (docs/web-configuration.md). The key is never printed.
public struct TLSSettings: Sendable, Equatable {
  /// A protocol version. Older ones are insecure and not offered.
  public enum Version: String, Sendable, CaseIterable {
    /// TLS 1.2.
    case tls12 = "TLS12"
    /// TLS 1.3.
    case tls13 = "TLS13"
  }

  /// The requirements on a client's certificate.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    /// None is requested.
    case none = "NoClientCert"
    /// One is requested, but neither required nor verified.
    case request = "RequestClientCert"
    /// One is required, but not verified.
    case requireAny = "RequireAnyClientCert"
    /// One is verified if the client sends it: it has to be signed by a client authority.
    case verifyIfGiven = "VerifyClientCertIfGiven"
    /// One is required and verified.
    case requireAndVerify = "RequireAndVerifyClientCert"

    /// Whether a client without a certificate is refused.
    public var isRequired: Bool { self == .requireAny || self == .requireAndVerify }
    /// Whether a certificate has to be signed by a client authority.
    public var isVerified: Bool { self == .verifyIfGiven || self == .requireAndVerify }
  }

  /// A group for the key exchange, by Go's name.
  public enum Curve: String, Sendable, CaseIterable {
    /// secp256r1.
    case p256 = "CurveP256"
    /// secp384r1.
    case p384 = "CurveP384"
    /// secp521r1.
    case p521 = "CurveP521"
    /// Curve25519.
    case x25519 = "X25519"
  }

  /// The server's certificate, followed by those of intermediate authorities, in PEM.
  public var certificate: [UInt8]
  /// The certificate's key, in PEM and not encrypted.
  public var key: [UInt8]
  /// The authorities of clients' certificates, in PEM; nil for none.
  public var clientAuthorities: [UInt8]?
  /// The requirements on a client's certificate.
  public var clientAuthentication = ClientAuthentication.none
  /// A client's certificate has to have one of these names (DNS, e-mail, URI, IP address); nil for any or none.
  public var allowedClientNames: [String]?
  /// The oldest version that is accepted.
  public var minimumVersion = Version.tls12
  /// The newest version that is accepted.
  public var maximumVersion = Version.tls13
  /// The groups for the key exchange, best first; empty for GnuTLS' default.
  public var curves: [Curve] = []
  /// Whether the server's order of preference applies instead of the client's.
  public var prefersServerOrder = true

  /// Creates settings without requirements on clients.
  public init(certificate: [UInt8], key: [UInt8]) {
    self.certificate = certificate
    self.key = key
  }

  /// Versions, groups and order as a priority string (GnuTLS manual, "Priority strings").
  var priorities: String {
    var words = ["NORMAL", "-VERS-ALL"]
    if maximumVersion == .tls13 { words.append("+VERS-TLS1.3") }
    if minimumVersion == .tls12 { words.append("+VERS-TLS1.2") }
    if !curves.isEmpty { words += ["-GROUP-ALL"] + curves.map(\.priority) }
    if prefersServerOrder { words.append("%SERVER_PRECEDENCE") }
    return words.joined(separator: ":")
  }
}

extension TLSSettings.Curve {
  fileprivate var priority: String {
    switch self {
    case .p256: "+GROUP-SECP256R1"
    case .p384: "+GROUP-SECP384R1"
    case .p521: "+GROUP-SECP521R1"
    case .x25519: "+GROUP-X25519"
    }
  }
}

extension TLSSettings: CustomStringConvertible, CustomReflectable {
  /// Never the key.
  public var description: String { "TLS with \(clientAuthentication.rawValue)" }

  /// Never the key.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// TLS settings that cannot be used. None of them is shown.
public struct TLSSettingsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The settings that can be wrong.
  public enum Part: Sendable, Hashable {
    /// ``TLSSettings/certificate``.
    case certificate
    /// ``TLSSettings/key``, which may belong to another certificate.
    case key
    /// ``TLSSettings/clientAuthorities``.
    case clientAuthorities
    /// Versions, groups and order.
    case protocols
  }

  /// The setting that is wrong.
  public let part: Part
  /// The mistake, as the end of a sentence.
  public let reason: String

  /// The same as ``reason``.
  public var description: String { reason }
}
