internal import TLS

/// Reads the keys of TLS that all maps of a server have, and the files that they name, and reports each mistake at its
/// key.
struct ServerTLSReader {
  let reader: MappingReader

  /// Returns the settings with their files; nil after a mistake.
  func server() -> TLSServer? {
    let (certificate, key) = (path("cert_file"), path("key_file"))
    guard let certificate, let key else { return nil }
    var settings = TLSServerSettings(certificateFile: certificate, keyFile: key)
    settings.clientAuthorityFile = path("client_ca_file")
    settings.clientAuthentication = reader.choice("client_auth")
    settings.minimumVersion = reader.choice("min_version")
    checkClients(settings)
    do throws(TLSSettingsError) {
      if Double(try TLSServer.check(settings)) < FeatureFlagStore.systemClock() {
        reader.warn("cert_file", "the certificate has expired; clients will refuse it")
      }
      let position = reader.position(of: "key_file")
      reader.context.warnIfReadableByEverybody(key, at: position, key: reader.keyPath("key_file"))
    } catch {
      reader.fail(Self.key(of: error.part), error.reason)
      return nil
    }
    return TLSServer(settings)
  }

  private func checkClients(_ settings: TLSServerSettings) {
    let wanted = settings.clientAuthentication
    if wanted != .none, settings.clientAuthorityFile == nil {
      reader.fail("client_auth", "\(wanted.rawValue) needs client_ca_file: whose certificates are to be accepted?")
    } else if wanted == .none, reader.has("client_ca_file") {
      reader.fail("client_ca_file", "has no effect with client_auth none; write request or require")
    }
  }

  private func path(_ key: String) -> String? {
    reader.value(key).map { reader.context.resolve(path: $0.expanded) }
  }

  private static func key(of part: TLSSettingsError.Part) -> String {
    switch part {
    case .certificate: "cert_file"
    case .key: "key_file"
    case .clientAuthorities: "client_ca_file"
    case .protocols: "min_version"
    }
  }
}
