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
    expected.append(.answers(answers))
    write(command)
  }

  /// Sends PING, whose reply follows all that the server has sent before it.
  func fence() {
    expected.append(.fence)
    var command = ByteBuffer()
    command.appendCommand(expecting: 1) { $0.append("PING") }
    write(command.span)
  }

  /// Closes the connection, without notifying the owner.
  func close() {
    connection.pushReceiver = nil
    store.closeDedicated(connection)
  }

  private func write(_ command: Span<UInt8>) {
    if !connection.push(command) { outbox.append(command) }
  }

  func pushConnectionDidBecomeReady(_ connection: HiredisConnection) {
    hasFailed = false
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
