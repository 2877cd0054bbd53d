internal import TLS

extension SettingSection {
  /// The keys of TLS wherever the sidecar is the server.
  static let serverTLSSettings = [
    Setting(
      "cert_file",
      .file,
      .required,
      "PEM file with the certificate that clients see, and those of intermediate authorities. Like the other files it "
        + "is read again when it changes, for the connections made after that."
    ),
    Setting("key_file", .file, .required, "PEM file with its key, not encrypted."),
    Setting(
      "client_ca_file",
      .file,
      .none("none"),
      "PEM file with the authorities that clients' certificates have to lead to."
    ),
    Setting(
      "client_auth",
      .choice(TLSServerSettings.ClientAuthentication.allCases.map(\.rawValue)),
      .value(TLSServerSettings.ClientAuthentication.none.rawValue),
      "Whether clients are asked for a certificate, which is verified if there is one, or have to have one."
    ),
    minimumTLSVersion,
  ]

  /// The keys of TLS for clients of an instance.
  static let listenerTLSSettings =
    serverTLSSettings + [
      Setting(
        "handshake_timeout",
        .duration(.milliseconds(100)...(.seconds(600))),
        .value("10s"),
        "The time that a client has for the handshake, after which it is disconnected."
      )
    ]
}
