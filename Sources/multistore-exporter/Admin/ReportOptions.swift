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
    try show { AdminPath.report(path, instance: $0, format: $1) }
  }

  /// Prints the report at the path that is made of the instance and the format.
  func show(_ path: (_ instance: String?, _ format: ReportFormat) -> String) throws {
    let format = try Environment.choice(format, "format") ?? ReportFormat.table
    let path = path(Environment.value(instance, "instance"), format)
    print(try admin.ask { try $0.report(path) }, terminator: "")
  }
}
