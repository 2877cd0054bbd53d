internal import CoreMetrics
public import RESP

/// Commands before their execution.
extension Instance {
  /// Counts and logs a command that is neither a known read nor a known write.
  public func methodMissing(_ id: CommandID) { reporter.methodMissing(id) }

  /// The refusal of a command that the configuration does not allow; nil for all others.
  public func refusal(of spec: CommandSpec) -> CommandRefusal? {
    if spec.traits.contains(.empties) { return configuration.executesFlush ? nil : .emptiesStores }
    return configuration.unlistedCommands == .reject && spec.countsAsMethodMissing ? .unlisted : nil
  }
}
