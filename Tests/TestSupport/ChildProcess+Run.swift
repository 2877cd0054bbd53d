internal import Foundation

/// What a process that ended by itself left behind.
public struct ProcessOutcome: Sendable {
  /// How it ended.
  public let exit: ChildProcess.Exit
  /// All of its standard output.
  public let output: String
  /// All of its standard error.
  public let errors: String
}

extension ChildProcess {
  /// Runs a program until it ends by itself.
  ///
  /// - Parameters:
  ///   - environment: Added to the test's own environment.
  ///   - input: Its standard input.
  /// - Throws: ``TestSupportError``: `missing` without the program, `timedOut` if it does not end (it is killed then).
  public static func run(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String] = [:],
    input: String = "",
    within limit: Duration = waitLimit
  ) throws -> ProcessOutcome {
    let directory = try TemporaryDirectory()
    let file = open(try directory.write(input, to: "input"), O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    let (process, output, errors) = try captured(executable, arguments, environment: environment, input: file)
    let exit = try process.waitForExit(within: limit)
    try output.waitForEnd()
    try errors.waitForEnd()
    return ProcessOutcome(exit: exit, output: output.text, errors: errors.text)
  }

  /// Starts a program whose standard output and standard error are gathered, in this order.
  ///
  /// - Throws: ``TestSupportError``: `missing` without the program, `process` if it can't be started.
  public static func captured(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String],
    input: Int32? = nil
  ) throws -> (ChildProcess, output: LogLines, errors: LogLines) {
    let output = try CapturedPipe()
    defer { close(output.writingEnd) }
    let errors = try CapturedPipe()
    defer { close(errors.writingEnd) }
    let process = try ChildProcess(
      executable,
      arguments,
      environment: environment,
      input: input,
      output: output.writingEnd,
      errors: errors.writingEnd
    )
    return (process, output.lines, errors.lines)
  }
}
