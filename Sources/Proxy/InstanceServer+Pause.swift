internal import EventLoop
internal import Logging
internal import MultiStore
internal import PrometheusExposition

/// CLIENT PAUSE: the instance's clients are held, in all of its databases. The sidecar's own work goes on, and so do
/// the stores and their other clients.
extension InstanceServer {
  /// Begins a pause, or joins it with the present one.
  ///
  /// - Parameter client: the address of the client that asks for it, for the log.
  func beginPause(_ mode: ClientPause.Mode, milliseconds: Int, by client: String) {
    let before = pause.mode
    pause.begin(mode, milliseconds: milliseconds, at: loop.now)
    // One of all commands may have been over, though its timer has not fired yet.
    if let before, pause.mode ?? .writes < before { releasePaused() }
    guard let mode = pause.mode else { return releasePaused() }
    if pauseTimer == nil { pauseTimer = LoopTimer(on: loop) { [unowned self] in pauseDidExpire() } }
    schedulePauseTimer()
    let name = mode == .all ? "all" : "writes"
    note(
      "pause \(name)",
      "Clients paused by CLIENT PAUSE",
      by: client,
      ["mode": "\(name)", "milliseconds": .stringConvertible(milliseconds)]
    )
  }

  /// Ends the pause.
  func endPause() {
    pause.cancel()
    pauseTimer?.cancel()
    releasePaused()
  }

  /// Adds a client to those that wait for the end of the pause.
  func didPause(_ session: Session) {
    pausedClients.append(session.id)
    metrics.paused.set(Double(pausedClients.count))
  }

  /// Removes a client from those that wait.
  ///
  /// - Returns: whether it was one of them.
  func leavePause(_ session: Session) -> Bool {
    guard pausedClients.remove(session.id) else { return false }
    metrics.paused.set(Double(pausedClients.count))
    return true
  }

  private func pauseDidExpire() {
    pause.expire(at: loop.now)
    if pause.mode == nil { releasePaused() } else { schedulePauseTimer() }
  }

  private func schedulePauseTimer() {
    pauseTimer?.schedule(after: .nanoseconds(pause.end - min(pause.end, loop.now)))
  }

  /// Resumes the clients in the order in which they were held, at the end of this turn.
  private func releasePaused() {
    while let id = pausedClients.popFirst() { client(id)?.release(from: .pause) }
    metrics.paused.set(0)
  }
}
