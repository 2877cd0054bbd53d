internal import CoreMetrics
internal import Logging
public import RESP

/// Commands that are not executed, and those that are nobody's.
extension Instance {
  /// Counts and logs a command that is neither a known read nor a known write.
  public func methodMissing(_ id: CommandID) {
    guard hasPrimary, CommandTable.spec(id).countsAsMethodMissing else { return }
    metrics.methodMissing(id)
    report(.methodMissing) {
      Event(
        eventClass: .methodMissing,
        exception: ReportedException(
          .methodMissing,
          "Method missing. Falling back to execute method on the redis default store."
        ),
        commandName: CommandTable.spec(id).label
      )
    }
  }

  /// The refusal of a command that the configuration does not allow; nil for all others.
  public func refusal(of spec: CommandSpec) -> CommandRefusal? {
    if spec.traits.contains(.empties) { return configuration.executesFlush ? nil : .emptiesStores }
    return configuration.unlistedCommands == .reject && spec.countsAsMethodMissing ? .unlisted : nil
  }
}
