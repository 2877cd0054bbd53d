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

  /// Remembers the script, if there is one, of a client's command that is about to be sent.
  func noteScript(in command: Span<UInt8>, _ spec: CommandSpec) {
    guard hasPrimary, !scripts.note(command, spec) else { return }
    metrics.scriptsNotRemembered.increment()
  }
}
