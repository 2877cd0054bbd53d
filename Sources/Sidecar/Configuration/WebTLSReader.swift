internal import TLS

/// Reads `tls_server_config`, and reports each mistake at its key.
struct WebTLSReader {
  /// The keys of the parts of the settings, for GnuTLS' errors about them.
  private struct Keys {
    var certificate = "cert_file"
    var key = "key_file"
    var clientAuthorities = "client_ca_file"
  }

  let reader: MappingReader

  /// Returns certificate, key and policy; reports mistakes and returns nil if they can't be used.
  func credentials() -> TLSCredentials? {
    var keys = Keys()
    let certificate = pem(&keys.certificate, inline: "cert", isSecret: false, isRequired: true)
    let key = pem(&keys.key, inline: "key", isSecret: true, isRequired: true)
    let authorities = pem(&keys.clientAuthorities, inline: "client_ca", isSecret: false, isRequired: false)
    var settings = TLSSettings(certificate: certificate ?? [], key: key ?? [])
    settings.clientAuthorities = authorities
    settings.clientAuthentication = reader.choice("client_auth_type")
    settings.allowedClientNames = reader.values("client_allowed_sans")?.map(\.expanded)
    settings.minimumVersion = reader.choice("min_version")
    settings.maximumVersion = reader.choice("max_version")
    settings.curves = reader.choices("curve_preferences")
    settings.prefersServerOrder = reader.boolean("prefer_server_cipher_suites")
    checkClients(settings, hasAuthorities: reader.has("client_ca_file") || reader.has("client_ca"))
    guard fits(settings), certificate != nil, key != nil else { return nil }
    do {
      let credentials = try TLSCredentials(settings)
      if Double(credentials.expiration) < FeatureFlagStore.systemClock() {
        reader.warn(keys.certificate, "the certificate has expired; clients will refuse it")
      }
      return credentials
    } catch {
      switch error.part {
      case .certificate: reader.fail(keys.certificate, error.reason)
      case .key: reader.fail(keys.key, error.reason)
      case .clientAuthorities: reader.fail(keys.clientAuthorities, error.reason)
      case .protocols: reader.fail("min_version", error.reason)
      }
      return nil
    }
  }

  /// Returns the contents of a file, or of the key that has them inline.
  ///
  /// - Parameter key: The key for the file; becomes the inline one if the map has that.
  private func pem(_ key: inout String, inline: String, isSecret: Bool, isRequired: Bool) -> [UInt8]? {
    let fileKey = key
    if reader.has(inline) {
      key = inline
      if reader.has(fileKey) { reader.fail(inline, "\(fileKey) is there as well; one of them has to go") }
      return reader.value(inline).map { Array($0.expanded.utf8) }
    }
    if let value = reader.value(fileKey) {
      return reader.context.contents(
        ofFile: value.expanded,
        at: value.position,
        key: reader.keyPath(fileKey),
        isSecret: isSecret
      )
    }
    if isRequired, !reader.has(fileKey) {
      reader.context.error(reader.position, reader.path, "\"\(fileKey)\" is missing; expected the path of a PEM file")
    }
    return nil
  }

  /// Whether there is a version between the oldest and the newest.
  private func fits(_ settings: TLSSettings) -> Bool {
    guard settings.minimumVersion == .tls13, settings.maximumVersion == .tls12 else { return true }
    reader.fail("max_version", "is older than min_version")
    return false
  }

  private func checkClients(_ settings: TLSSettings, hasAuthorities: Bool) {
    let wanted = settings.clientAuthentication
    if wanted.isVerified, !hasAuthorities {
      reader.fail("client_auth_type", "\(wanted.rawValue) needs client_ca_file: whose certificates are to be accepted?")
    }
    if wanted == .none, hasAuthorities {
      let key = reader.has("client_ca") ? "client_ca" : "client_ca_file"
      reader.fail(key, "has no effect with client_auth_type NoClientCert; write RequireAndVerifyClientCert")
    }
    guard settings.allowedClientNames != nil else { return }
    if !wanted.isRequired {
      let message = "needs client_auth_type RequireAndVerifyClientCert: a client without a certificate has no names"
      reader.fail("client_allowed_sans", message)
    } else if !wanted.isVerified {
      let message = "anybody can make a certificate with these names, and RequireAnyClientCert takes it"
      reader.warn("client_allowed_sans", message)
    }
  }
}
