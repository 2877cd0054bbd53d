/// The TLS settings of connections to a server, as paths of files: their contents are read again when they change.
public struct TLSClientSettings: Sendable, Equatable {
  /// The extent to which a server's certificate is verified.
  public enum Verification: String, Sendable, CaseIterable {
    /// It leads to a trusted authority, is valid now, and is for the server's name.
    case full
    /// The same for any name.
    case ca
    /// It is not verified: whoever can intercept the connection can read and change it.
    case none
  }

  /// A PEM file with the trusted authorities; nil for those of the system, unless ``authorityFolder`` is set.
  public var authorityFile: String?
  /// A folder with PEM files of trusted authorities.
  public var authorityFolder: String?
  /// A PEM file with this side's certificate, followed by those of intermediate authorities.
  public var certificateFile: String?
  /// A PEM file with the certificate's key.
  public var keyFile: String?
  /// A file with the password of the key, in one line; nil if the key is not encrypted.
  public var keyPasswordFile: String?
  /// The name that is verified, and sent to the server unless it is an IP address; nil for the host's.
  public var serverName: String?
  /// The extent to which the server's certificate is verified.
  public var verification = Verification.full
  /// The oldest version that is accepted.
  public var minimumVersion = TLSSettings.Version.tls12
  /// Ciphers and groups as a GnuTLS priority string (its manual, "Priority strings"); nil for GnuTLS' own choice. The
  /// versions are those of ``minimumVersion`` all the same.
  public var ciphers: String?

  /// Creates settings that verify the server against the system's authorities.
  public init() {}

  /// The files that are watched. Without authorities, it is the bundle that Debian's GnuTLS takes for the system's.
  var files: [String] {
    let named = [authorityFile, certificateFile, keyFile, keyPasswordFile].compactMap { $0 }
    return usesSystemAuthorities ? named + ["/etc/ssl/certs/ca-certificates.crt"] : named
  }

  /// Whether the system's authorities are trusted.
  var usesSystemAuthorities: Bool {
    authorityFile == nil && authorityFolder == nil && verification != .none
  }

  var priorities: String {
    let versions = minimumVersion == .tls13 ? "+VERS-TLS1.3" : "+VERS-TLS1.3:+VERS-TLS1.2"
    return "\(ciphers ?? "NORMAL"):-VERS-ALL:\(versions)"
  }
}

/// Client settings that cannot be used. No content of a file is shown.
public struct TLSClientError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The settings that can be wrong.
  public enum Part: Sendable, Hashable {
    case authorityFile, authorityFolder, certificateFile, keyFile, keyPasswordFile, ciphers
  }

  /// The setting that is wrong.
  public let part: Part
  /// The mistake, as a sentence without a full stop.
  public let reason: String

  /// The same as ``reason``.
  public var description: String { reason }
}
