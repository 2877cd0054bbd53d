/// The reason why a connection has no TLS, or has lost it.
public struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kinds of failures. Raw values are labels of metrics.
  public enum Reason: String, Sendable, CaseIterable {
    /// Certificates or keys of this side cannot be used.
    case credentials
    /// The peer's certificate leads to no trusted authority.
    case untrusted
    /// The peer's certificate has expired, or is not valid yet.
    case expired
    /// The peer's certificate is for another name.
    case name
    /// The peer's certificate is not accepted for another reason.
    case certificate
    /// The peer requires a certificate of this side, or does not accept it.
    case refusedCertificate = "refused_certificate"
    /// Both sides have no protocol version, cipher or group in common.
    case incompatible
    /// The peer does not speak TLS.
    case notTLS = "not_tls"
    /// The peer has closed the connection during the handshake.
    case closed
    /// The peer has violated the protocol, or data was changed on its way.
    case `protocol`
  }

  /// The settings that may solve a failure. Raw values are their names in a configuration.
  public enum Remedy: String, Sendable {
    /// The authorities that are trusted.
    case authorities = "tls.ca_file"
    /// The name that the peer's certificate has to be for.
    case serverName = "tls.server_name"
    /// This side's certificate.
    case certificate = "tls.cert_file and tls.key_file"
  }

  /// The kind of failure.
  public let reason: Reason
  /// The failure for humans: a sentence without a full stop and without secrets.
  public let problem: String
  /// The setting that may solve it; nil if there is none.
  public let remedy: Remedy?

  /// The problem and its remedy in a configuration.
  public var message: String { remedy.map { "\(problem); set \($0.rawValue)" } ?? problem }

  /// The same as ``message``.
  public var description: String { message }

  init(_ reason: Reason, _ problem: String, remedy: Remedy? = nil) {
    self.reason = reason
    self.problem = problem
    self.remedy = remedy
  }
}

/// One of the two sides of a connection.
enum TLSSide { case client, server }
