internal import DequeModule
internal import EventLoop

/// Commands whose failure is still to be delivered. That happens at the end of the turn, so that a receiver is never
/// called while it is still sending.
final class FailureDelivery: EndOfTurnWorker {
  private let loop: EventLoop
  private var failed: Deque<(receiver: any ReplyReceiver, token: Int, failure: ConnectionFailure)> = []
  private var isRegistered = false

  init(on loop: EventLoop) {
    self.loop = loop
  }

  func append(_ receiver: any ReplyReceiver, token: Int, failure: ConnectionFailure) {
    failed.append((receiver, token, failure))
    guard !isRegistered else { return }
    isRegistered = true
    loop.atEndOfTurn(self)
  }

  func endOfTurn() {
    isRegistered = false
    // Failures of commands that receivers send again meanwhile are for the next pass.
    for _ in 0..<failed.count {
      let command = failed.removeFirst()
      command.receiver.receive(failure: command.failure, token: command.token)
    }
  }
}
