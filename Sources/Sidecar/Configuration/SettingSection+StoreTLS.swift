internal import TLS

extension SettingSection {
  /// The keys of TLS to a store.
  static let storeTLSSettings = [
    Setting(
      "ca_file",
      .file,
      .none("the system's authorities"),
      "PEM file with the authorities that the store's certificate may lead to. Like the other files it is read again "
        + "when it changes, for the connections made after that."
    ),
    Setting("ca_path", .folder, .none("none"), "Folder with PEM files of such authorities, in addition to `ca_file`."),
    Setting(
      "cert_file",
      .file,
      .none("no certificate"),
      "PEM file with the sidecar's own certificate, for a store that requires one, and those of intermediate "
        + "authorities."
    ),
    Setting("key_file", .file, .none("none"), "PEM file with its key."),
    Setting("key_password_file", .file, .none("not encrypted"), "File that has the password of the key, in one line."),
    Setting(
      "server_name",
      .text,
      .none("the host"),
      "The name that the certificate has to be for, by default the host of the URL or the one that the sentinels name, "
        + "and that is sent to the store (SNI) unless it is an IP "
        + "address."
    ),
    Setting(
      "verify",
      .choice(TLSClientSettings.Verification.allCases.map(\.rawValue)),
      .value(TLSClientSettings.Verification.full.rawValue),
      "Whether the store's certificate has to lead to an authority and be for the server's name, for any name, or is "
        + "not verified: then anybody between can read and change everything."
    ),
    minimumTLSVersion,
    Setting(
      "ciphers",
      .text,
      .none("GnuTLS' own"),
      "Ciphers and groups as a GnuTLS priority string, such as `SECURE256`. Versions are those of `min_version`."
    ),
  ]

  /// The oldest version of TLS, wherever that is a setting.
  static let minimumTLSVersion = Setting(
    "min_version",
    .choice(TLSSettings.Version.allCases.map(\.rawValue)),
    .value(TLSSettings.Version.tls12.rawValue),
    "The oldest version that is accepted."
  )
}
