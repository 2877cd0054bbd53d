/// What went wrong in a test's own tools, told so that a failing test explains itself.
public struct TestSupportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds that a test may want to tell apart.
  public enum Code: Sendable {
    /// A deadline passed.
    case timedOut
    /// The other end closed the connection.
    case closed
    /// A system call failed.
    case system
    /// A child process ended, or never became ready.
    case process
    /// What was received can't be understood.
    case malformed
    /// Something that the test needs isn't on this machine.
    case missing
  }

  /// The kind of failure.
  public let code: Code
  /// What happened, where, and what to do.
  public let description: String

  /// An error of a kind with its explanation.
  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
