internal import Threads

/// A log that could not be opened.
public struct JSONLogError: Error, Equatable, CustomStringConvertible {
  /// The operation that failed.
  public enum Operation: Sendable, Equatable {
    /// Opening or creating the file.
    case open(path: String)
    /// Starting the thread that writes.
    case startThread
  }

  /// The operation that failed.
  public let operation: Operation

  /// The system's error number (errno(3)).
  public let code: Int32

  /// The operation, the path, the reason and the remedy, in one sentence.
  public var description: String {
    let reason = SystemError(code: code)
    switch operation {
    case .open(let path):
      return "cannot open the log file \(path): \(reason); "
        + "check that the folder exists and that this user may write there, or log to standard error with \"-\""
    case .startThread:
      return "cannot start the thread that writes the log: \(reason); check the limit of threads (ulimit -u)"
    }
  }
}
