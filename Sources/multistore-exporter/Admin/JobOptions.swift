internal import ArgumentParser
internal import Glibc
internal import Sidecar

/// The options of the subcommands about a job of a running sidecar.
struct JobOptions: ParsableArguments {
  /// The time between two looks at the progress.
  private static let pauseMilliseconds: Int32 = 250

  @OptionGroup var admin: AdminOptions

  @Option(help: "The instance. [MULTISTORE_INSTANCE]")
  var instance: String?

  @Option(help: "The operator's name, for the log; the login name without it. [MULTISTORE_WHO]")
  var who: String?

  /// Starts or changes the job.
  ///
  /// - Parameters:
  ///   - path: The path of the admin API.
  ///   - job: `backfill` or `verify`.
  ///   - fields: The fields besides the instance, the job and the operator; those without a value are left out.
  func change(_ path: String, _ job: String, _ fields: [(name: String, value: String?)] = []) throws {
    let instance = try Environment.required(instance, "instance")
    let who = Environment.value(who, "who") ?? OperatorOptions.loginName
    let given = fields.compactMap { field in field.value.map { (name: field.name, value: $0) } }
    try admin.ask { try $0.changeJob(path, [("instance", instance), ("job", job), ("who", who)] + given) }
  }

  /// Prints the state of the job, or of the jobs of all instances.
  func show(_ job: String, showsKeys: Bool, format: JobFormat) throws {
    let instance = Environment.value(instance, "instance")
    let path = AdminPath.jobs(instance: instance, job: job, showsKeys: showsKeys, format: format)
    print(try admin.ask { try $0.report(path) }, terminator: "")
  }

  /// Shows the progress of the job on standard error until it has ended, then prints its report.
  ///
  /// - Throws: the exit code of the outcome.
  func wait(for job: String, showsKeys: Bool) throws {
    let instance = try Environment.required(instance, "instance")
    let path = AdminPath.jobs(instance: instance, job: job, showsKeys: false, format: .line)
    var display = ProgressDisplay()
    while true {
      let lines = try admin.ask { try $0.report(path) }.split(separator: "\n", omittingEmptySubsequences: false)
      let state = lines.first.map(String.init) ?? ""
      if state == "none" {
        display.end()
        StandardError.say("The job is gone: the sidecar was restarted, and has no state_directory. Start it again.")
        throw ExitCode(JobOutcome.interrupted.exitCode)
      }
      guard let outcome = JobOutcome(state) else {
        display.show(lines.dropFirst().first.map(String.init) ?? "")
        // There is no descriptor to wait for, only the time.
        _ = poll(nil, 0, Self.pauseMilliseconds)
        continue
      }
      display.end()
      try show(job, showsKeys: showsKeys, format: .table)
      if outcome != .complete { throw ExitCode(outcome.exitCode) }
      return
    }
  }
}

/// The outcome of a job, with the exit code of the command that has waited for it.
enum JobOutcome: String {
  case complete, incomplete, cancelled, interrupted
  /// It was complete, and a store may have lost keys since.
  case void

  /// - Parameter state: the first line of the progress: `running`, `ended.complete`.
  init?(_ state: String) {
    guard state.hasPrefix("ended."), let outcome = JobOutcome(rawValue: String(state.dropFirst("ended.".count))) else {
      return nil
    }
    self = outcome
  }

  var exitCode: Int32 {
    switch self {
    case .complete: 0
    case .incomplete, .void: 3
    case .cancelled, .interrupted: 4
    }
  }
}

/// Shows the progress of a job on standard error: on a terminal in one line that changes, elsewhere a line at a time.
struct ProgressDisplay {
  /// The seconds between two lines where standard error is no terminal.
  private static let pause = ContinuousClock.Duration.seconds(10)

  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var width = 0
  private var shownAt: ContinuousClock.Instant?

  /// Shows a line.
  mutating func show(_ line: String) {
    guard isTerminal else {
      if let shownAt, shownAt.duration(to: .now) < Self.pause { return }
      shownAt = .now
      return StandardError.say(line)
    }
    let rest = String(repeating: " ", count: max(0, width - line.count))
    StandardError.say("\r\(line)\(rest)", terminator: "")
    width = line.count
  }

  /// Ends the line.
  mutating func end() {
    if isTerminal, width > 0 { StandardError.say("\r\(String(repeating: " ", count: width))\r", terminator: "") }
  }
}
