internal import EventLoop

/// Keeps a shared connection from being idle for longer than its store, or what lies between, tolerates.
///
/// Servers close idle connections (Redis' `timeout`), and so do load balancers and NATs, which tell nobody their limit.
/// A PING goes out whenever nothing was answered for an interval, and the interval halves each time that an idle
/// connection was closed all the same. A PING that is not answered by the next one's turn is a store that hangs.
final class KeepAlive {
  /// The interval at first. A connection is idle for twice as long at most.
  static let longestInterval = Duration.seconds(5)
  /// The interval at least.
  static let shortestInterval = Duration.milliseconds(500)

  private static let ping = Array("*1\r\n$4\r\nPING\r\n".utf8)

  private unowned let connection: HiredisConnection
  private var timer: LoopTimer?
  private(set) var interval = longestInterval
  /// Replies of the connection when the timer fired last.
  private var repliesBefore: UInt64 = 0
  /// When the PING was sent that is in flight, by the loop's clock, and in which epoch of the connection.
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

  /// The store closed the connection while no command was in flight.
  func connectionWasClosed() {
    guard isQuiet, interval > Self.shortestInterval else { return }
    interval = max(Self.shortestInterval, interval / 2)
    timer?.schedule(after: interval, repeating: interval)
  }

  /// Nothing but a PING was answered since the timer fired last.
  private var isQuiet: Bool {
    connection.replyCount == repliesBefore || ping != nil && connection.replyCount == repliesBefore + 1
  }

  private func timerFired() {
    guard connection.isReady else { return ping = nil }
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
