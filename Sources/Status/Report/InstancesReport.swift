/// A report on every instance that can be narrowed to one, and rendered for programs and for a terminal.
///
/// This target imports no other: the values are plain, and the sidecar fills them from its metrics, flags and stores.
/// So a report can be built in a test by hand, and no rendering can reach into a running instance.
public protocol InstancesReport: Sendable, Hashable {
  /// The instances' names, in the order of the configuration.
  var names: [String] { get }

  /// Returns the report on the instance of this name alone.
  func showing(only name: String) -> Self

  /// The report as one JSON object, without a line end.
  var json: String { get }

  /// The report as lines for a terminal, each with its line end.
  var text: String { get }
}
