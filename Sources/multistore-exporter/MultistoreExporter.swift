internal import ArgumentParser
internal import Sidecar

/// The command line. The work is done in `Sidecar`.
@main
struct MultistoreExporter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "multistore-exporter",
    abstract: "Moves an application from one Redis to another without stopping it.",
    discussion: """
      Speaks Redis to the application, writes to both stores and reads from either, as two feature flags per instance \
      say; counts and logs what differs. Every option can also come from the environment, under the name that it shows.

      Exit codes: 0 stopped as asked, 1 the configuration has mistakes, 2 it could not start, 64 wrong options.
      """,
    version: Sidecar.version,
    subcommands: [
      Run.self, CheckConfig.self, FeatureCommand.self, InventoryCommand.self, StatusCommand.self, StaleCommand.self,
      TrustCommand.self, BackfillCommand.self, VerifyCommand.self, DescribeMetrics.self,
    ],
    defaultSubcommand: Run.self
  )

  /// Shows the options of `run` in the general help too: as with every exporter, they need no subcommand.
  static func main() {
    if ["--help", "-h", "help"].contains(CommandLine.arguments.dropFirst().joined(separator: " ")) {
      print(helpMessage())
      print()
      print(helpMessage(for: Run.self))
    } else {
      main(nil)
    }
  }
}
