internal import Glibc
internal import Sockets

/// Keeps the connections of one daemon within their limits: passes events to the ``ConnectionTable`` and closes the
/// connections that it selects. Confined to the thread that runs the daemon.
final class ConnectionKeeper {
  let dispatcher: HTTPDispatcher
  /// The number of connections closed so far, by either side.
  private(set) var closedCount = 0
  /// The number of connections accepted so far.
  private(set) var acceptedCount = 0
  private var table: ConnectionTable
  private let counts: HTTPConnectionCounts

  init(dispatcher: HTTPDispatcher, counts: HTTPConnectionCounts) {
    self.dispatcher = dispatcher
    self.counts = counts
    table = ConnectionTable(limits: dispatcher.limits)
  }

  var isEmpty: Bool { table.isEmpty }

  /// The latest time for the next call of ``closeOverdue()``.
  var nextDeadline: ContinuousClock.Instant? { table.nextDeadline }

  func didAccept(_ descriptor: Int32, from network: PeerNetwork?) {
    acceptedCount += 1
    if let closing = table.add(descriptor, from: network, at: .now) { cutOff(closing) }
    publish()
  }

  func willAnswer(on descriptor: Int32, bytes: Int) {
    table.beginAnswer(on: descriptor, bytes: bytes, at: .now).forEach(cutOff)
  }

  func didAnswer(on descriptor: Int32) {
    table.endAnswer(on: descriptor, at: .now)
  }

  func didClose(_ descriptor: Int32) {
    closedCount += 1
    table.remove(descriptor)
    publish()
  }

  func closeOverdue() {
    table.overdue(at: .now).forEach(cutOff)
  }

  /// Shuts a connection down; the library closes it in its next turn. Until then the descriptor is the library's, and
  /// no other connection has its number.
  private func cutOff(_ closing: ConnectionTable.Closing) {
    counts.didClose(closing.reason)
    var unsent: Int32 = 0
    if ioctl(closing.descriptor, UInt(TIOCOUTQ), &unsent) == 0, unsent > 0 {
      // After an orderly end the kernel would keep unread bytes for minutes.
      var option = linger(l_onoff: 1, l_linger: 0)
      setsockopt(closing.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
    shutdown(closing.descriptor, Int32(SHUT_RDWR))
  }

  private func publish() {
    counts.setOpen(table.count)
  }
}
