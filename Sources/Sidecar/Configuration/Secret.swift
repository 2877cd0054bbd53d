/// A password or token of the configuration.
///
/// Printing, interpolating, dumping or mirroring it shows a placeholder: the only way to the text is `value`, so that
/// every place that uses it can be found by searching for that word.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The secret itself. Never put it in a log, a metric or an error.
  public let value: String

  /// Wraps `value`.
  public init(_ value: String) {
    self.value = value
  }

  /// A placeholder, which does not depend on the secret or its length.
  public var description: String { "(hidden)" }

  /// The same placeholder as `description`.
  public var debugDescription: String { description }

  /// A mirror without children, so that `dump` does not show the secret.
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
