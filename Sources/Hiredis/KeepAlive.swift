internal import EventLoop
internal import RESP

/// Keeps a shared connection from being idle for longer than its store, or a middlebox in between, tolerates.
///
/// Servers close idle connections (Redis' `timeout`), and so do load balancers and NATs, whose limits are unknown. A
/// PING is sent whenever no command was answered for an interval, and the interval halves each time that an idle
/// connection was closed all the same. If a PING has no reply when the next one is due, the store hangs.
final class KeepAlive {
  /// The first interval. A connection is idle for twice as long at most.
  static let longestInterval = Duration.seconds(5)
  /// The shortest interval.
  static let shortestInterval = Duration.milliseconds(500)

  private static let ping = CommandWriter.command("PING")

  private unowned let connection: HiredisConnection
  private var timer: LoopTimer?
  private(set) var interval = longestInterval
  /// The connection's count of replies when the timer fired last.
  private var repliesBefore: UInt64 = 0
  /// The PING in flight: when it was sent, by the loop's clock, and in which epoch of the connection.
  private var ping: (sentAt: UInt64, epoch: Int)?

  init(of connection: HiredisConnection) {
    self.connection = connection
    let timer = LoopTimer(on: connection.loop) { [unowned self] in timerFired() }
    self.timer = timer
    timer.schedule(after: interval, repeating: interval)
  }

  deinit {
    timer?.close()
  }

  /// Records that the store closed the connection while no command was in flight.
  func connectionWasClosed() {
    guard isQuiet, interval > Self.shortestInterval else { return }
    interval = max(Self.shortestInterval, interval / 2)
    timer?.schedule(after: interval, repeating: interval)
  }

  /// Whether only a PING, if any command, was answered since the timer fired last.
  private var isQuiet: Bool {
    connection.replyCount == repliesBefore || ping != nil && connection.replyCount == repliesBefore + 1
  }

  private func timerFired() {
    guard connection.isReady else { return ping = nil }
    if connection.hasNewLogin { connection.logInAgain() }
    if let ping, ping.epoch == connection.epoch, connection.replyCount == repliesBefore {
      if let timeout = connection.commandTimeout { connection.expire(after: timeout, sentAt: ping.sentAt) }
      return
    }
    let isIdle = isQuiet && connection.inFlightCount == 0
    repliesBefore = connection.replyCount
    ping = isIdle ? (connection.loop.now, connection.epoch) : nil
    guard isIdle else { return }
    let command = Self.ping
    connection.send(command.span, to: DiscardedReplies.shared, token: 0, isCounted: false)
  }
}
