internal import ArgumentParser
internal import Sidecar

/// `feature get` and `feature set`: the flags of a running sidecar, through its admin API.
struct FeatureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feature",
    abstract: "Shows and sets the feature flags of a running sidecar.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such flag, 2 it could not be reached.",
    subcommands: [Get.self, Set.self]
  )

  /// Where the sidecar is.
  struct Connection: ParsableArguments {
    @Option(
      name: .customLong("admin.listen-address"),
      help: "HOST:PORT or unix:PATH of the admin API. [MULTISTORE_ADMIN_LISTEN_ADDRESS]"
    )
    var address: String?

    @Option(
      name: .customLong("admin.token-file"),
      help: "File with the admin API's bearer token, if it asks for one. [MULTISTORE_ADMIN_TOKEN_FILE]"
    )
    var tokenFile: String?

    func client() throws -> FeatureClient {
      do {
        return try FeatureClient(
          address: Environment.value(address, "admin.listen-address") ?? SidecarOptions.defaultAdminListenAddress,
          tokenFile: Environment.value(tokenFile, "admin.token-file")
        )
      } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// `feature get [NAME]`
  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows one flag, or all of them.")

    @OptionGroup var connection: Connection

    @Argument(help: "The flag's full name; all flags without it.")
    var name: String?

    func run() throws {
      try FeatureCommand.report { try connection.client().get(name) }
    }
  }

  /// `feature set NAME true|false`
  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sets one flag; in force for the next command.")

    @OptionGroup var connection: Connection

    @Argument(help: "The flag's full name.")
    var name: String

    @Argument(help: "true or false.")
    var value: Bool

    func run() throws {
      try FeatureCommand.report { try connection.client().set(name, to: value) }
    }
  }

  private static func report(_ ask: () throws -> [String]) throws {
    do {
      for line in try ask() { print(line) }
    } catch let error as FeatureClientError {
      StandardError.say("multistore-exporter: \(error)")
      throw ExitCode(error.wasReached ? 1 : 2)
    }
  }
}
