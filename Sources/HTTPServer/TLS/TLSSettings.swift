/// What a listener with TLS offers its clients and asks of them.
///
/// Names and values are those of Prometheus' exporter-toolkit (docs/web-configuration.md). It prints without the key.
public struct TLSSettings: Sendable, Equatable {
  /// A protocol version. Older ones are broken and not offered.
  public enum Version: String, Sendable, CaseIterable {
    /// TLS 1.2.
    case tls12 = "TLS12"
    /// TLS 1.3.
    case tls13 = "TLS13"
  }

  /// What is asked of a client's certificate.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    /// None is asked for.
    case none = "NoClientCert"
    /// One is asked for; what comes is not looked at.
    case request = "RequestClientCert"
    /// There has to be one, whoever has signed it.
    case requireAny = "RequireAnyClientCert"
    /// One that comes has to be signed by a client authority.
    case verifyIfGiven = "VerifyClientCertIfGiven"
    /// There has to be one, signed by a client authority.
    case requireAndVerify = "RequireAndVerifyClientCert"

    /// Whether a client without a certificate is refused.
    public var isRequired: Bool { self == .requireAny || self == .requireAndVerify }
    /// Whether a certificate has to be signed by a client authority.
    public var isVerified: Bool { self == .verifyIfGiven || self == .requireAndVerify }
  }

  /// A group for the exchange of keys, under Go's name for it.
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
  /// The key that belongs to it, in PEM and not encrypted.
  public var key: [UInt8]
  /// The authorities that sign clients' certificates, in PEM; nil for none.
  public var clientAuthorities: [UInt8]?
  /// What is asked of a client's certificate.
  public var clientAuthentication = ClientAuthentication.none
  /// Of these names (DNS, e-mail, URI, IP address) a client's certificate has to have one; nil for any or none.
  public var allowedClientNames: [String]?
  /// The oldest version that is accepted.
  public var minimumVersion = Version.tls12
  /// The newest version that is accepted.
  public var maximumVersion = Version.tls13
  /// The groups for the exchange of keys, the best first; empty for GnuTLS' own choice.
  public var curves: [Curve] = []
  /// Whether the server's order of preferences counts, and not the client's.
  public var prefersServerOrder = true

  /// TLS with a certificate and nothing asked of clients.
  public init(certificate: [UInt8], key: [UInt8]) {
    self.certificate = certificate
    self.key = key
  }

  /// GnuTLS' words for versions, groups and order (GnuTLS manual, "Priority strings").
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

/// TLS settings that cannot be used, without showing any of them.
public struct TLSSettingsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Which of the settings is at fault.
  public enum Part: Sendable, Hashable {
    /// ``TLSSettings/certificate``.
    case certificate
    /// ``TLSSettings/key``, by itself or because it belongs to another certificate.
    case key
    /// ``TLSSettings/clientAuthorities``.
    case clientAuthorities
    /// Versions, groups and order.
    case protocols
  }

  /// Which of the settings is at fault.
  public let part: Part
  /// What is wrong, as a sentence without its beginning.
  public let reason: String

  /// The same as ``reason``.
  public var description: String { reason }
}
