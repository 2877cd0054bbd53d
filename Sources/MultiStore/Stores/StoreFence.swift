internal import Hiredis
internal import RESP

/// Waits for the last replies of several connections. Each of them retains it until then.
final class StoreFence: ReplyReceiver {
  private var left: Int
  private let then: () -> Void

  /// Sends a PING over each of the connections.
  static func send(over connections: [HiredisConnection], then: @escaping () -> Void) {
    let fence = StoreFence(connections.count, then: then)
    let command = CommandWriter.command("PING")
    for connection in connections { connection.send(command.span, to: fence, token: 0) }
  }

  private init(_ count: Int, then: @escaping () -> Void) {
    left = count
    self.then = then
  }

  func receive(_ reply: borrowing Reply, token: Int) { passed() }

  func receive(failure: ConnectionFailure, token: Int) { passed() }

  private func passed() {
    left -= 1
    if left == 0 { then() }
  }
}
