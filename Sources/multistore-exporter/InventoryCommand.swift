internal import ArgumentParser
internal import Sidecar

/// `inventory`: which commands clients have sent to a running sidecar, through its admin API.
struct InventoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory",
    abstract: "Shows which commands clients have sent, what becomes of them, and what can go wrong.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached."
  )

  /// How an inventory is shown.
  enum Format: String, ExpressibleByArgument {
    case table, json
  }

  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance; all of them without it.")
  var instance: String?

  @Option(help: "table, hazards first, or json.")
  var format = Format.table

  func run() throws {
    print(try admin.ask { try $0.inventory(instance: instance, asJSON: format == .json) }, terminator: "")
  }
}
