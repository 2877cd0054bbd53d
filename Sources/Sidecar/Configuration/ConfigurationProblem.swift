/// One mistake in a configuration file, or a warning.
///
/// It never shows a secret: values are cited as they are in the file, before `${…}` is replaced, and values that are or
/// contain passwords are not cited.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// The file, as it was named on the command line.
  public let file: String
  /// The beginning of the key or value; nil when the problem is the file as a whole.
  public let position: SourcePosition?
  /// The key, such as `instances[0].read_policy`; empty when the problem belongs to no key.
  public let keyPath: String
  /// The mistake, and what would be right.
  public let message: String
  /// Whether the configuration can be used nevertheless.
  public let isWarning: Bool

  /// One line, such as `sidecar.yml:12:5: instances[0].read_polcy: unknown key; did you mean "read_policy"?`.
  public var description: String {
    var text = file
    if let position { text += ":\(position.line):\(position.column)" }
    if isWarning { text += ": warning" }
    if !keyPath.isEmpty { text += ": \(keyPath)" }
    return text + ": \(message)"
  }
}

/// A place in a text file.
public struct SourcePosition: Sendable, Hashable, Comparable {
  /// The line, counted from 1.
  public let line: Int
  /// The column in Unicode scalars, counted from 1.
  public let column: Int

  /// Whether the left place is before the right one.
  public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// The result of reading a configuration file.
public struct ConfigurationResult: Sendable {
  /// The configuration; nil exactly when one of the problems is an error.
  public let configuration: SidecarConfiguration?
  /// All mistakes and warnings, in the order of their lines.
  public let problems: [ConfigurationProblem]

  /// The mistakes: the configuration cannot be used because of them.
  public var errors: [ConfigurationProblem] { problems.filter { !$0.isWarning } }
  /// The problems that are no mistakes.
  public var warnings: [ConfigurationProblem] { problems.filter(\.isWarning) }
}
