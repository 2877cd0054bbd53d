internal import ArgumentParser
internal import Sidecar

/// `status`: shows the progress of a running sidecar's instances, and whether the next step is safe, through its admin
/// API.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how far a migration is, and whether its next step is safe.",
    discussion: "Exit codes: 0 done, 1 the sidecar refused or knows no such instance, 2 it could not be reached."
  )

  @OptionGroup var report: ReportOptions

  func run() throws { try report.show(AdminPath.status) }
}
