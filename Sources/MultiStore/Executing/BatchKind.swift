/// The kind of a batch: the label `command` of the diff counter, and the framing of the commands on the wire.
public enum BatchKind: Hashable, Sendable {
  /// One command.
  case single
  /// Two or more commands of one client that arrived together.
  case pipelined
  /// The commands between MULTI and EXEC.
  case multi

  /// The name that GitLab's metrics and events give it.
  var label: String {
    switch self {
    case .single: "single"
    case .pipelined: "pipelined"
    case .multi: "multi"
    }
  }
}
