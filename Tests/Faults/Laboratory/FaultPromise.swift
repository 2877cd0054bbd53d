/// What users are promised, as bounds on a result.
extension FaultResult {
  /// What a busy machine may add to a wait, beside what a client without a sidecar has to wait there.
  private static let margin = Duration.milliseconds(500)

  /// The promises that are broken, in words.
  ///
  /// - Parameter firstTimeout: The instance's `other_store_timeout`.
  public func brokenPromises(firstTimeout: Duration) -> [String] {
    var broken: [String] = []
    if item.part != .sidecar, !wrongAnswers.isEmpty {
      broken.append("\(wrongAnswers.count) wrong answers, the first: \(wrongAnswers[0])")
    }
    guard item.part == .otherStore else { return broken }
    if errorCount > 0 { broken.append("\(errorCount) errors: \(errors.keys.sorted().joined(separator: "; "))") }
    // A store that answers in time is waited for, and a command may need two of its answers.
    let isInTime = item.fault == .slow && Fault.slowness < firstTimeout
    let allowed = (isInTime ? Fault.slowness * 2 : firstTimeout) + Self.margin + longestWaitOfControl
    if longestWait > allowed { broken.append("a client waited \(longestWait), more than \(allowed)") }
    // A stall of the machine is a stall of every client.
    let stalls = Int((longestWaitOfControl / Observations.Record.interval).rounded(.down))
    if !isInTime, unservedAfterFirstTimeout.count > stalls {
      broken.append("\(unservedAfterFirstTimeout) half-seconds without service after the first timeout")
    }
    // Nobody can know what a store has lost that came back empty.
    if item.fault != .emptied, !differingKeys.isEmpty {
      broken.append("\(differingKeys.count) keys differ for good, one of them \(differingKeys[0])")
    }
    return broken
  }
}
