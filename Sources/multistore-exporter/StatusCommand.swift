internal import ArgumentParser
internal import Sidecar

/// `status`: how far the instances of a running sidecar are, and whether the next step is safe, through its admin API.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how far a migration is, and whether its next step is safe.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached."
  )

  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance; all of them without it. [MULTISTORE_INSTANCE]")
  var instance: String?

  @Option(help: "table for a person, or json. [MULTISTORE_FORMAT]")
  var format: String?

  func run() throws {
    let format = try Environment.choice(format, "format") ?? ReportFormat.table
    let instance = Environment.value(instance, "instance")
    print(try admin.ask { try $0.status(instance: instance, format: format) }, terminator: "")
  }
}
