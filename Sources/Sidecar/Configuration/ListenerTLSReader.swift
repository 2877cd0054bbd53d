internal import Sockets
internal import TLS

/// Reads `tls` of an instance, and the files that it names, and reports each mistake at its key.
struct ListenerTLSReader {
  private let reader: MappingReader

  /// Returns the TLS of an instance's listeners; nil without any, or after a mistake.
  static func tls(of instance: MappingReader, listen: [ListenAddress]) -> InstanceConfiguration.TLS? {
    guard instance.has("tls") else {
      if let address = listen.first(where: \.usesTLS) {
        let message = "\(address) needs a map tls with cert_file and key_file"
        instance.context.error(instance.position(of: "listen"), instance.keyPath("listen"), message)
      }
      return nil
    }
    guard let reader = instance.section("tls") else { return nil }
    if !listen.contains(where: \.usesTLS) {
      let message = "has no effect: no address of listen begins with tls:, such as tls:0.0.0.0:6390"
      reader.context.error(reader.position, reader.path, message)
    }
    return Self(reader: reader).tls()
  }

  private func tls() -> InstanceConfiguration.TLS? {
    let (certificate, key) = (path("cert_file"), path("key_file"))
    let handshakeTimeout = reader.duration("handshake_timeout")
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
    return InstanceConfiguration.TLS(server: TLSServer(settings), handshakeTimeout: handshakeTimeout)
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
