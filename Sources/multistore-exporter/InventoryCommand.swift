internal import ArgumentParser
internal import Sidecar

/// `inventory`: which commands clients have sent to a running sidecar, through its admin API.
struct InventoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory",
    abstract: "Shows which commands clients have sent, what becomes of them, and what can go wrong.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached."
  )

  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance; all of them without it. [MULTISTORE_INSTANCE]")
  var instance: String?

  @Option(help: "table, hazards first, or json. [MULTISTORE_FORMAT]")
  var format: String?

  func run() throws {
    let format = try Environment.choice(format, "format") ?? ReportFormat.table
    let instance = Environment.value(instance, "instance")
    print(try admin.ask { try $0.inventory(instance: instance, format: format) }, terminator: "")
  }
}
