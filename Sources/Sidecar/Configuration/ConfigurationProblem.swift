/// One mistake in a configuration file, or something there that deserves a second look.
///
/// It never shows a secret: values are cited as they stand in the file (before `${…}` is replaced), and values that
/// are or contain passwords not at all.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// The file, as it was named on the command line.
  public let file: String
  /// Where the key or value begins, both counted from 1; nil when the problem is the file as a whole.
  public let position: SourcePosition?
  /// The key, such as `instances[0].read_policy`; empty when the problem belongs to no key.
  public let keyPath: String
  /// What is wrong and what would be right.
  public let message: String
  /// Whether the configuration can be used all the same.
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

  /// The first place in reading order.
  public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// What became of reading a configuration file.
public struct ConfigurationResult: Sendable {
  /// The configuration; nil exactly when one of the problems is an error.
  public let configuration: SidecarConfiguration?
  /// All mistakes and warnings, in the order of their lines.
  public let problems: [ConfigurationProblem]

  /// The problems that stand in the way.
  public var errors: [ConfigurationProblem] { problems.filter { !$0.isWarning } }
  /// The problems that do not.
  public var warnings: [ConfigurationProblem] { problems.filter(\.isWarning) }
}
