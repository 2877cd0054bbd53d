internal import RESP

extension CommandSpec {
  /// Neither a known read nor a known write, nor the protocol's own: counted as method missing. INFO is counted
  /// nowhere.
  var countsAsMethodMissing: Bool {
    commandClass == .unlisted && !traits.contains(.notCounted)
  }

  /// A write that is executed on the default store alone.
  var staysUncopied: Bool {
    (commandClass == .write || commandClass == .blocking) && effect == .none
  }
}
