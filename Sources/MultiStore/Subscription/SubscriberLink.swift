internal import EventLoop
internal import Hiredis
internal import RESP

/// One connection in subscriber mode: its commands in flight and its subscriptions.
///
/// Its owner outlives it, and closes it. Loop-confined.
final class SubscriberLink: PushReceiver {
  private enum Expected {
    /// The number of confirmations to come, or one error.
    case answers(Int)
    /// The reply to a PING of the sidecar's own.
    case fence
  }

  let store: Store
  /// The names that the server has confirmed.
  private(set) var names = SubscribedNames()
  /// Whether the connection has failed and is not ready again, so that waiting for it may take long.
  private(set) var hasFailed = false
  private unowned let owner: Subscription
  private let connection: HiredisConnection
  private var expected: [Expected] = []
  /// The time at which the commands in flight were sent, or at which the server has sent something since, in
  /// nanoseconds of the loop's clock.
  private var waitsSince: UInt64 = 0
  /// Commands that wait for the connection.
  private var outbox = ByteBuffer()

  /// Nil at the limit of dedicated connections.
  init?(to store: Store, owner: Subscription) {
    guard let connection = store.openDedicated() else { return nil }
    self.store = store
    self.owner = owner
    self.connection = connection
    connection.pushReceiver = self
  }

  var isReady: Bool { connection.isReady }

  /// Sends a command that is answered `answers` times, now or as soon as the connection is ready.
  func send(_ command: Span<UInt8>, answers: Int) {
    expect(.answers(answers))
    write(command)
  }

  /// Sends PING, whose reply follows all that the server has sent before it.
  func fence() {
    expect(.fence)
    var command = ByteBuffer()
    command.appendCommand(expecting: 1) { $0.append("PING") }
    write(command.span)
  }

  /// Closes the connection, without notifying the owner.
  func close() {
    connection.pushReceiver = nil
    store.closeDedicated(connection)
  }

  /// Closes the connection as after a loss if a command is in flight and the server has sent nothing within the store's
  /// command timeout. Called at regular intervals: the connection itself does not know which commands are answered.
  func expire() {
    // A server that copies a large key answers later.
    guard !expected.isEmpty, !store.ordinary.hasLongCommand,
      let timeout = store.ordinary.limits.commandTimeout
    else { return }
    connection.expire(after: timeout, sentAt: waitsSince)
  }

  private func expect(_ reply: Expected) {
    if expected.isEmpty { waitsSince = store.loop.now }
    expected.append(reply)
  }

  private func write(_ command: Span<UInt8>) {
    if !connection.push(command) { outbox.append(command) }
  }

  func pushConnectionDidBecomeReady(_ connection: HiredisConnection) {
    hasFailed = false
    waitsSince = store.loop.now
    if !outbox.isEmpty {
      _ = outbox.withSpan { connection.push($0) }
      outbox.removeAll(keepingCapacityUpTo: 0)
    }
    owner.linkDidBecomeReady(self)
  }

  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    hasFailed = true
    let listened = !names.isEmpty
    names = SubscribedNames()
    expected = []
    outbox.removeAll(keepingCapacityUpTo: 0)
    owner.linkDidFail(self, reason, listened: listened)
  }

  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {
    waitsSince = store.loop.now
    switch SubscriberReply(reply) {
    case .message:
      owner.link(self, didReceive: reply)
    case .subscribed(let kind, let name):
      names.insert(name, kind)
      answered(reply)
    case .unsubscribed(let kind, let name):
      if let name { names.remove(name, kind) }
      answered(reply)
    case .error:
      if case .answers? = expected.first { expected[0] = .answers(1) }
      otherwise(reply)
    case .other:
      otherwise(reply)
    }
  }

  /// Counts a confirmation of the oldest command in flight. A server may also end a subscription by itself.
  private func answered(_ reply: borrowing Reply) {
    guard case .answers(let left)? = expected.first else { return owner.link(self, didReceive: reply) }
    if left > 1 {
      expected[0] = .answers(left - 1)
      return owner.link(self, didReceive: reply)
    }
    expected.removeFirst()
    owner.link(self, didReceiveLast: reply)
  }

  private func otherwise(_ reply: borrowing Reply) {
    switch expected.first {
    case .answers: answered(reply)
    case .fence:
      // An error is the reply to PING as well.
      expected.removeFirst()
      owner.linkDidPassFence(self)
    case nil: owner.link(self, didReceive: reply)
    }
  }
}
