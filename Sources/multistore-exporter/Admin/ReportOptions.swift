internal import ArgumentParser
internal import Sidecar

/// The options of the subcommands that show a report of a running sidecar.
struct ReportOptions: ParsableArguments {
  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance; all of them without it. [MULTISTORE_INSTANCE]")
  var instance: String?

  @Option(help: "table for a person, or json. [MULTISTORE_FORMAT]")
  var format: String?

  /// Prints the report at a path of the admin API.
  func show(_ path: String) throws {
    let format = try Environment.choice(format, "format") ?? ReportFormat.table
    let path = AdminPath.report(path, instance: Environment.value(instance, "instance"), format: format)
    print(try admin.ask { try $0.report(path) }, terminator: "")
  }
}
