internal import ArgumentParser
internal import Sidecar

/// `inventory`: shows the commands that clients have sent to a running sidecar, through its admin API.
struct InventoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory",
    abstract: "Shows which commands clients have sent, what becomes of them, and what can go wrong.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached."
  )

  @OptionGroup var report: ReportOptions

  func run() throws { try report.show(AdminPath.inventory) }
}
