internal import CoreMetrics
public import RESP

/// Commands as they pass.
extension Instance {
  /// Counts and logs a command that is neither a known read nor a known write.
  public func methodMissing(_ id: CommandID) { reporter.methodMissing(id) }

  /// The refusal of a command that the configuration does not allow; nil for all others.
  public func refusal(of spec: CommandSpec) -> CommandRefusal? {
    if spec.traits.contains(.empties) { return configuration.executesFlush ? nil : .emptiesStores }
    return configuration.unlistedCommands == .reject && spec.countsAsMethodMissing ? .unlisted : nil
  }

  /// A client's command is about to be sent: if it brings a script, that is remembered.
  func noteScript(in command: Span<UInt8>, _ spec: CommandSpec) {
    guard hasPrimary, !scripts.note(command, spec) else { return }
    metrics.scriptsNotRemembered.increment()
  }
}
