internal import ArgumentParser
internal import Sidecar
internal import TLS

/// The options of TLS to an admin API whose address begins with `https://`.
struct AdminTLSOptions: ParsableArguments {
  @Option(
    name: .customLong("admin.ca-file"),
    help: ArgumentHelp(
      "PEM file with the authorities of an https:// address; the system's without it. [MULTISTORE_ADMIN_CA_FILE]",
      valueName: "file"
    )
  )
  var authorityFile: String?

  @Option(
    name: .customLong("admin.cert-file"),
    help: ArgumentHelp(
      "PEM file with your certificate, if the admin API asks for one. [MULTISTORE_ADMIN_CERT_FILE]",
      valueName: "file"
    )
  )
  var certificateFile: String?

  @Option(
    name: .customLong("admin.key-file"),
    help: ArgumentHelp("PEM file with its key. [MULTISTORE_ADMIN_KEY_FILE]", valueName: "file")
  )
  var keyFile: String?

  @Option(
    name: .customLong("admin.key-password-file"),
    help: ArgumentHelp(
      "File with the password of the key, in one line. [MULTISTORE_ADMIN_KEY_PASSWORD_FILE]",
      valueName: "file"
    )
  )
  var keyPasswordFile: String?

  @Option(
    name: .customLong("admin.server-name"),
    help: ArgumentHelp(
      "Name that the certificate of the admin API is for, if not the address's host. [MULTISTORE_ADMIN_SERVER_NAME]",
      valueName: "name"
    )
  )
  var serverName: String?

  /// Returns the settings for an address; nil for one without TLS.
  ///
  /// - Throws: ``AdminAPIError`` for files that can't be used, and for options that the address gives no effect.
  func settings(for address: AdminAddress) throws -> TLSClientSettings? {
    var settings = TLSClientSettings()
    settings.authorityFile = Environment.value(authorityFile, "admin.ca-file")
    settings.certificateFile = Environment.value(certificateFile, "admin.cert-file")
    settings.keyFile = Environment.value(keyFile, "admin.key-file")
    settings.keyPasswordFile = Environment.value(keyPasswordFile, "admin.key-password-file")
    settings.serverName = Environment.value(serverName, "admin.server-name")
    guard address.usesTLS else {
      // An operator who gives one of them expects a connection that nobody else can read.
      guard settings == TLSClientSettings() else {
        throw Self.error(
          "--admin.listen-address: \(address) is not secure; the options of TLS need an address with https://"
        )
      }
      return nil
    }
    guard (settings.certificateFile == nil) == (settings.keyFile == nil) else {
      throw Self.error("--admin.cert-file and --admin.key-file belong together, and one of them is missing")
    }
    if settings.keyPasswordFile != nil, settings.keyFile == nil {
      throw Self.error("--admin.key-password-file has no effect without --admin.key-file")
    }
    do {
      _ = try TLSClient.check(settings)
    } catch {
      throw Self.error("\(Self.option(of: error.part)): \(error)")
    }
    return settings
  }

  private static func option(of part: TLSClientError.Part) -> String {
    switch part {
    case .authorityFile, .authorityFolder: "--admin.ca-file"
    case .certificateFile: "--admin.cert-file"
    case .keyFile: "--admin.key-file"
    case .keyPasswordFile: "--admin.key-password-file"
    case .ciphers: "https://"
    }
  }

  private static func error(_ sentence: String) -> AdminAPIError {
    AdminAPIError(description: sentence, wasReached: false)
  }
}
