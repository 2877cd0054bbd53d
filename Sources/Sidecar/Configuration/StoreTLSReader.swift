internal import Sockets
internal import TLS

/// Reads `tls` of a store, and the files that it names, and reports each mistake at its key.
struct StoreTLSReader {
  private let store: MappingReader
  private let place: StoreConfiguration.Place?
  private let usesTLS: Bool
  /// The map; nil if there is none, or it is no map.
  private let reader: MappingReader?

  /// - Parameters:
  ///   - store: the store, or its sentinels.
  ///   - place: where it is; nil if that has a mistake.
  ///   - usesTLS: whether it uses TLS even without a map.
  init(store: MappingReader, place: StoreConfiguration.Place?, usesTLS: Bool) {
    self.store = store
    self.place = place
    self.usesTLS = usesTLS
    reader = store.has("tls") ? store.section("tls") : nil
  }

  /// Returns the client side of TLS; nil for a store without it, or with a mistake.
  func client() -> TLSClient? {
    guard store.has("tls") || usesTLS else { return nil }
    guard !store.has("tls") || reader != nil else { return nil }
    if case .address(.unix(path: _))? = place {
      store.context.error(store.position(of: "tls"), store.keyPath("tls"), "a unix socket has no TLS; write rediss://…")
      return nil
    }
    let settings = reader.map(settings) ?? TLSClientSettings()
    if let reader { checkSecrets(reader) }
    check(settings)
    return TLSClient(settings)
  }

  private func settings(_ reader: MappingReader) -> TLSClientSettings {
    var settings = TLSClientSettings()
    settings.authorityFile = path("ca_file", reader)
    settings.authorityFolder = path("ca_path", reader)
    settings.certificateFile = path("cert_file", reader)
    settings.keyFile = path("key_file", reader)
    settings.keyPasswordFile = path("key_password_file", reader)
    settings.serverName = reader.value("server_name")?.expanded
    settings.verification = reader.choice("verify")
    settings.minimumVersion = reader.choice("min_version")
    settings.ciphers = reader.value("ciphers")?.expanded
    if settings.verification == .none {
      let message = "the store's certificate is not verified; anybody between can read and change everything"
      reader.context.warning(reader.position(of: "verify"), reader.keyPath("verify"), message)
    }
    for (key, needed) in [("key_file", "cert_file"), ("key_password_file", "key_file")]
    where reader.has(key) && !reader.has(needed) {
      reader.context.error(reader.position(of: key), reader.keyPath(key), "has no effect without \(needed)")
    }
    return settings
  }

  private func path(_ key: String, _ reader: MappingReader) -> String? {
    reader.value(key).map { reader.context.resolve(path: $0.expanded) }
  }

  /// Warns of files with secrets that everybody can read.
  private func checkSecrets(_ reader: MappingReader) {
    for key in ["key_file", "key_password_file"] {
      guard let path = path(key, reader) else { continue }
      reader.context.warnIfReadableByEverybody(path, at: reader.position(of: key), key: reader.keyPath(key))
    }
  }

  /// Reads the files, and reports those that can't be used and certificates that have expired.
  private func check(_ settings: TLSClientSettings) {
    let expirations: TLSClient.Expirations
    do throws(TLSClientError) {
      expirations = try TLSClient.check(settings)
    } catch {
      return report(error.reason, at: key(of: error.part), isWarning: false)
    }
    let now = FeatureFlagStore.systemClock()
    if let time = expirations.certificate, Double(time) < now {
      report("the certificate has expired; the store will refuse it", at: "cert_file", isWarning: true)
    }
    if let time = expirations.authorities, Double(time) < now {
      report("all authorities in it have expired; no certificate will be accepted", at: "ca_file", isWarning: true)
    }
  }

  private func key(of part: TLSClientError.Part) -> String {
    switch part {
    case .authorityFile: "ca_file"
    case .authorityFolder: "ca_path"
    case .certificateFile: "cert_file"
    case .keyFile: "key_file"
    case .keyPasswordFile: "key_password_file"
    case .ciphers: "ciphers"
    }
  }

  private func report(_ message: String, at key: String, isWarning: Bool) {
    let reader = reader ?? store
    let (position, path) = (reader.position(of: key), reader.keyPath(key))
    if isWarning {
      reader.context.warning(position, path, message)
    } else {
      reader.context.error(position, path, message)
    }
  }
}
