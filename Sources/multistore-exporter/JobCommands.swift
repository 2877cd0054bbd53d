internal import ArgumentParser
internal import Sidecar

/// The kind of a job, for the commands that both kinds have.
protocol JobName {
  /// `backfill` or `verify`.
  static var job: String { get }
}

/// The options of a command that starts a job.
struct KeySelectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only keys that match a pattern, as SCAN has it. [MULTISTORE_MATCH]", valueName: "glob"))
  var match: String?

  @Option(help: "Only keys of a type: string, list, set, zset, hash or stream. [MULTISTORE_TYPE]")
  var type: String?

  @Option(help: "The most keys per second; 5000 without it. [MULTISTORE_RATE]")
  var rate: String?

  @Option(help: "The keys of each kind that the report names; 100 without it. [MULTISTORE_LIMIT]")
  var limit: String?

  @Flag(help: "Show the progress until the job has ended, then its report. [MULTISTORE_WAIT]")
  var wait = false

  @Flag(help: "With --wait, show keys by their names instead of hashed. [MULTISTORE_SHOW_KEYS]")
  var showKeys = false

  /// The fields of the request.
  var fields: [(name: String, value: String?)] {
    get throws {
      [
        ("match", Environment.value(match, "match")), ("type", Environment.value(type, "type")),
        ("rate", Environment.value(rate, "rate")), ("limit", Environment.value(limit, "limit")),
      ]
    }
  }

  /// Waits for the end of the job, if the command line says so; otherwise prints that it has started.
  func waitIfAsked(_ options: JobOptions, _ job: String) throws {
    guard try Environment.flag(wait, "wait") else {
      return print("Started. multistore-exporter \(job) status shows its progress.")
    }
    try options.wait(for: job, showsKeys: try Environment.flag(showKeys, "show-keys"))
  }
}

/// The options of a command that shows a job.
struct JobReportOptions: ParsableArguments {
  @Option(help: "table for a person, or json. [MULTISTORE_FORMAT]")
  var format: String?

  @Flag(help: "Show keys by their names instead of hashed. [MULTISTORE_SHOW_KEYS]")
  var showKeys = false

  /// Prints the job.
  func show(_ options: JobOptions, _ job: String) throws {
    let format = try Environment.choice(format, "format") ?? ReportFormat.table
    let showsKeys = try Environment.flag(showKeys, "show-keys")
    try options.show(job, showsKeys: showsKeys, format: format == .json ? .json : .table)
  }
}

/// `backfill pause`, `verify pause`
struct JobPause<Name: JobName>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "pause", abstract: "Pauses the job.")
  }

  @OptionGroup var job: JobOptions

  func run() throws {
    try job.change(AdminPath.jobChange("pause"), Name.job)
    print("Paused.")
  }
}

/// `backfill resume`, `verify resume`
struct JobResume<Name: JobName>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "resume",
      abstract: "Continues a paused job; if the default store moved meanwhile, from the beginning."
    )
  }

  @OptionGroup var job: JobOptions

  func run() throws {
    try job.change(AdminPath.jobChange("resume"), Name.job)
    print("Continued.")
  }
}

/// `backfill cancel`, `verify cancel`
struct JobCancel<Name: JobName>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "cancel", abstract: "Ends the job; what it has done stays.")
  }

  @OptionGroup var job: JobOptions

  func run() throws {
    try job.change(AdminPath.jobChange("cancel"), Name.job)
    print("Cancelled.")
  }
}

/// `backfill rate`, `verify rate`
struct JobRate<Name: JobName>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "rate", abstract: "Changes the job's rate while it runs.")
  }

  @OptionGroup var job: JobOptions

  @Argument(help: "The most keys per second.")
  var rate: String

  func run() throws {
    try job.change(AdminPath.jobChange("rate"), Name.job, [("value", rate)])
    print("The job takes at most \(rate) keys per second now.")
  }
}
