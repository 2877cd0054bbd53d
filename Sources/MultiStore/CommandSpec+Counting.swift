internal import RESP

extension CommandSpec {
  /// Neither a known read nor a known write, nor the protocol's own: counted as method missing. INFO is counted
  /// nowhere.
  var countsAsMethodMissing: Bool {
    commandClass == .unlisted && !traits.contains(.notCounted)
  }

  /// A write that may be executed on the default store alone.
  var mayStayUncopied: Bool {
    switch commandClass {
    case .write: effect != .verbatim
    case .blocking, .script: true
    default: false
    }
  }
}
