internal import Glibc

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
    let reason = SystemError.text(code)
    switch operation {
    case .open(let path):
      return "cannot open the log file \(path): \(reason); "
        + "check that the folder exists and that this user may write there, or log to standard error with \"-\""
    case .startThread:
      return "cannot start the thread that writes the log: \(reason); check the limit of threads (ulimit -u)"
    }
  }
}

/// The system's words for its error numbers.
enum SystemError {
  /// The text of strerror(3), beginning in lower case as it stands in the middle of sentences.
  static func text(_ code: Int32) -> String {
    // glibc's strerror uses memory of the thread (since 2.32), valid until its next call: copied at once.
    guard let text = unsafe strerror(code).map({ unsafe String(cString: $0) }) else { return "error \(code)" }
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
