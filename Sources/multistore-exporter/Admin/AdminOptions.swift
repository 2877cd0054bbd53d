internal import ArgumentParser
internal import Sidecar

/// The options of the subcommands that send requests to a running sidecar.
struct AdminOptions: ParsableArguments {
  @Option(
    name: .customLong("admin.listen-address"),
    help: ArgumentHelp(
      "HOST:PORT, https://HOST:PORT or unix:PATH of the admin API. [MULTISTORE_ADMIN_LISTEN_ADDRESS]",
      valueName: "address"
    )
  )
  var address: String?

  @Option(
    name: .customLong("admin.token-file"),
    help: ArgumentHelp(
      "File with the admin API's bearer token, if it asks for one. [MULTISTORE_ADMIN_TOKEN_FILE]",
      valueName: "file"
    )
  )
  var tokenFile: String?

  @OptionGroup var tls: AdminTLSOptions

  /// Sends a request to the sidecar and prints its failure.
  ///
  /// - Throws: the exit code: 1 when the sidecar refused, 2 when it was not reached, 64 for wrong options.
  func ask<Answer>(_ question: (AdminAPI) throws -> Answer) throws -> Answer {
    let api: AdminAPI
    do {
      let address = try AdminAddress(
        parsing: Environment.value(address, "admin.listen-address") ?? SidecarOptions.defaultAdminListenAddress
      )
      api = try AdminAPI(
        address: address,
        tokenFile: Environment.value(tokenFile, "admin.token-file"),
        tls: try tls.settings(for: address)
      )
    } catch {
      throw ValidationError("\(error)")
    }
    do {
      return try question(api)
    } catch let error as AdminAPIError {
      StandardError.say("multistore-exporter: \(error)")
      throw ExitCode(error.wasReached ? 1 : 2)
    }
  }
}
