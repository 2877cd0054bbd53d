/// The TLS settings of a listener, as paths of files: their contents are read again when they change.
public struct TLSServerSettings: Sendable, Equatable {
  /// The requirements on a client's certificate.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    /// None is requested.
    case none
    /// One is requested, and verified if the client sends it.
    case request
    /// One is required and verified.
    case require
  }

  /// A PEM file with the listener's certificate, followed by those of intermediate authorities.
  public var certificateFile: String
  /// A PEM file with the certificate's key, not encrypted.
  public var keyFile: String
  /// A PEM file with the authorities of clients' certificates.
  public var clientAuthorityFile: String?
  /// The requirements on a client's certificate.
  public var clientAuthentication = ClientAuthentication.none
  /// The oldest version that is accepted.
  public var minimumVersion = TLSSettings.Version.tls12

  /// Creates settings without requirements on clients.
  public init(certificateFile: String, keyFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }

  /// The files that are watched.
  var files: [String] { [certificateFile, keyFile] + [clientAuthorityFile].compactMap { $0 } }

  /// Reads the files.
  ///
  /// - Throws: ``TLSSettingsError``, which names the file, for what cannot be used.
  func credentials() throws(TLSSettingsError) -> TLSCredentials {
    var settings = TLSSettings(
      certificate: try Self.contents(of: certificateFile, .certificate),
      key: try Self.contents(of: keyFile, .key)
    )
    if let file = clientAuthorityFile { settings.clientAuthorities = try Self.contents(of: file, .clientAuthorities) }
    settings.clientAuthentication =
      switch clientAuthentication {
      case .none: .none
      case .request: .verifyIfGiven
      case .require: .requireAndVerify
      }
    settings.minimumVersion = minimumVersion
    do throws(TLSSettingsError) {
      return try TLSCredentials(settings)
    } catch {
      throw TLSSettingsError(part: error.part, reason: "\(subject(of: error.part)) \(error.reason)")
    }
  }

  private func subject(of part: TLSSettingsError.Part) -> String {
    switch part {
    case .certificate: certificateFile
    case .key: keyFile
    case .clientAuthorities: clientAuthorityFile ?? "none"
    case .protocols: "min_version:"
    }
  }

  private static func contents(of file: String, _ part: TLSSettingsError.Part) throws(TLSSettingsError) -> [UInt8] {
    switch FileContents.read(file) {
    case .success(let bytes): return bytes
    case .failure(let failure): throw TLSSettingsError(part: part, reason: "cannot read \(file): \(failure.words)")
    }
  }
}
