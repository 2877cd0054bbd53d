internal import EventLoop
internal import Logging
internal import RESP

/// MONITOR: clients that are shown the commands which the instance's clients send through this sidecar, in all of its
/// databases.
extension InstanceServer {
  /// Shows the commands of all clients to `session` from now on.
  func beginMonitoring(_ session: Session) {
    session.isMonitoring = true
    monitors.append(session)
    note("monitor", "Client shown all commands by MONITOR", by: session.stream.peer)
  }

  /// Stops showing commands to a client, if it is one that monitors.
  func endMonitoring(_ session: Session) {
    guard session.isMonitoring else { return }
    session.isMonitoring = false
    monitors.removeAll { $0 === session }
  }

  /// Sends whole lines to all clients that monitor.
  func showToMonitors(_ lines: Span<UInt8>) {
    for session in monitors { session.take(monitorLines: lines) }
  }
}
